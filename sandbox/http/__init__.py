"""A small ASGI framework for emulators. Knows no vendor and keeps no state.

Routes are data (`Route`), handlers are plain functions of `(state, request)`, sync or async; bind them with
`router.include(state, ROUTES)`. `sandbox.http.asgi_server` serves an application.
"""

from sandbox.http.application import Application, Handler, Message, Middleware, Receive, Send
from sandbox.http.messages import Disconnect, HttpError, Request, Response
from sandbox.http.routing import Body, Route, Router

__all__ = [
    "Application",
    "Body",
    "Disconnect",
    "Handler",
    "HttpError",
    "Message",
    "Middleware",
    "Receive",
    "Request",
    "Response",
    "Route",
    "Router",
    "Send",
]
