"""Put the emulated GitLab together: state, routes, hooks, faults, request log. Seeds nothing."""

from collections.abc import Callable

from sandbox.ci.instance.instance import Ci
from sandbox.faults import RequestFaults, RequestLog
from sandbox.gitlab import control, smart_http
from sandbox.gitlab.api import (
    approvals,
    branches,
    commits,
    discussions,
    files,
    hooks,
    merge,
    merge_requests,
    notes,
    projects,
    uploads,
    users,
)
from sandbox.gitlab.control import Control
from sandbox.gitlab.hook_faults import HookFaults
from sandbox.gitlab.hooks import Deliverer
from sandbox.gitlab.state import State
from sandbox.gitlab_server.pages import browse, jobs, pipelines
from sandbox.gitlab_server.pages import merge_requests as merge_requests_pages
from sandbox.gitlab_server.pages.frame import Pages
from sandbox.http import Application, Router

PAGES = (merge_requests_pages, pipelines, jobs, browse)
MODULES = (users, projects, branches, commits, files, merge_requests, merge, approvals, notes, discussions, uploads)


def create(state: State, *, extend: Callable[[Application], None] | None = None, ci: Ci | None = None) -> Application:
    """Make the application; `extend` adds further routes, the CI engine's for example. Pages show pipelines of `ci`."""
    hook_faults, request_faults, log = HookFaults(), RequestFaults(), RequestLog()
    deliverer = Deliverer(state, hook_faults)
    router = Router("GitLab")
    for module in MODULES:
        router.include(state, module.ROUTES)
    router.include(state, hooks.ROUTES)
    router.include(deliverer, hooks.DELIVERER_ROUTES)
    router.include(
        Control(state, deliverer=deliverer, requests=request_faults, hooks=hook_faults, log=log), control.ROUTES
    )
    app = Application(router, middleware=(log.middleware, request_faults.middleware))
    app.on_startup.append(deliverer.start)
    app.on_shutdown.append(deliverer.stop)
    if extend is not None:
        extend(app)
    router.include(state, smart_http.ROUTES)
    shown = Pages(state, ci)
    for routes in (*(module.ROUTES for module in PAGES), browse.LAST_ROUTES):
        router.include(shown, routes)
    return app
