"""What `cancel` and `escalate` do: end a run that goes on, at once, whatever it is at. Performs no I/O."""

from __future__ import annotations

from typing import Final

from receiver.workflow.commands.given_command import Circumstances, Given
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.end_reasons import sentence
from receiver.workflow.outcomes import ended
from receiver.workflow.run import Decision, Run, RunStatus

STAYS: Final = "Its open merge requests stay; merging them still counts."
GO_ON: Final = "`/bug-fix retry` makes another attempt of what is known; setting the label again begins a new run."
ANEW: Final = "Setting the label again begins a new run."
"""Said of a run that began no attempt, so that nothing is known."""


def cancel(given: Given, run: Run, now: Circumstances) -> Decision:
    """Stop the run for good: its pipelines are cancelled, and no session of a job spends anything any more."""
    said = f"{given.who} cancelled the bug fix. {_what_stays(run)}{_go_on(run)}"
    return ended(run, RunStatus.CANCELLED, EndReason(code=EndCode.CANCELLED, sentence=said), now=now.now)


def escalate(given: Given, run: Run, now: Circumstances) -> Decision:
    """Stop the run and give what there is to people."""
    why = reason_of(given)
    what = f": {sentence(why)}" if why else "."
    said = f"{given.who} handed the bug fix to people{what} {_what_stays(run)}{_go_on(run)}"
    return ended(run, RunStatus.ESCALATED, EndReason(code=EndCode.HANDED_OVER, sentence=said), now=now.now)


def by_hand(given: Given, run: Run, now: Circumstances) -> Decision:
    """Close a run that was handed over: somebody finishes it without us, so that nobody is reminded of it."""
    said = f"{given.who} took the ticket off the bot, to finish it by hand. {_what_stays(run)}{ANEW}"
    return ended(run, RunStatus.CLOSED, EndReason(code=EndCode.BY_HAND, sentence=said), now=now.now)


def reason_of(given: Given) -> str:
    """Return the author's own words behind a command, however they were set apart. Untrusted."""
    return " ".join([*given.command.arguments, given.command.hint]).strip()


def _go_on(run: Run) -> str:
    return GO_ON if run.iteration else ANEW


def _what_stays(run: Run) -> str:
    return f"{STAYS} " if any(one.state == "opened" for one in run.merge_requests) else ""
