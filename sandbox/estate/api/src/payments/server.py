"""Sockets: a threading HTTP server from the standard library."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from payments.app import App
from payments.http import LARGEST_BODY, Request, Response


class Server(ThreadingHTTPServer):
    """Serve an application; port 0 takes a free port."""

    request_queue_size = 64

    def __init__(self, app: App, *, host: str, port: int) -> None:
        self.app = app
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """Where the server listens."""
        host, port = self.server_address[:2]
        return f"http://{host}:{port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            reason = {"error": "That is more than an invoice needs."}
            self._send(Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, value=reason))
        else:
            self._answer(self.rfile.read(length))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        self._send(self.server.app.answer(request))

    def _send(self, response: Response) -> None:
        body = response.body
        self.send_response(response.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log one line a request, without the client's address."""
        print(f"payments: {format % args}", flush=True)
