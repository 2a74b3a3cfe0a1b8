"""Render notes from their views: the one place that loads templates/notes. Whatever a template puts out is escaped."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.model import Phase, ProjectPath, SuiteResult
from receiver.notes import markup
from receiver.notes.markup import GITLAB_MARKER, MARKER, Raw
from receiver.notes.view import NoteView
from receiver.workflow.run import RunStatus

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates" / "notes"

STATES: Final[dict[RunStatus, tuple[str, str]]] = {
    RunStatus.ADMITTING: ("being looked at", "Nobody has to do anything yet."),
    RunStatus.STARTING: ("starting", "Nobody has to do anything yet."),
    RunStatus.RUNNING: ("at work", "Nobody has to do anything yet."),
    RunStatus.OPENING: ("opening the merge request", "Nobody has to do anything yet."),
    RunStatus.IN_REVIEW: ("waiting for review", "You need to: review"),
    RunStatus.MERGED: ("merged", "Nothing is left to do."),
    RunStatus.REFUSED: ("refused", ""),
    RunStatus.NOT_REPRODUCED: (
        "not reproduced",
        "You need to: add exact steps and what you expected to the ticket, then set the label again.",
    ),
    RunStatus.DECLINED: (
        "nothing to fix",
        "You need to: answer on the ticket, then set the label again if it is a bug.",
    ),
    RunStatus.ESCALATED: ("needs a person", ""),
    RunStatus.FAILED: ("stopped by its surroundings", ""),
    RunStatus.CANCELLED: ("cancelled", ""),
    RunStatus.CLOSED: ("closed without merging", ""),
}
"""State in a few words, and whose turn it is; empty where the run's reason says that."""

COLUMNS: Final = (Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.MERGE_REQUEST)

MAX_STEPS: Final = 20
MAX_CHANGES: Final = 20


def render_ticket_note(view: NoteView) -> str:
    """Return the status comment on the ticket, in Jira's wiki markup."""
    return _render("ticket_note.jira.j2", _wiki(), view=view)


def render_refusal(text: str, *, run: str) -> str:
    """Return the comment that says why nothing was started, in Jira's wiki markup."""
    return _render("refusal.jira.j2", _wiki(), text=text, run=run)


def render_merge_request_note(view: NoteView, *, repository: ProjectPath) -> str:
    """Return the status note on a merge request, in GitLab's Markdown."""
    return _render("merge_request_note.md.j2", _markdown(), view=view, repository=repository)


def render_merge_request_description(view: NoteView, *, repository: ProjectPath, evidence: tuple[str, ...] = ()) -> str:
    """Return a merge request's description, in GitLab's Markdown. `evidence`: GitLab's own Markdown of our uploads."""
    shown = [one for text in evidence if (one := markup.upload(text)) is not None]
    return _render("merge_request_description.md.j2", _markdown(), view=view, fix=view.fix(repository), evidence=shown)


def money(value: Decimal | None) -> Raw:
    """Return dollars for people; an unknown cost is said to be unknown."""
    return Raw("unknown" if value is None else f"${value:.2f}")


def spent(view: NoteView) -> Raw:
    """Return the run's cost against its budget."""
    known = money(view.known_usd) if view.cost_usd is not None else f"at least {money(view.known_usd)}"
    return Raw(f"{known} of {money(view.budget_usd)}")


def suite(result: SuiteResult | None) -> Raw:
    """Return passed and run tests, `41/41`."""
    if result is None:
        return Raw("not run")
    return Raw(f"{result.passed}/{result.passed + result.failed + result.errors}")


def words(value: str) -> str:
    """Return a phase or status as words."""
    return value.replace("_", " ")


def _render(name: str, environment: Environment, **values: Any) -> str:  # noqa: ANN401  # whatever the template shows
    lines = environment.get_template(name).render(**values).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


@functools.cache
def _markdown() -> Environment:
    return _environment(markup.gitlab, link=markup.gitlab_link, code=markup.gitlab_code)


@functools.cache
def _wiki() -> Environment:
    return _environment(markup.jira, link=markup.jira_link)


def _environment(escape: Callable[[str], Raw], **markups: Callable[..., Raw]) -> Environment:
    def finalize(value: object) -> str:
        return value if isinstance(value, Raw) else escape(str(value))

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701  # HTML's escaping is not enough for Markdown; finalize escapes whatever is put out
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "money": money,
        "suite": suite,
        "words": words,
        "line": markup.line,
        "sentence": markup.sentence,
    } | markups
    found.globals |= {
        "STATES": STATES,
        "COLUMNS": COLUMNS,
        "MARKER": Raw(MARKER),
        "GITLAB_MARKER": Raw(GITLAB_MARKER),
        "MAX_STEPS": MAX_STEPS,
        "MAX_CHANGES": MAX_CHANGES,
        "spent": spent,
    }
    return found
