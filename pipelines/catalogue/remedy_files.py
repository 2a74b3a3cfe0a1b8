"""Read remedies: texts of YAML files in, `Remedy` values out. Opens no file.

Every error names file, line and key and says what to do; those of all files are reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from pipelines.catalogue.structure import problems as structural
from pipelines.catalogue.structure import suggestion
from pipelines.catalogue.yaml_lines import Document, FileProblem, Path, parse
from pipelines.language.remedy import Action, Maker, Match, Remedy, RemedyRow, Verification

FOLDER: Final = "templates/healing"
"""Where the files stand: those of the product, and a team's own beside its bug-fix.yml."""

SUFFIX: Final = ".yml"

Fault = tuple[Path, str]
Rule = Callable[[RemedyRow], Iterator[Fault]]


class RemedyError(ValueError):
    """A remedy can't be used; each line says where it is wrong and what to do."""

    def __init__(self, problems: tuple[tuple[str, FileProblem], ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(_line(source, problem) for source, problem in problems))


def _line(source: str, problem: FileProblem) -> str:
    where = f"{problem.key}: " if problem.path else ""
    return f"{source}:{problem.line}: {where}{problem.sentence}"


def read(built_in: Mapping[str, str], *, own: Mapping[str, str] | None = None) -> tuple[Remedy, ...]:
    """Return the remedies of files by their names without suffix, the most confident first. Raises `RemedyError`.

    `own` are a team's: one with a built-in name replaces that one.
    """
    own = own or {}
    found: list[Remedy] = []
    wrong: list[tuple[str, FileProblem]] = []
    for name, text in sorted({**built_in, **own}.items()):
        document = parse(text)
        problems = document.problems
        if document.value is not None or not problems:
            problems += structural(document, RemedyRow)
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
            problems += (_problem(document, (), f'"{name}" names no remedy; use lower-case letters, digits, dashes'),)
        if not problems:
            row = msgspec.convert(document.value, RemedyRow)
            problems = tuple(_problem(document, *fault) for rule in RULES for fault in rule(row))
            fields = {field: getattr(row, field) for field in RemedyRow.__struct_fields__}
            found.append(Remedy(id=name, is_own=name in own, **fields))
        wrong += ((f"{FOLDER}/{name}{SUFFIX}", problem) for problem in problems)
    if wrong:
        raise RemedyError(tuple(wrong))
    return ordered(found)


def ordered(remedies: list[Remedy]) -> tuple[Remedy, ...]:
    """Return remedies in the order in which they are tried and shown: the most confident first."""
    return tuple(sorted(remedies, key=lambda one: (-one.confidence, one.tier, one.id)))


def _problem(document: Document, path: Path, sentence: str) -> FileProblem:
    return FileProblem(line=document.line(path), path=path, sentence=sentence)


TIERS: Final[dict[int, tuple[Decimal, Decimal]]] = {
    1: (Decimal("0.95"), Decimal(1)),
    2: (Decimal("0.5"), Decimal("0.94")),
    3: (Decimal(0), Decimal("0.5")),
}
"""The confidence that a remedy of each tier has."""

VERIFIED: Final = frozenset({Action.COMMIT, Action.SUGGEST, Action.DRAFT, Action.PROPOSE})
"""Actions that show people a change: it has to be verified before."""


def _tier(row: RemedyRow) -> Iterator[Fault]:
    if row.tier not in TIERS:
        yield ("tier",), f"there is no tier {row.tier}; write 1, 2 or 3"
        return
    least, most = TIERS[row.tier]
    if not least <= row.confidence <= most:
        yield (
            ("confidence",),
            f"{row.confidence} is no confidence of tier {row.tier}, which has {least} to {most}; change one of the two",
        )


def _action(row: RemedyRow) -> Iterator[Fault]:
    if row.tier == 3 and row.action not in {Action.ESCALATE, Action.NEVER}:
        yield ("action",), f"{row.action} is not for tier 3, where only people act; write escalate"
    if row.action is Action.COMMIT and row.tier in {2, 3}:
        yield ("action",), "only tier 1 is committed without a person; write suggest, draft or propose"
    if row.action is Action.COMMIT and row.made_by is not Maker.COMMAND:
        yield ("made_by",), "what is committed without a person is made by a command; write `made_by: command`"


def _verification(row: RemedyRow) -> Iterator[Fault]:
    if row.action in VERIFIED and row.verified_by is Verification.NONE:
        yield (
            ("verified_by",),
            f"{row.action} shows people a change that nothing has verified; write failing_command or repeated_runs",
        )
    if row.action is Action.COMMIT and row.verified_by is not Verification.FAILING_COMMAND:
        yield ("verified_by",), "before a commit the command that failed has to be green; write failing_command"


def _command(row: RemedyRow) -> Iterator[Fault]:
    if row.made_by is Maker.COMMAND and row.command is None:
        yield ("command",), "say which command makes the change: format, generate or snapshots"
    if row.made_by is not Maker.COMMAND and row.command is not None:
        yield (
            ("command",),
            f"no command is run where `made_by` is {row.made_by}; remove this, or write `made_by: command`",
        )


def _match(row: RemedyRow) -> Iterator[Fault]:
    if not any(getattr(row.match, name) for name in Match.__struct_fields__):
        yield ("match",), "this matches every failure; say at least which `kinds`"
    for index, phrase in enumerate(row.match.says):
        if not phrase.replace("*", "").strip():
            yield ("match", "says", index), f'"{phrase}" matches every line; write words of it'


RULES: Final[tuple[Rule, ...]] = (_tier, _action, _verification, _command, _match)
"""What must be true of a row beyond its shape."""


def limit_faults(at_least: Mapping[str, Action], remedies: tuple[Remedy, ...]) -> Iterator[Fault]:
    """Yield what is wrong with a team's limits: names of no remedy, and actions freer than the declared ones."""
    known = {one.id: one for one in remedies}
    order = list(Action)
    for name, action in at_least.items():
        if name not in known:
            yield ("healing", name), f'there is no remedy "{name}"; {suggestion(name, list(known))}'
        elif order.index(action) < order.index(known[name].action):
            possible = ", ".join(order[order.index(known[name].action) :])
            freer = f"{action} is freer than {known[name].action}, which the remedy declares"
            yield ("healing", name), f"{freer}; a policy can only be stricter: {possible}"
