"""The options of `scripts/demo`. Standard library only: a clone without an environment can tell them too."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

DEFAULT = "pl-479"
_SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Start Postgres, the sandbox (GitLab, Jira and Anthropic emulated over real HTTP), the receiver "
        "and a worker; label the scenario's ticket; show live what happens. Exit code 0: as the scenario expects.",
        epilog=f"Scenarios that come with it: {', '.join(_names())}. Their format: docs/scenarios.md.",
    )
    which = found.add_mutually_exclusive_group()
    which.add_argument(
        "--scenario",
        action="append",
        metavar="NAME|DIR",
        help=f"which scenario (default: {DEFAULT}); given several times, all of these as with --all",
    )
    which.add_argument(
        "--all", action="store_true", help="every scenario that comes with it, each in a world of its own"
    )
    which.add_argument("--list", action="store_true", help="name the scenarios that come with it and play none")
    found.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="of several scenarios, N at a time (default: one for each processor, %(default)s)",
    )
    found.add_argument("--json", type=Path, metavar="FILE", help="write the summary for programs")
    found.add_argument("--serve", action="store_true", help="leave everything running and print the start page's URL")
    found.add_argument(
        "--chaos", action="store_true", help="kill the worker and restart Postgres in the middle; nothing may be lost"
    )
    found.add_argument(
        "--page-size",
        type=int,
        metavar="N",
        help="let GitLab and Jira give at most N entries on a page, to find out who reads no further",
    )
    found.add_argument("--plain", action="store_true", help="plain lines even on a terminal")
    found.add_argument("--timeout", type=float, default=420, metavar="S", help="give up after S seconds (%(default)s)")
    return found


def _names() -> list[str]:
    return sorted(file.parent.name for file in _SCENARIOS.glob("*/scenario.yml"))


if __name__ == "__main__":
    parser().parse_args()
