"""Which secrets a change adds, and which of them the catalogue allows: a sentence each, never the secret itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipelines.language.catalogue import AllowedSecret
from pipelines.patch.changed import Changed
from pipelines.patch.display_name import shown
from pipelines.patch.globs import matches
from pipelines.secrets.engine import Confidence, Found, SecretScanError, scan

_BY_CONTEXT: Final = frozenset({"generic-api-key", "generic-password"})
"""Rules that go by a name beside the value: `PASSWORD = "hunter2"` in a test gives nothing away."""
_CLASSES: Final = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"), re.compile(r"[^A-Za-z0-9\s._-]"))
_WORD: Final = re.compile(r"[a-z]{6}|[A-Z]{6}")
_SHORTEST: Final = 12


def find_secrets(changed: Sequence[Changed], *, allowed: Sequence[AllowedSecret]) -> tuple[str, ...]:
    """Return a sentence for each line that holds a secret which none of the files held before."""
    texts = [*(one.after for one in changed), *(one.before for one in changed)]
    try:
        found = scan([text.encode() for text in texts])
    except SecretScanError as error:
        return (f"The change can't be searched for secrets, so it is refused: {error}",)
    known = {one.value for one in found if one.text >= len(changed)}
    rules: dict[tuple[str, int], set[str]] = {}
    for one in found:
        if one.value in known or not _counts(one):
            continue
        path = changed[one.text].path
        if not _is_allowed(one, path, allowed):
            rules.setdefault((path, one.line), set()).add(one.rule)
    return tuple(_sentences(rules))


def _sentences(rules: Mapping[tuple[str, int], set[str]]) -> Iterator[str]:
    for (path, line), names in sorted(rules.items()):
        yield (
            f"{shown(path)} line {line} looks like a secret ({', '.join(sorted(names))}); "
            "take it from the environment, or let a person allow it in bug-fix.yml (`secrets_allowed`)."
        )


def _counts(one: Found) -> bool:
    """Say whether a finding is worth refusing: a known format, or a value that nobody typed."""
    if one.rule in _BY_CONTEXT:
        return looks_generated(one.value)
    return one.confidence is not Confidence.LOW


def looks_generated(value: str) -> bool:
    """Say whether a value mixes characters as a generator does and a word or a digest does not."""
    kinds = sum(1 for kind in _CLASSES if kind.search(value))
    return len(value) >= _SHORTEST and kinds >= 3 and not _WORD.search(value)


def _is_allowed(one: Found, path: str, allowed: Sequence[AllowedSecret]) -> bool:
    digest = hashlib.sha256(one.value.encode()).hexdigest()
    return any(
        entry.rule in {None, one.rule}
        and entry.sha256 in {None, digest}
        and any(matches(pattern, path) for pattern in entry.paths)
        for entry in allowed
    )
