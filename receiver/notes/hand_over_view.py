"""Content of a run's hand-over to people, as data, from its story. Holds untrusted text, which rendering escapes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from pipelines.language import ProjectPath
from pipelines.language.catalogue import Catalogue
from pipelines.language.diagnosis import sentence, sentences
from receiver.notes.markup import Raw
from receiver.notes.view import NoteView
from receiver.store.story import Story
from receiver.workflow import open_questions
from receiver.workflow.open_questions import OpenQuestion
from receiver.workflow.run import RunStatus


class AttemptLine(Struct, frozen=True, kw_only=True):
    """One attempt, and what became of it."""

    number: int
    cause: str
    diagnosis: str
    """Why it failed; empty: not told, or it did not."""
    cost_usd: Decimal | None
    """None: partly unknown."""


class HandOverView(Struct, frozen=True, kw_only=True):
    """All that people need to go on where the run stopped."""

    note: NoteView
    is_open: bool
    """It still waits for people; False: somebody took it up, or it was closed."""
    question: OpenQuestion
    attempts: tuple[AttemptLine, ...]
    branch: str = ""
    """Holds the work so far; empty: nothing was committed."""
    repository: ProjectPath | None = None
    """Where to look first."""
    commands: tuple[str, ...] = ()
    """What reproduces it in a shell; empty where no repository is known."""

    @property
    def shell(self) -> Raw:
        """Return the commands as text of a block; they are made of the catalogue and of names without blanks."""
        return Raw("\n".join(self.commands).replace("{noformat}", "").replace("```", ""))


def of(story: Story, note: NoteView, catalogue: Catalogue) -> HandOverView:
    """Return the hand-over of a run as its story has it."""
    repository = _first(story, note)
    branch = story.run.branch if any(one.repository == repository for one in story.merge_requests) else ""
    return HandOverView(
        note=note,
        is_open=note.status is RunStatus.ESCALATED,
        question=story.escalation or open_questions.of(story.run.reason_code, iteration=story.run.iteration),
        attempts=tuple(_attempts(story)),
        branch=branch,
        repository=repository,
        commands=() if repository is None else _commands(note, catalogue, repository, branch),
    )


def _first(story: Story, note: NoteView) -> ProjectPath | None:
    """Return where it failed, else the first repository with a merge request, else the first of the plan."""
    failed = story.run.diagnosis.repository if story.run.diagnosis else None
    known = [one.repository for one in note.merge_requests] + [one.repository for one in note.fixes]
    return failed or next(iter(known), None)


def _attempts(story: Story) -> Iterator[AttemptLine]:
    after = {one.number - 1: one.diagnoses for one in story.iterations}
    for one in story.iterations:
        told = [each for each in after.get(one.number, ()) if each.attempt in {0, one.number}]
        is_last = one.number == story.run.iteration
        ended = sentence(story.run.diagnosis) if is_last and story.run.diagnosis else ""
        costs = [part.cost.cost_usd for part in story.costs.parts if part.iteration == one.number]
        yield AttemptLine(
            number=one.number,
            cause=one.cause,
            diagnosis=sentences(told) if told else ended,
            cost_usd=None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0)),
        )


def _commands(note: NoteView, catalogue: Catalogue, repository: ProjectPath, branch: str) -> tuple[str, ...]:
    host, _, _ = note.pipeline_url.partition(f"/{catalogue.automation_project}/-/")
    known = catalogue.repositories.get(repository)
    if not note.pipeline_url or known is None:
        return ()
    name = repository.rpartition("/")[2]
    test = known.stack.commands.test or known.stack.commands.integration or "git log -1"
    steps = [one for one in (known.stack.commands.install, test) if one]
    return (
        f"git clone {host}/{repository}.git && cd {name}",
        f"git checkout {branch}" if branch else "git log -1 --oneline",
        " && ".join(" ".join(one.split()) for one in steps),
    )
