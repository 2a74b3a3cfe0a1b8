"""Every reason to refuse a patch by what it says, in one place. Pure: what running can show is left to the runs.

The same examination is made in the job and, since jobs are not trusted, in the receiver before it commits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pipelines.language.catalogue import PatchRule, Policy
from pipelines.patch.configuration import configuration
from pipelines.patch.content import Base, Changed, contents
from pipelines.patch.dependencies import dependencies
from pipelines.patch.kinds import GENERATED, VENDORED, named
from pipelines.patch.parse import PatchError
from pipelines.patch.rules import violations
from pipelines.patch.shown import shown
from pipelines.patch.summary import PatchSummary

SecretSearch = Callable[[Sequence[Changed]], Sequence[str]]
"""Returns a sentence for each secret that is added."""


def examine(
    summary: PatchSummary, base: Base, *, allowed: Sequence[str], policy: Policy, secrets: SecretSearch
) -> tuple[str, ...]:
    """Return why the patch is refused, a sentence each. `allowed` are the catalogue's globs for the repository."""
    refused = violations(summary, allowed=allowed, policy=policy)
    if refused:  # nothing is read by the names of a patch that may not have them
        return (*refused, *secrets(_added(summary)))
    try:
        changed = contents(summary, base)
    except PatchError as error:
        return (str(error),)
    refused += secrets(changed)
    refused += _not_written_by_hand(changed)
    refused += dependencies(changed, base)
    if policy.test_configuration is PatchRule.REFUSE:
        refused += configuration(changed, base)
    return tuple(refused)


def _added(summary: PatchSummary) -> tuple[Changed, ...]:
    """Return what is added, as far as the patch itself says it."""
    texts = ((file, "\n".join(line for _, line in file.added)) for file in summary.files)
    return tuple(Changed(file=file, before="", after=text) for file, text in texts)


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
