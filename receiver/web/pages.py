"""Pages for people: the runs, and a run's story with links to ticket, pipelines and merge requests. Change nothing."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import jinja2
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup

from receiver.store import deliveries, overview, stories
from receiver.store.runs import NoSuchRunError
from receiver.store.story import Moment
from receiver.web.problems import AnyRequest, problem
from receiver.web.reading import guard, sign_in
from receiver.web.services import Services

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates" / "pages"
SHOWN: Final = 100

_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Pages run no script and fetch nothing from elsewhere: what they show is partly untrusted text."""


def money(value: Decimal | None) -> str:
    """Return dollars for people; an unknown cost is said to be unknown."""
    if value is None:
        return "unknown"
    return f"${value:.4f}" if value < 1 else f"${value:.2f}"


def words(value: str) -> str:
    """Return a status or phase as words."""
    return value.replace("_", " ")


def link(value: str) -> str:
    """Return an address that may be followed: one of the web, and nothing that runs."""
    return value if value.startswith(("https://", "http://")) else "#"


_TURNING: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
"""Characters that change the direction of the text around them, so that a page shows what nobody wrote."""


def straight(value: object) -> object:
    """Return what a template shows, without characters that turn the text around."""
    return value.translate(_TURNING) if isinstance(value, str) and not isinstance(value, Markup) else value


def environment() -> jinja2.Environment:
    """Return the templates' environment: escaping, strict about names."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=straight,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"link": link, "money": money, "words": words}
    return found


_ENVIRONMENT: Final = environment()


def _page(name: str, **values: Any) -> Response[str]:  # noqa: ANN401  # whatever the template shows
    text = _ENVIRONMENT.get_template(name).render(**values)
    return Response(text, media_type="text/html", headers=_HEADERS)


@get("/enter")
async def enter(request: AnyRequest, services: NamedDependency[Services]) -> Response[Any]:
    """Sign a browser in with the read token in the address, and take it out of the address."""
    cookie = sign_in(request, services)
    if cookie is None:
        return problem(401, "This token may not read. Open /enter?token=… with one of READ_TOKENS.")
    return Redirect("/", cookies=[cookie], headers=_HEADERS)


@get("/", guards=[guard])
async def start(services: NamedDependency[Services]) -> Response[str]:
    """Show the newest runs."""
    async with services.database.begin() as session:
        runs = await overview.glance(session, limit=SHOWN)
        verdicts = await deliveries.by_verdict(session)
    return _page(
        "runs.html.j2",
        runs=runs,
        verdicts=verdicts,
        jira_url=services.settings.jira_url.rstrip("/"),
        gitlab_url=services.settings.gitlab_url.rstrip("/"),
    )


@get("/runs/{name:str}", guards=[guard])
async def run(services: NamedDependency[Services], name: FromPath[str]) -> Response[Any]:
    """Show a run's story."""
    try:
        async with services.database.begin() as session:
            told = await stories.story(session, await stories.find(session, name))
    except NoSuchRunError as error:
        return problem(404, str(error))
    return _page(
        "run.html.j2",
        story=told,
        turning_points=[moment for moment in told.moments if _is_turning_point(moment)],
        done=Counter(act.kind for act in told.effects if act.state == "done"),
        trouble=sum(act.state in {"pending", "given_up"} for act in told.effects),
        jira_url=services.settings.jira_url.rstrip("/"),
        gitlab_url=services.settings.gitlab_url.rstrip("/"),
    )


def _is_turning_point(moment: Moment) -> bool:
    """Tell whether a moment moved the run: people read these first."""
    moved = moment.status_after is not None and moment.status_after != moment.status_before
    return moved or moment.verdict == "acted" or moment.event in {"ReportAccepted", "ReportDiscarded"}


HANDLERS = [enter, start, run]
