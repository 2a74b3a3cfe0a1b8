"""Everything that is held against a patch, in one place: what is refused, and what a reviewer should look at. Pure.

The same examination is made in the job and, since jobs are not trusted, in the receiver before it commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from pipelines.language.catalogue import PatchRule, Policy
from pipelines.patch.configuration import configuration
from pipelines.patch.content import Base, Changed, contents
from pipelines.patch.dependencies import dependencies
from pipelines.patch.kinds import GENERATED, VENDORED, named
from pipelines.patch.parse import PatchError
from pipelines.patch.rules import violations
from pipelines.patch.secret_scan import find_secrets
from pipelines.patch.shown import shown
from pipelines.patch.summary import PatchSummary
from pipelines.patch.weakening import weakening

MOST_NOTICES: Final = 20


class Examination(Struct, frozen=True, kw_only=True):
    """What was found, a sentence each."""

    refused: tuple[str, ...]
    """Why the patch may not be used; empty: it may."""
    noticed: tuple[str, ...]
    """What a reviewer should look at."""


def examine(summary: PatchSummary, base: Base, *, allowed: Sequence[str], policy: Policy) -> Examination:
    """Return what is held against a patch. `allowed` are the catalogue's globs for the repository."""
    refused = [*violations(summary, allowed=allowed, policy=policy), *find_secrets(summary)]
    if refused:  # nothing is read by the names of a patch that may not have them
        return Examination(refused=tuple(refused), noticed=())
    try:
        changed = contents(summary, base)
    except PatchError as error:
        return Examination(refused=(str(error),), noticed=())
    refused += _not_written_by_hand(changed)
    refused += dependencies(changed, base)
    if policy.test_configuration is PatchRule.REFUSE:
        refused += configuration(changed, base)
    tests = weakening(changed)
    return Examination(refused=(*refused, *tests.refused), noticed=tests.noticed[:MOST_NOTICES])


_GENERATED_MARK: Final = re.compile(
    r"code generated .{0,80}do not edit|@generated\b|<auto-?generated|this file (?:is|was) (?:auto-?)?generated",
    re.IGNORECASE,
)
_HEAD: Final = 1_000
"""Characters at a file's beginning in which generators say so."""


def _not_written_by_hand(changed: Sequence[Changed]) -> Iterator[str]:
    for one in changed:
        if named(one.path, VENDORED):
            yield f"{shown(one.path)} belongs to somebody else's code that is kept here; mend it where it comes from."
        elif named(one.path, GENERATED) or _GENERATED_MARK.search(one.before[:_HEAD]):
            yield f"{shown(one.path)} is generated; change what it is made from."
