"""Put the emulated GitLab together: state, routes, hooks, faults, request log. Seeds nothing."""

from sandbox.ci.api import control as ci_control
from sandbox.ci.api import jobs as ci_jobs
from sandbox.ci.api import oidc
from sandbox.ci.api import pipelines as ci_pipelines
from sandbox.ci.instance.instance import Ci
from sandbox.faults import fault_routes
from sandbox.faults.fault_routes import Faults
from sandbox.faults.request_faults import RequestFaults, RequestLog
from sandbox.gitlab import control, smart_http
from sandbox.gitlab.api import (
    approval_settings,
    approvals,
    award_emoji,
    branches,
    commits,
    discussions,
    files,
    hooks,
    merge,
    merge_request_changes,
    merge_requests,
    merge_trains,
    notes,
    projects,
    reverts,
    suggestions,
    uploads,
    users,
)
from sandbox.gitlab.control import Control
from sandbox.gitlab.hooks import Deliverer
from sandbox.gitlab.people import acts
from sandbox.gitlab.people.acts import People
from sandbox.gitlab.state import State
from sandbox.gitlab_pages import browse, jobs, pipelines
from sandbox.gitlab_pages import merge_requests as merge_requests_pages
from sandbox.gitlab_pages.frame import Pages
from sandbox.http import Application, Router

CI_MODULES = (ci_pipelines, ci_jobs, oidc, ci_control)
PAGES = (merge_requests_pages, pipelines, jobs, browse)
MODULES = (
    *(users, projects, branches, commits, reverts, files, uploads),
    *(
        merge_requests,
        merge_request_changes,
        merge,
        merge_trains,
        approvals,
        approval_settings,
        notes,
        award_emoji,
        discussions,
        suggestions,
    ),
)


def create(state: State, *, ci: Ci | None = None, page_size: int | None = None) -> Application:
    """Make the application; without `ci` it has no pipelines. `page_size`: as the switch of that name."""
    faults, log = Faults(requests=RequestFaults(page_size=page_size)), RequestLog()
    deliverer = Deliverer(state, faults.hooks)
    router = Router("GitLab")
    for module in MODULES:
        router.include(state, module.ROUTES)
    router.include(state, hooks.ROUTES)
    router.include(deliverer, hooks.DELIVERER_ROUTES)
    router.include(faults, fault_routes.ROUTES)
    router.include(Control(state=state, deliverer=deliverer, log=log), control.ROUTES)
    router.include(People(state, router), acts.ROUTES)
    app = Application(router, middleware=(log.middleware, faults.requests.middleware))
    app.on_startup.append(deliverer.start)
    app.on_shutdown.append(deliverer.stop)
    if ci is not None:
        for module in CI_MODULES:
            router.include(ci, module.ROUTES)
        app.on_shutdown.append(ci.engine.stop)
    router.include(state, smart_http.ROUTES)
    shown = Pages(state, ci)
    for routes in (*(module.ROUTES for module in PAGES), browse.LAST_ROUTES):
        router.include(shown, routes)
    return app
