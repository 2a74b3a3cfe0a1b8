"""What each command does to a run: one function a word. Performs no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pipelines.language.policy import TargetPipeline
from receiver.workflow.attempts import next_attempt, next_number
from receiver.workflow.commands import budget_raises, pauses, remedy_answers, retries, stops
from receiver.workflow.commands.command_table import CommandWord, is_of_remedy
from receiver.workflow.commands.given_command import Circumstances, Given, Refused, obeyed
from receiver.workflow.effects import AnswerTopic, RefreshTicket, RemedyAnswer, StartTargetPipeline
from receiver.workflow.messages import NoteMessage
from receiver.workflow.outcomes import acted, begun, noted
from receiver.workflow.person import Directory
from receiver.workflow.run import Cause, Decision, Run
from receiver.workflow.stages import start

UNSEEN: Final = (
    "The plan has changed since you wrote that, or was not shown yet: read the one that waits and approve again."
)
"""Said to an approval of whatever stood there before."""
NOT_HELD_BACK: Final = "Its own pipeline is not held back: it runs for every commit (`policy.target_pipeline`)."
ANOTHER_HEAD: Final = (
    "Another commit was pushed since you wrote that, or GitLab does not say when: look at it and say it again."
)


def begin(given: Given, run: Run, now: Circumstances) -> Decision:
    """Begin a run, as setting the label does; who may is asked once more when the ticket is read."""
    person = given.person
    return start.requested(
        run.issue_key,
        run=run,
        actor=None if person.directory is Directory.OPERATOR else person.account,
        actor_name=given.who,
        now=now.now,
        new_id=now.new_id,
    )


def approve(given: Given, run: Run, now: Circumstances) -> Decision | Refused:
    """Carry out the plan that waits, or take a remedy."""
    if is_of_remedy(given.command):
        return remedy_answers.answered(given, run, RemedyAnswer.ACCEPT)
    if given.plan != run.iteration:
        return Refused(UNSEEN)
    return begun(
        run,
        f"{given.who} approved the plan.",
        queue=now.queue,
        now=now.now,
        attempt=next_attempt(run, Cause.APPROVED, catalogue=now.catalogue, approved_by=given.person.account),
    )


def reject(given: Given, run: Run, _: Circumstances) -> Decision | Refused:
    """Read the ticket again, and have another plan made; or dismiss a remedy."""
    if is_of_remedy(given.command):
        return remedy_answers.answered(given, run, RemedyAnswer.REJECT)
    said = f"{given.who} rejected the plan."
    words = given.command.arguments[1:] if given.command.arguments[:1] == ("plan",) else given.command.arguments
    hint = " ".join([*words, given.command.hint]).strip()
    again = RefreshTicket(iteration=next_number(run), actor=None, because=said, hint=hint)
    return acted(f"{said} The ticket is read again for another one.", again)


def ci(given: Given, run: Run, now: Circumstances) -> Decision | Refused:
    """Start the repository's own pipeline, for the very commit that was there when it was said."""
    if now.catalogue.policy.target_pipeline is not TargetPipeline.SKIP_UNTIL_APPROVED:
        return Refused(NOT_HELD_BACK)
    at = given.message
    known = next((one for one in run.merge_requests if isinstance(at, NoteMessage) and one.is_at(at)), None)
    if known is None or not given.head_sha:
        return Refused(ANOTHER_HEAD)
    wanted = StartTargetPipeline(
        iteration=run.iteration,
        repository=known.repository,
        head_sha=given.head_sha,
        approved_by=int(given.person.account),
        is_asked=True,
    )
    name = f"{known.repository}!{known.iid}"
    return acted(f"{given.who} wants {name} tested: its own pipeline is started for {given.head_sha[:12]}.", wanted)


def _tells(topic: AnswerTopic) -> Meaning:
    def told(given: Given, _: Run, __: Circumstances) -> Decision:
        said = f"{given.who} asked: {topic}."
        return obeyed(noted(said), given, said, topic=topic)

    return told


Meaning = Callable[[Given, Run, Circumstances], Decision | Refused]
"""A decision without an answer is answered with its reason."""

MEANINGS: Final[Mapping[CommandWord, Meaning]] = {
    CommandWord.START: begin,
    CommandWord.RETRY: retries.retry,
    CommandWord.REVISE: retries.revise,
    CommandWord.ESCALATE: stops.escalate,
    CommandWord.CANCEL: stops.cancel,
    CommandWord.APPROVE: approve,
    CommandWord.REJECT: reject,
    CommandWord.CI: ci,
    CommandWord.PAUSE: pauses.pause,
    CommandWord.RESUME: pauses.resume,
    CommandWord.BUDGET: budget_raises.budget,
    CommandWord.STATUS: _tells(AnswerTopic.STATUS),
    CommandWord.COST: _tells(AnswerTopic.COST),
    CommandWord.EXPLAIN: _tells(AnswerTopic.EXPLAIN),
    CommandWord.HELP: _tells(AnswerTopic.HELP),
}
"""Of every command that is there (`CommandRule.later`)."""
