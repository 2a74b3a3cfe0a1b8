"""Render notes from their views with templates/notes. Escapes every value that a template outputs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.language import ArtifactKind, Phase, Plan, ProjectPath, Severity
from pipelines.resources import TEMPLATES
from receiver.notes import check_figures, markup, merge_blockers
from receiver.notes.answer_view import AnswerView
from receiver.notes.hand_over_view import HandOverView
from receiver.notes.markup import GITLAB_MARKER, MARKER, Raw
from receiver.notes.view import EvidenceLink, Fate, FixView, Moment, NoteView, Review
from receiver.workflow.effects import AnswerComment, AnswerNote, AnswerTopic
from receiver.workflow.run import RunStatus

NOTES: Final = TEMPLATES / "notes"

STATES: Final[dict[RunStatus, tuple[str, str]]] = {
    RunStatus.ADMITTING: ("being looked at", "Nobody has to do anything yet."),
    RunStatus.QUEUED: ("waiting for its turn", "Nobody has to do anything yet; to withdraw it, remove the label."),
    RunStatus.STARTING: ("starting", "Nobody has to do anything yet."),
    RunStatus.RUNNING: ("at work", "Nobody has to do anything yet."),
    RunStatus.NEEDS_INFORMATION: (
        "waiting for information",
        "You need to: answer the question in a comment on this ticket.",
    ),
    RunStatus.AWAITING_APPROVAL: (
        "waiting for approval",
        "You need to: read the plan, and answer `/bug-fix approve` if it is right.",
    ),
    RunStatus.OPENING: ("opening the merge request", "Nobody has to do anything yet."),
    RunStatus.IN_REVIEW: ("waiting for review", "You need to: review"),
    RunStatus.PAUSED: ("paused", "You need to: say `/bug-fix resume` when it is to go on."),
    RunStatus.MERGED: ("merged", "Nothing is left to do."),
    RunStatus.REFUSED: ("refused", ""),
    RunStatus.NOT_REPRODUCED: (
        "not reproduced",
        "You need to: add exact steps and what you expected to the ticket, then set the label again.",
    ),
    RunStatus.DECLINED: ("nothing to fix", ""),
    RunStatus.ESCALATED: ("needs a person", ""),
    RunStatus.FAILED: ("stopped by its surroundings", ""),
    RunStatus.CANCELLED: ("cancelled", ""),
    RunStatus.CLOSED: ("closed without merging", ""),
}
"""State in a few words, and who has to act; empty where the run's reason says it."""

NEEDS_READING: Final = frozenset(
    {
        *(RunStatus.ESCALATED, RunStatus.FAILED, RunStatus.NOT_REPRODUCED, RunStatus.DECLINED),
        *(RunStatus.CANCELLED, RunStatus.CLOSED, RunStatus.AWAITING_APPROVAL),
    }
)
"""Statuses in which a note that withholds the reason refers people to the run's story."""

COLUMNS: Final = (Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST)
"""Columns of a status note; review is shown only if one ran."""

MAX_STEPS: Final = 20
MAX_CHANGES: Final = 20
MAX_FINDINGS: Final = 20
MAX_ROWS: Final = 3
"""Repositories that a status note shows unfolded."""
MAX_BLOCKS: Final = 2
"""Merge blockers that a status note shows unfolded."""
MAX_TICKET_BLOCKS: Final = 4
"""Merge blockers on the ticket, of all merge requests together."""

PICTURES: Final = (ArtifactKind.SCREENSHOT, ArtifactKind.VIDEO)
"""Evidence that is shown side by side; other evidence is linked."""

SEVERITIES: Final[dict[Severity, tuple[str, str]]] = {
    Severity.MUST_FIX: ("must be fixed", "must be fixed"),
    Severity.SHOULD_FIX: ("should be fixed", "should be fixed"),
    Severity.NOTE: ("note", "notes"),
}
"""Singular and plural label of each severity, the highest first."""


class WithheldError(Exception):
    """The run's findings must not be shown to these readers; the caller has a bug."""


def _require_told(view: NoteView) -> None:
    if not view.is_told:
        raise WithheldError(f"What run {view.run} found is {view.audience}; it may not be told to {view.readers}.")


def render_ticket_note(view: NoteView, *, suffix: str = "") -> str:
    """Return the status comment on the ticket, in Jira's wiki markup. `suffix`: end of its marker."""
    blocks = [
        (request, sentence)
        for request in view.merge_requests
        if view.status is RunStatus.IN_REVIEW and request.state == "opened"
        for sentence in merge_blockers.of(view, request.repository)
    ]
    asides = [
        (request, sentence)
        for request in view.merge_requests
        for sentence in merge_blockers.remarks(view, request.repository)
    ]
    return _render("ticket_note.jira.j2", _wiki(), view=view, blocks=blocks, asides=asides, suffix=Raw(suffix))


def render_refusal(text: str, *, run: str, suffix: str = "", heading: str = "not started") -> str:
    """Return the comment that says why no run was started, in Jira's wiki markup."""
    return _render("refusal.jira.j2", _wiki(), text=text, heading=heading, run=run, suffix=Raw(suffix))


def render_question(view: NoteView, *, suffix: str) -> str:
    """Return the comment with the question to the reporter, in Jira's wiki markup. Raises WithheldError."""
    _require_told(view)
    return _render("question.jira.j2", _wiki(), view=view, suffix=Raw(suffix))


def render_plan(view: NoteView, plan: Plan, *, fate: Fate, suffix: str) -> str:
    """Return the comment with a plan that needs or needed approval, in Jira's wiki markup. Raises WithheldError."""
    _require_told(view)
    return _render("plan.jira.j2", _wiki(), view=view, plan=plan, fate=fate, suffix=Raw(suffix))


def render_hand_over(view: HandOverView, *, suffix: str) -> str:
    """Return the comment that hands a run over to people, in Jira's wiki markup. Raises WithheldError."""
    _require_told(view.note)
    return _render("hand_over.jira.j2", _wiki(), view=view, suffix=Raw(suffix))


def render_hand_over_note(view: HandOverView, *, suffix: str) -> str:
    """Return the note that hands a run over to people, in GitLab's Markdown; neutral where it may not be told."""
    return _render("hand_over.md.j2", _markdown(), view=view, suffix=Raw(suffix))


def render_answer(text: str, *, to: str, run: str, suffix: str) -> str:
    """Return a sentence to a person, in Jira's wiki markup. `to`: the person's name, or empty."""
    return _render("answer.jira.j2", _wiki(), text=text, to=to, run=run, suffix=Raw(suffix), topic=AnswerTopic.SENTENCE)


def render_ticket_answer(effect: AnswerComment, view: AnswerView, *, suffix: str) -> str:
    """Return the answer to a command on the ticket, in Jira's wiki markup."""
    return _render("answer.jira.j2", _wiki(), **_answer(effect, view), suffix=Raw(suffix))


def render_note_answer(effect: AnswerNote, view: AnswerView, *, suffix: str) -> str:
    """Return the answer to a command on a merge request, in GitLab's Markdown."""
    return _render("answer.md.j2", _markdown(), **_answer(effect, view), suffix=Raw(suffix))


def _answer(effect: AnswerComment | AnswerNote, view: AnswerView) -> dict[str, Any]:
    return {
        "topic": effect.topic,
        "text": effect.text,
        "to": effect.name,
        "run": view.note.run,
        "view": view.note,
        "moments": view.moments,
        "commands": view.commands,
    }


def render_merge_request_note(view: NoteView, *, repository: ProjectPath) -> str:
    """Return the status note on a merge request, in GitLab's Markdown."""
    fix, mine = view.fix(repository), view.merge_request(repository)
    others = [other for other in view.fixes if other.repository != repository]
    shown = [phase for phase in COLUMNS if phase is not Phase.REVIEW or any(p.phase is phase for p in view.phases)]
    return _render(
        "merge_request_note.md.j2",
        _markdown(),
        view=view,
        fix=fix,
        mine=mine,
        fixes=[fix, *others],
        columns=shown,
        blocks=merge_blockers.of(view, repository),
        asides=merge_blockers.remarks(view, repository),
        remarks=[*view.remarks, *(one.sentence for one in view.review_remarks if one.repository == repository)],
        is_linked=any(one.repository != repository for one in view.merge_requests),
    )


def render_merge_request_description(
    view: NoteView,
    *,
    repository: ProjectPath,
    evidence: tuple[EvidenceLink, ...] = (),
    remarks: tuple[str, ...] = (),
    test: str = "",
) -> str:
    """Return a merge request's description, in GitLab's Markdown.

    `remarks` are sentences on what the difference itself shows, so they stand in a confidential description as well.
    `test` is the text of the reproduction.
    """
    if not view.is_told:
        return _render(
            "merge_request_confidential.md.j2", _markdown(), view=view, fix=view.fix(repository), remarks=remarks
        )
    shown = {(one.kind, one.moment): text for one in evidence if (text := markup.upload(one.markdown)) is not None}
    gallery = [
        (kind, shown.get((kind, Moment.BEFORE), Raw("")), shown.get((kind, Moment.AFTER), Raw("")))
        for kind in PICTURES
        if any(of is kind for of, _ in shown)
    ]
    files = [text for (kind, _), text in shown.items() if kind not in PICTURES]
    return _render(
        "merge_request_description.md.j2",
        _markdown(),
        view=view,
        fix=view.fix(repository),
        gallery=gallery,
        files=files,
        remarks=remarks,
        test=markup.gitlab_code_block(test),
    )


def findings(review: Review) -> Raw:
    """Return the number of findings of each severity, in words."""
    return check_figures.listed(
        f"{count} {names[0] if count == 1 else names[1]}"
        for severity, names in SEVERITIES.items()
        if (count := review.count(severity))
    )


def level(view: NoteView, fix: FixView) -> str:
    """Return the level of the risk: the plan's, or high for partial work and where old tests do not hold. Untrusted."""
    return "high" if fix.needs_people or view.status is RunStatus.ESCALATED else view.risk or "unknown"


def risk(view: NoteView, fix: FixView) -> str:
    """Return the plan's risk and the agent's reason, without repeating the level. Untrusted."""
    named, why = level(view, fix), fix.risk or view.risk_reason
    if fix.needs_people:
        return f"{named}, and merged by people only: tests of the base commit do not hold. {why}"
    if view.status is RunStatus.ESCALATED:
        return f"{named}: it fails. Of the whole fix was planned: {view.risk or 'unknown'}. {why}"
    repeated = re.match(rf"{re.escape(named)}\b[\s.:,;–-]*", why, re.IGNORECASE)
    rest = why[repeated.end() :] if repeated else why
    return f"{named}: {rest}" if rest else named


def words(value: str) -> str:
    """Return the name of a phase or status with spaces."""
    return value.replace("_", " ")


def _render(name: str, environment: Environment, **values: Any) -> str:  # noqa: ANN401  # whatever the template shows
    lines = environment.get_template(name).render(**values).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


@functools.cache
def _markdown() -> Environment:
    return _environment(markup.gitlab, link=markup.gitlab_link, strong=markup.gitlab_strong, code=markup.gitlab_code)


@functools.cache
def _wiki() -> Environment:
    return _environment(
        markup.jira,
        link=markup.jira_link,
        strong=markup.jira_strong,
        code=markup.jira_code,
        thumbnail=markup.jira_thumbnail,
        text=markup.jira_text,
    )


def _environment(escape: Callable[[str, int], Raw], **markups: Callable[..., Raw]) -> Environment:
    def finalize(value: object) -> str:
        if isinstance(value, Raw):
            return value
        return escape(str(value), len(value) if isinstance(value, markup.Line) else markup.LIMIT)

    found = Environment(
        loader=FileSystemLoader(NOTES),
        autoescape=False,  # noqa: S701  # HTML escaping is not enough for Markdown; finalize escapes every value
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "money": check_figures.money,
        "tests": check_figures.tests,
        "rows": check_figures.rows,
        "figures": check_figures.line,
        "share": check_figures.share,
        "findings": findings,
        "words": words,
        "line": markup.line,
        "sentence": markup.sentence,
    } | markups
    found.globals |= {
        "STATES": STATES,
        "SEVERITIES": SEVERITIES,
        "NEEDS_READING": NEEDS_READING,
        "MARKER": Raw(MARKER),
        "GITLAB_MARKER": Raw(GITLAB_MARKER),
        "MAX_STEPS": MAX_STEPS,
        "MAX_CHANGES": MAX_CHANGES,
        "MAX_FINDINGS": MAX_FINDINGS,
        "MAX_ROWS": MAX_ROWS,
        "MAX_BLOCKS": MAX_BLOCKS,
        "MAX_TICKET_BLOCKS": MAX_TICKET_BLOCKS,
        "risk": risk,
        "level": level,
        "spent": check_figures.spent,
    }
    return found
