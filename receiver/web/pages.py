"""Pages for people: the runs, and a run's story with links to ticket, pipelines and merge requests. Change nothing."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import jinja2
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup
from msgspec import Struct

from pipelines.resources import TEMPLATES
from receiver.insight.remedy_figures import figures
from receiver.insight.shares import Share
from receiver.notes import review_state
from receiver.store.deliveries import stored_deliveries
from receiver.store.run import remedy_counts, runs
from receiver.store.run.runs import NoSuchRunError
from receiver.store.story import MergeRequest, Story, overview, rows, turning_points
from receiver.web.access import guard, sign_in
from receiver.web.problems import AnyRequest, problem
from receiver.web.services import Services
from receiver.workflow import event_names as names
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus

PAGES: Final = TEMPLATES / "pages"
SHOWN: Final = 100
REMEDIES_SINCE: Final = timedelta(days=90)

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


_CODE: Final = re.compile(r"(?<!`)`([^`]{1,200})`(?!`)")


def prose(value: str) -> Markup:
    """Return text with what stands in single backticks as code, which is how tickets and models write it."""
    parts = enumerate(_CODE.split(str(straight(value))))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else Markup.escape(part) for number, part in parts
    )


def count(value: int) -> str:
    """Return a number in groups of three digits."""
    return f"{value:,}"


def percent(part: int, whole: int) -> str:
    """Return a share in percent, or a dash if `whole` is zero."""
    return f"{100 * part / whole:.0f} %" if whole else "—"


def interval(value: Share) -> str:
    """Return where a share lies with 95 % confidence, or a dash where nothing was counted."""
    if value.low is None or value.high is None:
        return "—"
    return f"{100 * value.low:.0f} to {100 * value.high:.0f} %"


def link(value: str) -> str:
    """Return an HTTP address, or `#` for any other scheme."""
    return value if value.startswith(("https://", "http://")) else "#"


_TURNING: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
"""Characters that change text direction and so can make a page show other text than was written."""


def straight(value: object) -> object:
    """Return what a template shows, without characters that turn the text around."""
    return value.translate(_TURNING) if isinstance(value, str) and not isinstance(value, Markup) else value


def environment() -> jinja2.Environment:
    """Return the templates' environment: escaping, strict about names."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=straight,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "count": count,
        "event": names.event,
        "interval": interval,
        "link": link,
        "money": money,
        "percent": percent,
        "prose": prose,
        "words": words,
    }
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
        verdicts = await stored_deliveries.by_verdict(session)
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
            told = await rows.story(session, await runs.find(session, name))
    except NoSuchRunError as error:
        return problem(404, str(error))
    return run_page(told, jira_url=services.settings.jira_url, gitlab_url=services.settings.gitlab_url)


def run_page(told: Story, *, jira_url: str, gitlab_url: str) -> Response[str]:
    """Return the page of a run's story."""
    total = told.costs.total
    return _page(
        "run.html.j2",
        story=told,
        requests=[_request(told, one) for one in told.merge_requests],
        costs=[*told.costs.by_phase.items(), ("all", total)],
        read=total.cache_read,
        input=total.cache_read + total.uncached + total.cache_write_5m + total.cache_write_1h,
        turning_points=turning_points(told),
        done=Counter(act.name for act in told.effects if act.state == "done"),
        trouble=sum(act.state in {"pending", "given_up"} for act in told.effects),
        jira_url=jira_url.rstrip("/"),
        gitlab_url=gitlab_url.rstrip("/"),
    )


class _Request(Struct, frozen=True, kw_only=True):
    """A merge request as the page shows it."""

    request: MergeRequest
    target_pipeline: TargetPipelineStatus
    target_url: str
    is_nobody_asked: bool


def _request(story: Story, request: MergeRequest) -> _Request:
    target_pipeline, url = review_state.target_pipeline(story, request)
    return _Request(
        request=request,
        target_pipeline=target_pipeline,
        target_url=url,
        is_nobody_asked=request.state == "opened" and request.has_reviewer is False,
    )


@get("/remedies", guards=[guard])
async def remedies(services: NamedDependency[Services]) -> Response[str]:
    """Show how far remedies came."""
    async with services.database.begin() as session:
        counts = await remedy_counts.by_state(session, since=services.clock() - REMEDIES_SINCE)
    return _page(
        "remedies.html.j2",
        remedies=figures(counts),
        days=REMEDIES_SINCE.days,
        jira_url=services.settings.jira_url.rstrip("/"),
        gitlab_url=services.settings.gitlab_url.rstrip("/"),
    )


HANDLERS = [enter, start, run, remedies]
