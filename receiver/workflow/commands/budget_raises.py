"""What `budget +N` does: let a run cost more, up to what policy allows. Performs no I/O."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from pipelines.language.policy import Budget
from receiver.workflow.commands.given_command import Circumstances, Given, Refused
from receiver.workflow.outcomes import acted, tell
from receiver.workflow.run import Decision, Run

_AMOUNT: Final = re.compile(r"\+?\$?([0-9]{1,5}(?:\.[0-9]{1,2})?)\$?")
HOW: Final = "Say how many dollars more it may cost: `/bug-fix budget +5`."
ENOUGH: Final = (
    "A bug fix may cost ${most:.2f} at most (`policy.budget_usd.most` in bug-fix.yml); this one may ${now:.2f}."
)


def most(budget: Budget) -> Decimal:
    """Return what a run may cost however often people raise its budget."""
    return 3 * budget.run if budget.most is None else budget.most


def budget(given: Given, run: Run, now: Circumstances) -> Decision | Refused:
    """Raise the run's budget. What is at work goes on with it; what ended for want of it is tried again by `retry`."""
    found = _AMOUNT.fullmatch("".join(given.command.arguments))
    if found is None or not (amount := Decimal(found[1])):
        return Refused(HOW)
    given_by = now.catalogue.policy.budget_usd
    total = given_by.run + run.extra_usd
    if total + amount > most(given_by):
        return Refused(ENOUGH.format(most=most(given_by), now=total))
    said = f"{given.who} raised the bug fix's budget by ${amount:.2f}, to ${total + amount:.2f}."
    return replace(acted(said, *tell(run)), extra_usd=run.extra_usd + amount)
