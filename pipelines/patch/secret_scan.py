"""Look for secrets in what a patch adds, with detect-secrets. Pure but for that package's global settings.

https://github.com/Yelp/detect-secrets, its default plugins and filters; `pragma: allowlist secret` does not count
here, because whoever writes the patch could write it too. Misses what has no form, like a password in prose.
"""

from __future__ import annotations

from typing import Any

from detect_secrets.core import scan
from detect_secrets.settings import default_settings, get_settings

from pipelines.patch.summary import PatchSummary

_NOT_HERE = (
    "detect_secrets.filters.allowlist.is_line_allowlisted",
    "detect_secrets.filters.common.is_invalid_file",
)


def find_secrets(summary: PatchSummary) -> list[str]:
    """Return a sentence for each secret found; never the secret itself."""
    with default_settings():
        get_settings().disable_filters(*_NOT_HERE)
        return [
            f"`{file.path[:200]}` line {number} looks like a secret ({', '.join(sorted(kinds))}); "
            "take it from the environment instead."
            for file in summary.files
            for number, kinds in sorted(_scan(file.path, file.added).items())
        ]


def _scan(path: str, added: tuple[tuple[int, str], ...]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    lines: list[Any] = [(number, line) for number, line in added]
    for secret in scan._process_line_based_plugins(lines=lines, filename=path):  # noqa: SLF001 - its diff scan is this call after a parse of its own
        found.setdefault(secret.line_number, set()).add(secret.type)
    return found
