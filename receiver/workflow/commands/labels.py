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
from receiver.workflow.commands import command_refusals, permissions
from receiver.workflow.commands.command_meanings import MEANINGS
from receiver.workflow.commands.command_table import RULES, CommandWord
from receiver.workflow.commands.given_command import Circumstances, Given, Refused
from receiver.workflow.effects import CheckLabel, CommentRefusal
from receiver.workflow.events.ticket_events import IssueLabelled, LabelChange, LabelChanged, LabelChecked
from receiver.workflow.messages import TerminalMessage
from receiver.workflow.outcomes import acted, ignored, noted
from receiver.workflow.run import Decision, Run, RunStatus


class LabelRule(Struct, frozen=True, kw_only=True):
    """What changing a label means."""

    did: str
    """What the person did, for people."""
    word: CommandWord
    """The command of the same meaning."""
    when: frozenset[RunStatus]
    after: timedelta = timedelta()


_BEFORE_REVIEW: Final = lifecycle.ACTIVE - {RunStatus.OPENING, RunStatus.IN_REVIEW}

RULES_OF_LABELS: Final[dict[LabelChange, LabelRule]] = {
    LabelChange.REMOVED: LabelRule(
        did="took the start label off", word=CommandWord.CANCEL, when=_BEFORE_REVIEW, after=limits.LABEL_TAKEN_OFF
    ),
    LabelChange.SET_AGAIN: LabelRule(
        did="set the start label again", word=CommandWord.RETRY, when=frozenset({RunStatus.RUNNING})
    ),
    LabelChange.HELD: LabelRule(
        did="set the label that pauses", word=CommandWord.PAUSE, when=RULES[CommandWord.PAUSE].when
    ),
    LabelChange.RELEASED: LabelRule(
        did="took off the label that pauses", word=CommandWord.RESUME, when=RULES[CommandWord.RESUME].when
    ),
}
"""Labels that steer, besides the start label where nothing is at work."""


def changed(event: LabelChanged, run: Run) -> Decision:
    """See who changed a label, where that means something."""
    return _check(event.change, run, actor=event)


def set_again(event: IssueLabelled, run: Run) -> Decision:
    """Take the start label that was taken off a moment ago, and set again, as the wish for another attempt."""
    return _check(LabelChange.SET_AGAIN, run, actor=event)


def _check(change: LabelChange, run: Run, *, actor: LabelChanged | IssueLabelled) -> Decision:
    rule = RULES_OF_LABELS[change]
    did = f"{actor.actor_name or 'Somebody'} {rule.did}"
    if not _means_something(rule, run):
        return noted(f"{did}; the run is {run.status}.")
    wanted = CheckLabel(
        change=change, actor=actor.actor, actor_name=actor.actor_name, due_in_s=rule.after.total_seconds()
    )
    return acted(f"{did}; it is seen to who that is.", wanted)


def _means_something(rule: LabelRule, run: Run) -> bool:
    is_late = rule.word is CommandWord.CANCEL and bool(run.merge_requests)  # the label cancels no merge request
    return run.status in rule.when and not is_late


def checked(event: LabelChecked, run: Run, circumstances: Circumstances) -> Decision:
    """Do what a label says, if whoever changed it may say so."""
    rule, who = RULES_OF_LABELS[event.change], event.author.called
    did = f"{who} {rule.did}"
    if not event.still:
        return ignored(f"{did}, and it was set back.")
    if not _means_something(rule, run):
        return ignored(f"{did}; the run is {run.status}.")
    why = _why_not(rule.word, event, circumstances)
    if why:
        told = CommentRefusal(
            issue_key=run.issue_key, text=why, heading="the label changes nothing", author=event.author.account
        )
        return acted(f"{did}, which changes nothing. {why}", told)
    said = Given(command=Command(word=rule.word), person=event.author, message=TerminalMessage(request="label"))
    decision = MEANINGS[rule.word](said, run, circumstances)
    return noted(decision.why) if isinstance(decision, Refused) else decision


def _why_not(word: CommandWord, event: LabelChecked, circumstances: Circumstances) -> str:
    person, grants = event.author, circumstances.grants
    if person.unknown_because:
        return command_refusals.UNCHECKED.format(why=person.unknown_because)
    who = permissions.in_words(command_refusals.grants_of(word, grants))
    return "" if command_refusals.may(person, word, grants) else command_refusals.MAY_NOT.format(command=word, who=who)
