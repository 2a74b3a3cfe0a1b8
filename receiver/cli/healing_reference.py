"""Write the table of remedies in docs/healing.md: `python -m receiver.cli.healing_reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipelines.language.remedy import Action, Maker, Match, Remedy, Verification
from receiver.cli import remedy_folder

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "healing.md"
BEGIN: Final = "<!-- generated: python -m receiver.cli.healing_reference -->\n"
END: Final = "<!-- end -->\n"

HEAD: Final = (
    "| Remedy | What is wrong | Matches | What is done about it | Tier | Confidence | Declared action | Verified by |\n"
    "|---|---|---|---|---|---|---|---|"
)

VERIFIED: Final[dict[Verification, str]] = {
    Verification.FAILING_COMMAND: "the command that failed, green with it",
    Verification.REPEATED_RUNS: "repeated runs of the same code",
    Verification.NONE: "",
}


def page(now: str) -> str:
    """Return the page with the table as the files have it; `now` is the page as it is."""
    before, _, rest = now.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = "\n".join(_row(one) for one in remedy_folder.read(ROOT / "bug-fix.yml"))
    return f"{before}{BEGIN}\n{HEAD}\n{rows}\n\n{END}{after}"


def _row(one: Remedy) -> str:
    cells = (
        f"`{one.id}`",
        one.title,
        _match(one.match),
        f"{one.remedy} (`commands.{one.command}`)" if one.made_by is Maker.COMMAND else one.remedy,
        str(one.tier),
        _confidence(one),
        f"`{one.action}`" if one.action is not Action.NEVER else "never",
        VERIFIED[one.verified_by],
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _confidence(one: Remedy) -> str:
    """Return the share in percent; of tier 3 the bound that it stays below."""
    percent = f"{100 * one.confidence:.0f} %"
    return f"< {percent}" if one.tier == 3 else percent


def _match(match: Match) -> str:
    parts = [
        " or ".join(f"`{one}`" for one in match.kinds),
        f"in {' or '.join(match.phases)}" if match.phases else "",
        f"by {' or '.join(match.checks)}" if match.checks else "",
        f"of {' or '.join(match.stacks)}" if match.stacks else "",
        f"saying {', '.join(f'`` {one} ``' for one in match.says)}" if match.says else "",
    ]
    return ", ".join(part for part in parts if part)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
