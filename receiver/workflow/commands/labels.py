"""Decide what labels that people set and take off mean for a run that goes on. Performs no I/O.

What a label says is said by whoever changed it: who may is as for the command of the same meaning.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec import Struct

from receiver import limits
from receiver.comments.command_line import Command
from receiver.workflow import lifecycle
from receiver.workflow.commands import command_refusals, pauses, permissions, retries, stops
from receiver.workflow.commands.command_meanings import Meaning
from receiver.workflow.commands.command_table import RULES, CommandWord
from receiver.workflow.commands.given_command import Circumstances, Given, Refused
from receiver.workflow.effects import CheckLabel, CommentRefusal
from receiver.workflow.events.ticket_events import IssueLabelled, LabelChange, LabelChanged, LabelChecked
from receiver.workflow.messages import TerminalMessage
from receiver.workflow.outcomes import acted, ignored, noted
from receiver.workflow.person import AccountId
from receiver.workflow.run import Decision, Run, RunStatus


class LabelRule(Struct, frozen=True, kw_only=True):
    """What changing a label means in some statuses."""

    change: LabelChange
    word: CommandWord
    """The command of the same meaning: who may give it may change the label."""
    does: Meaning
    when: frozenset[RunStatus]
    with_merge_requests: bool = True
    """It means something also when the run has merge requests."""
    only_held: bool = False
    """It means something only while the run is held."""
    after: timedelta = timedelta()

    def holds(self, run: Run) -> bool:
        """Return whether it is about a run as it is."""
        is_idle = self.only_held and not run.is_held and run.status is not RunStatus.PAUSED
        return run.status in self.when and not is_idle and (self.with_merge_requests or not run.merge_requests)


DID: Final[dict[LabelChange, str]] = {
    LabelChange.REMOVED: "took the start label off",
    LabelChange.SET_AGAIN: "set the start label again",
    LabelChange.HELD: "set the label that pauses",
    LabelChange.RELEASED: "took off the label that pauses",
}
"""What the person did, for people."""

_GOES_ON: Final = lifecycle.ACTIVE | lifecycle.RETRIED
"""Something is at work, or can begin."""
_BEFORE_REVIEW: Final = lifecycle.ACTIVE - {RunStatus.OPENING, RunStatus.IN_REVIEW}

RULES_OF_LABELS: Final[tuple[LabelRule, ...]] = (
    LabelRule(
        change=LabelChange.REMOVED,
        word=CommandWord.CANCEL,
        does=stops.cancel,
        when=_BEFORE_REVIEW,
        with_merge_requests=False,
        after=limits.LABEL_TAKEN_OFF,
    ),
    LabelRule(
        change=LabelChange.REMOVED,
        word=CommandWord.CANCEL,
        does=stops.by_hand,
        when=frozenset({RunStatus.ESCALATED}),
        after=limits.LABEL_TAKEN_OFF,
    ),
    LabelRule(
        change=LabelChange.SET_AGAIN,
        word=CommandWord.RETRY,
        does=retries.retry,
        when=frozenset({RunStatus.RUNNING}),
    ),
    LabelRule(change=LabelChange.HELD, word=CommandWord.PAUSE, does=pauses.held, when=_GOES_ON),
    LabelRule(
        change=LabelChange.RELEASED, word=CommandWord.RESUME, does=pauses.released, when=_GOES_ON, only_held=True
    ),
)
"""Labels that steer, besides the start label where nothing is at work."""


class NoMeaning(Struct, frozen=True, kw_only=True):
    """A change of a label that means nothing, though whoever made it meant something by it."""

    change: LabelChange
    when: frozenset[RunStatus]
    why: str
    """A sentence for the author; `{status}` is the run's."""


MEANS_NOTHING: Final[tuple[NoMeaning, ...]] = (
    NoMeaning(
        change=LabelChange.REMOVED,
        when=lifecycle.ACTIVE - {RunStatus.IN_REVIEW, RunStatus.PAUSED},
        why="Once a merge request is opened the start label cancels nothing, and the bug fix is {status}: "
        "say `/bug-fix cancel`.",
    ),
    NoMeaning(
        change=LabelChange.HELD,
        when=lifecycle.FINAL - _GOES_ON - {RunStatus.REFUSED},
        why=RULES[CommandWord.PAUSE].not_now,
    ),
)
"""Told to whoever changed the label. Labels that people tidy up afterwards are left alone."""


def changed(event: LabelChanged, run: Run) -> Decision:
    """See who changed a label, where that means something."""
    return _check(event.change, run, actor=event)


def set_again(event: IssueLabelled, run: Run) -> Decision:
    """Take the start label that was taken off a moment ago, and set again, as the wish for another attempt."""
    return _check(LabelChange.SET_AGAIN, run, actor=event)


def _check(change: LabelChange, run: Run, *, actor: LabelChanged | IssueLabelled) -> Decision:
    did = f"{actor.actor_name or 'Somebody'} {DID[change]}"
    rule = _rule(change, run)
    if rule is None:
        return _without_meaning(change, run, did, actor=actor.actor)
    wanted = CheckLabel(
        change=change, actor=actor.actor, actor_name=actor.actor_name, due_in_s=rule.after.total_seconds()
    )
    return acted(f"{did}; it is seen to who that is.", wanted)


def _without_meaning(change: LabelChange, run: Run, did: str, *, actor: AccountId) -> Decision:
    nothing = next((one for one in MEANS_NOTHING if one.change is change and run.status in one.when), None)
    if nothing is None:
        return noted(f"{did}; the run is {run.status}.")
    why = nothing.why.format(status=run.status.replace("_", " "))
    return acted(f"{did}, which changes nothing. {why}", _told(run, why, author=actor))


def _told(run: Run, why: str, *, author: AccountId | None) -> CommentRefusal:
    return CommentRefusal(issue_key=run.issue_key, text=why, heading="the label changes nothing", author=author)


UNREAD: Final = "It could not be read who changed a label, so nothing was done: {why} Change it again in a while."


def unread(run: Run, why: str, *, author: AccountId | None) -> Decision:
    """Say that a label was not obeyed because Jira did not answer: in doubt nothing is done."""
    text = UNREAD.format(why=why)
    return acted(f"What somebody did to a label changes nothing. {text}", _told(run, text, author=author))


def _rule(change: LabelChange, run: Run) -> LabelRule | None:
    return next((one for one in RULES_OF_LABELS if one.change is change and one.holds(run)), None)


def checked(event: LabelChecked, run: Run, circumstances: Circumstances) -> Decision:
    """Do what a label says, if whoever changed it may say so."""
    did = f"{event.author.called} {DID[event.change]}"
    if not event.still:
        return ignored(f"{did}, and it was set back.")
    rule = _rule(event.change, run)
    if rule is None:
        return _without_meaning(event.change, run, did, actor=event.author.account)
    why = _why_not(rule.word, event, circumstances)
    if why:
        return acted(f"{did}, which changes nothing. {why}", _told(run, why, author=event.author.account))
    said = Given(command=Command(word=rule.word), person=event.author, message=TerminalMessage(request="label"))
    decision = rule.does(said, run, circumstances)
    if isinstance(decision, Refused):
        return acted(decision.why, _told(run, decision.why, author=event.author.account))
    return decision


def _why_not(word: CommandWord, event: LabelChecked, circumstances: Circumstances) -> str:
    person, grants = event.author, circumstances.grants
    if person.unknown_because:
        return command_refusals.UNCHECKED.format(why=person.unknown_because)
    who = permissions.in_words(command_refusals.grants_of(word, grants))
    return "" if command_refusals.may(person, word, grants) else command_refusals.MAY_NOT.format(command=word, who=who)
