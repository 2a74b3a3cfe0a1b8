"""Every reason to refuse a change by what it says, in one place. Pure: what running can show is left to the runs.

The same examination is made in the job and, since jobs are not trusted, in the receiver before it commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pipelines.language.change_set import ChangeSet, ChangeSetError
from pipelines.language.policy import PatchRule, Policy
from pipelines.patch.changed import Base, Change, Changed, contents
from pipelines.patch.ci_files import CiSetting, ci_files, included_files
from pipelines.patch.configuration import configuration
from pipelines.patch.dependencies import dependencies, is_lock_file
from pipelines.patch.display_name import shown
from pipelines.patch.file_rules import content_faults, file_faults, size_faults
from pipelines.patch.foreign_files import foreign_files
from pipelines.patch.lines import compare, size_of
from pipelines.patch.name_clashes import Folders, name_faults
from pipelines.patch.origins import origins
from pipelines.patch.portable_names import names_not_held
from pipelines.patch.unseen import unseen

MAX_ADDED: Final = 1_000_000
"""Bytes that a change may add, lock files apart."""
MAX_LINE: Final = 10_000
"""Characters of an added line."""
SecretSearch = Callable[[Sequence[Changed]], Sequence[str]]
"""Returns a sentence for each secret that is added."""


def examine(
    change: ChangeSet,
    base: Base,
    *,
    folders: Folders,
    allowed: Sequence[str],
    handwritten: Sequence[str] = (),
    policy: Policy,
    secrets: SecretSearch,
    ci: CiSetting | None = None,
) -> tuple[str, ...]:
    """Return why a change is refused, a sentence each.

    `base` and `folders` tell of the commit that it was made for; folders are asked for only where files are added,
    or where its CI includes files by a pattern.
    `allowed` and `handwritten` are the catalogue's globs for the repository (`paths_allowed`, `paths_handwritten`).
    `ci` is the project's setting of its CI configuration, known to the receiver only.
    """
    refused = list(size_faults(change, policy=policy))
    if refused:
        return tuple(refused)
    refused += name_faults(change, folders)
    sound = []
    for file in change.files:
        faults = list(file_faults(file, allowed=allowed))
        refused += faults
        if not faults:  # nothing is read by a name that a change may not have
            sound.append(file)
    try:
        changed = contents(sound, base)
    except ChangeSetError as error:
        return (*refused, str(error))
    if unreadable := tuple(_unreadable(changed)):  # said before the rules that read contents closely
        return (*refused, *unreadable)
    refused += names_not_held(sound)
    refused += unseen(changed)[0]
    refused += origins(changed)[0]
    refused += included_files(changed, ci_files(base, folders, ci))
    refused += _lines(changed, policy)
    refused += secrets(changed)
    refused += foreign_files(changed, base, handwritten=handwritten)
    refused += dependencies(changed, base)
    if policy.test_configuration is PatchRule.REFUSE:
        refused += configuration(changed, base)
    return tuple(refused)


def _unreadable(changed: Sequence[Changed]) -> Iterator[str]:
    """Yield why nobody can review what is added, whatever policy allows."""
    total = 0
    for one in changed:
        if is_lock_file(one.path):
            continue
        lines = one.after.split("\n")
        added = [lines[number - 1] for number in compare(one.before, one.after).added]
        total += sum(len(line.encode()) + 1 for line in added)
        if any(len(line) > MAX_LINE for line in added):
            yield f"{shown(one.path)} gets a line of more than {MAX_LINE} characters: nobody can review it."
    if total > MAX_ADDED:
        yield f"The fix adds {total} bytes: nobody can review more than {MAX_ADDED}."


def _lines(changed: Sequence[Changed], policy: Policy) -> Iterator[str]:
    for one in changed:
        if one.change is not Change.ADDED:
            yield from content_faults(one.path, one.before.encode())
    size = size_of(changed)
    lines = size.insertions + size.deletions
    if lines > policy.max_patch_lines:
        yield f"The fix changes {lines} lines; policy allows {policy.max_patch_lines}."
