"""What all pages share: the frame around them, times and people as they are shown, and a policy that runs no script."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sandbox.ci.instance.instance import Ci
from sandbox.gitlab.model import Project
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response

STYLE: Final = (Path(__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; form-action 'none'"
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A time as it is shown."""

    iso: str
    full: str
    ago: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user as shown."""

    name: str
    username: str
    initials: str
    hue: int


class Pages:
    """What pages read: the state, and the CI engine where there is one."""

    def __init__(self, state: State, ci: Ci | None) -> None:
        self.state = state
        self.ci = ci
        self._templates = Environment(
            loader=PackageLoader("sandbox.gitlab_pages", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def project(self, request: Request) -> Project:
        """Give the route's project; whatever else is asked for is unknown to the emulator, and said so."""
        found = self.state.project(request.params["project"])
        if found is None:
            sentence = f"the GitLab emulator does not know {request.method} {request.path}"
            raise HttpError(404, {"error": sentence, "unknown_route": True})
        return found

    def render(
        self, template: str, context: Mapping[str, Any], *, title: str, project: Project | None, section: str = ""
    ) -> Response:
        """Make a page."""
        text = self._templates.get_template(template).render(
            {"live": False, **context},
            style=Markup(STYLE),  # noqa: S704 - our own style sheet
            title=title,
            project=project,
            section=section,
            navigation=self._navigation(project) if project else (),
        )
        headers = {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": POLICY,
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
        }
        return Response(body=text.encode(), headers=headers)

    def _navigation(self, project: Project) -> tuple[tuple[str, str, str, int | None], ...]:
        opened = sum(mr.state == "opened" for mr in project.merge_requests.values())
        return (
            ("project", "Repository", "", None),
            ("merge_requests", "Merge requests", "/-/merge_requests", opened),
            ("pipelines", "Pipelines", "/-/pipelines", self.pipeline_count(project)),
        )

    def pipeline_count(self, project: Project) -> int:
        """Count a project's pipelines, children apart."""
        every = self.ci.engine.pipelines.values() if self.ci else ()
        return sum(one.project_id == project.id and one.parent is None for one in every)

    def moment(self, at: datetime | None) -> Moment | None:
        """Show a time, seen from now."""
        if at is None:
            return None
        full = at.astimezone(UTC).strftime("%-d %b %Y, %H:%M:%S UTC")
        return Moment(iso=at.isoformat(), full=full, ago=ago((self.state.now() - at).total_seconds()))

    def person(self, user_id: int | None) -> Person:
        """Show a user; one that does not exist is nobody."""
        user = self.state.users.get(user_id or 0)
        name, username = (user.name, user.username) if user else ("Nobody", "nobody")
        initials = "".join(word[0] for word in name.replace("-", " ").split()[:2]).upper()
        hue = int(hashlib.sha256(username.encode()).hexdigest()[:4], 16) % 360
        return Person(name=name, username=username, initials=initials, hue=hue)


def ago(seconds: float) -> str:
    """Say how long ago something was."""
    for unit, size in _UNITS:
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def took(seconds: float | None) -> str:
    """Say how long something took; nothing when that is not known."""
    if seconds is None:
        return ""
    if 0 < seconds < 1:
        return "< 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} m {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} m"


def size(count: int) -> str:
    """Say how big a file is."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"
