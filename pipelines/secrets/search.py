"""Which secrets a change adds, and which of them the catalogue allows: a sentence each, never the secret itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from pipelines.language.repository import AllowedSecret
from pipelines.patch.changed import Changed
from pipelines.patch.display_name import shown
from pipelines.patch.globs import matches
from pipelines.secrets.engine import Confidence, Found, SecretScanError, scan
from pipelines.secrets.formats import BY_CONTEXT, PLACEHOLDER

_BY_CONTEXT: Final = BY_CONTEXT | {"generic-api-key", "generic-password"}
"""Rules that go by a name beside the value: `PASSWORD = "hunter2"` in a test gives nothing away."""
_ADDRESSES: Final = frozenset({"generic-credential-uri", "mongodb-connection-string"})
"""Rules for an address that holds a password; some tell the whole address as the secret."""
_PASSWORD: Final = re.compile(r"^[a-z+]+://[^:/@]*:([^@]*)@.*", re.DOTALL)
_DOCUMENTED: Final = frozenset(
    {
        "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",  # docs.stripe.com, test keys
        "f2d6ca16515033e5dce14eba840b979d27b5cbae24bb3e5bf484339667f86397",  # docs.stripe.com, earlier
        "7f75367e7881255134e1375e723d1dea8ad5f6a4fdb79d938df1f1754a830606",  # jwt.io
        "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",  # Azure's storage emulator
    }
)
"""SHA-256 of values that vendors print in their documentation, so that no scanner trips over this file."""
_CLASSES: Final = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"), re.compile(r"[^A-Za-z0-9\s._-]"))
_WORD: Final = re.compile(r"[a-z]{6}|[A-Z]{6}")
_SHORTEST: Final = 12
_CHANGES: Final = 0.45
"""Share of a value's characters that are of another kind than the one before: a generator's have 0.6, words 0.3."""


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
    if hashlib.sha256(one.value.encode()).hexdigest() in _DOCUMENTED:
        return False
    if one.rule in _BY_CONTEXT:
        return looks_generated(one.value)
    if one.rule in _ADDRESSES and re.match(PLACEHOLDER, _PASSWORD.sub(r"\1", one.value)):
        return False
    return one.confidence is not Confidence.LOW


def looks_generated(value: str) -> bool:
    """Say whether a value mixes characters as a generator does and words or a digest do not."""
    kinds = [next((kind for kind, pattern in enumerate(_CLASSES) if pattern.match(one)), -1) for one in value]
    changes = sum(left != right for left, right in pairwise(kinds))
    is_mixed = not _WORD.search(value) or changes > len(value) * _CHANGES
    return len(value) >= _SHORTEST and len({*kinds} - {-1}) >= 3 and is_mixed


def _is_allowed(one: Found, path: str, allowed: Sequence[AllowedSecret]) -> bool:
    digest = hashlib.sha256(one.value.encode()).hexdigest()
    return any(
        entry.rule in {None, one.rule}
        and entry.sha256 in {None, digest}
        and any(matches(pattern, path) for pattern in entry.paths)
        for entry in allowed
    )
