"""Put the emulated Jira together: routes, webhooks, faults, request log, pages. Seeds nothing; see `seed.site`."""

import json
from collections.abc import Sequence

from sandbox.faults import fault_routes
from sandbox.faults.fault_routes import Faults
from sandbox.faults.request_faults import RequestFaults, RequestLog
from sandbox.http import Application, Handler, Request, Response, Router
from sandbox.jira import control
from sandbox.jira.api import comment, issue, link, search, site_api
from sandbox.jira.control import Control
from sandbox.jira.hooks import DELAYS_S, Deliverer, Webhook
from sandbox.jira.site import Site
from sandbox.jira.web_pages import pages

MODULES = (site_api, comment, link, issue, search)


def create(
    site: Site,
    *,
    webhooks: Sequence[Webhook] = (),
    retry_delays_s: tuple[float, ...] = DELAYS_S,
    page_size: int | None = None,
) -> Application:
    """Make the application of a site that `seed.site` made from a scenario. `page_size`: as the switch of that name."""
    faults, log = Faults(requests=RequestFaults(page_size=page_size)), RequestLog()
    deliverer = Deliverer(site, tuple(webhooks), faults=faults.hooks, retry_delays_s=retry_delays_s)
    router = Router("Jira")
    for module in MODULES:
        router.include(site, module.ROUTES)
    router.include(faults, fault_routes.ROUTES)
    router.include(Control(site=site, deliverer=deliverer, log=log), control.ROUTES)
    router.include(site, pages.ROUTES)
    app = Application(router, middleware=(log.middleware, speak_jira, faults.requests.middleware))
    app.on_startup.append(deliverer.start)
    app.on_shutdown.append(deliverer.stop)
    return app


async def speak_jira(request: Request, call_next: Handler) -> Response:
    """Write the refusals of router and faults in Jira's own shape."""
    response = await call_next(request)
    if response.status < 400 or not request.path.startswith("/rest/") or not isinstance(response.body, bytes):
        return response
    payload = json.loads(response.body)
    if "errorMessages" in payload:
        return response
    message = payload.get("error") or payload.get("message")
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
    return Response.json({"errorMessages": [message], "errors": {}}, status=response.status, headers=headers)
