"""Write the table of commands in docs/steering.md: `python -m receiver.cli.steering_reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from receiver.workflow import lifecycle
from receiver.workflow.commands import permissions
from receiver.workflow.commands.command_table import RULES, CommandRule, CommandWord, usage
from receiver.workflow.messages import Venue
from receiver.workflow.run import RunStatus

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "steering.md"
BEGIN: Final = "<!-- generated: python -m receiver.cli.steering_reference -->\n"
END: Final = "<!-- end -->\n"

HEAD: Final = (
    "| Say | It does | Where | While it is | Who may, unless bug-fix.yml says otherwise |\n|---|---|---|---|---|"
)

NAMED: Final[dict[frozenset[RunStatus], str]] = {
    frozenset(RunStatus): "anything",
    frozenset(RunStatus) - {RunStatus.REFUSED}: "begun",
    lifecycle.ACTIVE: "not at its end",
    lifecycle.FINAL: "at its end, or not begun",
}
"""Names of sets of statuses."""


def page(now: str) -> str:
    """Return the page with the table as the code has it; `now` is the page as it is."""
    before, _, rest = now.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = "\n".join(_row(word, rule) for word, rule in RULES.items())
    return f"{before}{BEGIN}\n{HEAD}\n{rows}\n\n{END}{after}"


def _row(word: CommandWord, rule: CommandRule) -> str:
    does = rule.help + (f" (**not there yet**: {rule.later})" if rule.later else "")
    where = ", ".join(venue for venue in Venue if venue in rule.where)
    who = permissions.in_words(rule.who)
    return f"| `{usage(word)}` | {does} | {where} | {_statuses(rule.when)} | {who} |"


def _statuses(when: frozenset[RunStatus]) -> str:
    named = NAMED.get(when)
    return named or ", ".join(f"`{status}`" for status in RunStatus if status in when)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
