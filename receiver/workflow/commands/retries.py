"""What `retry` does: another attempt, from a phase on, of what is known, with what a person says. Performs no I/O."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from msgspec import Struct

from pipelines.language import Diagnosis, DiagnosisKind, Phase, PhaseReport, ProjectPath
from pipelines.language.catalogue import Catalogue
from receiver.workflow import diagnoses
from receiver.workflow.attempts import next_attempt
from receiver.workflow.commands.given_command import Circumstances, Given, Refused
from receiver.workflow.effects import CancelPipeline, Effect
from receiver.workflow.messages import NoteMessage
from receiver.workflow.outcomes import begun, moved
from receiver.workflow.run import Cause, Decision, Run, RunStatus
from receiver.workflow.stages import plans
from receiver.workflow.stages.start import transition

FIRST: Final = (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION)
"""Phases from which on an attempt can be made: what follows them depends on them."""

NEVER_BEGAN: Final = "It ended before its first attempt began: set the label again for a new run."
RESTRICTED: Final = "Its ticket was restricted: set the label again for a run that is confidential from its beginning."
SAY_WHAT: Final = "Say what is to be different: `/bug-fix revise -- what`."
NO_PHASE: Final = "An attempt begins with {first}; `{phase}` follows from them."
NOT_KNOWN: Final = "`{word}` is neither a phase nor a repository of this bug fix.{nearest} Repositories: {known}."


class _Part(Struct, frozen=True, kw_only=True):
    """What somebody wants made again."""

    phase: Phase | None = None
    repository: ProjectPath | None = None

    def repeats(self, report: PhaseReport) -> bool:
        """Return whether a report is to be made again though it still holds."""
        if self.phase is Phase.ANALYSIS:
            return True
        is_asked = self.repository in {None, report.repository}
        return self.phase is Phase.REPRODUCTION and report.phase is Phase.REPRODUCTION and is_asked

    def __str__(self) -> str:
        """Return it for people, ` from reproduction on, of payk12/api`."""
        since = f" from {self.phase} on" if self.phase else ""
        return f"{since} of {self.repository}" if self.repository else since


def retry(given: Given, run: Run, now: Circumstances) -> Decision | Refused:
    """Make another attempt."""
    if run.iteration == 0:
        return Refused(NEVER_BEGAN)
    if run.is_withdrawn:
        return Refused(RESTRICTED)
    part = _part(given, run, now.catalogue)
    if isinstance(part, Refused):
        return part
    return again(
        given,
        run,
        now,
        cause=Cause.RETRIED,
        reason=f"{given.who} wants another attempt{part}.",
        part=part,
    )


def revise(given: Given, run: Run, now: Circumstances) -> Decision | Refused:
    """Make the fix anew with what a reviewer says."""
    if not given.command.hint:
        return Refused(SAY_WHAT)
    at = given.message
    where = next((m.repository for m in run.merge_requests if isinstance(at, NoteMessage) and m.is_at(at)), None)
    part = _Part(phase=Phase.IMPLEMENTATION, repository=where)
    return again(given, run, now, cause=Cause.REVISED, reason=f"{given.who} wants the fix revised.", part=part)


_ALL: Final = _Part()


def again(given: Given, run: Run, now: Circumstances, *, cause: Cause, reason: str, part: _Part = _ALL) -> Decision:
    """Begin an attempt that is told what went wrong before and what the person says."""
    attempt = next_attempt(
        run,
        cause,
        catalogue=now.catalogue,
        diagnoses=(
            *_hint(given, part),
            *(diagnoses.of_report(one) for one in run.discarded),
            *(run.diagnoses if run.status is RunStatus.RUNNING else ()),  # of an attempt that comes to no end
        ),
        approved_by=run.approved_by,
        without=lambda report: part.repeats(report) or not plans.leads_on(run, report, now.catalogue.policy),
    )
    started = transition(now.catalogue.jira.transitions.started)
    if run.status is not RunStatus.RUNNING:
        return begun(run, reason, *started, attempt=attempt, queue=now.queue, now=now.now)
    said = f"{reason} Its pipeline is being created; the one before is cancelled."
    return moved(run, RunStatus.STARTING, said, *_cancelled(run), *started, now=now.now, attempt=attempt)


def _cancelled(run: Run) -> tuple[Effect, ...]:
    above = run.parent
    if above is None:
        return ()
    reason = f"Another attempt of run {run.id} was asked for."
    return (CancelPipeline(project_id=above.project_id, pipeline=above.pipeline, reason=reason),)


def _hint(given: Given, part: _Part) -> tuple[Diagnosis, ...]:
    said = given.command.hint
    kind = DiagnosisKind.HINT
    return (Diagnosis(kind=kind, phase=part.phase, repository=part.repository, messages=(said,)),) if said else ()


def _part(given: Given, run: Run, catalogue: Catalogue) -> _Part | Refused:
    """Read which phase and which repository somebody names, in either order."""
    part = _Part()
    named = {catalogue.repositories[path].key: path for path in run.repositories if path in catalogue.repositories}
    places = {name.casefold(): path for path in run.repositories for name in (path, path.rpartition("/")[2])}
    places |= {key.casefold(): path for key, path in named.items()}
    for word in given.command.arguments:
        said = word.casefold()
        if said in set(Phase) and part.phase is None:
            part = _Part(phase=Phase(said), repository=part.repository)
        elif said in places and part.repository is None:
            part = _Part(phase=part.phase, repository=places[said])
        else:
            near = get_close_matches(said, [*FIRST, *places], n=1)
            nearest = f" Did you mean `{near[0]}`?" if near else ""
            known = ", ".join(named) or "none yet"
            return Refused(NOT_KNOWN.format(word=word.replace("`", "'"), nearest=nearest, known=known))
    if part.phase not in {None, *FIRST}:
        return Refused(NO_PHASE.format(phase=part.phase, first=", ".join(FIRST[:-1]) + f" or {FIRST[-1]}"))
    return part
