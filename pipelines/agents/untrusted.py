"""Make untrusted text fit for a prompt: take out what people can't see, cut what is too long. Pure.

What remains is still untrusted. It travels only as a string inside a JSON document, and the prompt says what it is.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_INVISIBLE = re.compile(
    "["
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners and fillers
    "\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"  # zero width, selectors
    "\u2028-\u202e"  # separators that end a line as a line end does, bidi
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # musical formatting; tags and further selectors
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters except tab and line ends
    "\ud800-\udfff"
    "]"
)


class Cleaner:
    """Takes out invisible characters and counts them, for the report."""

    def __init__(self) -> None:
        self.stripped = 0

    def text(self, text: str, *, limit: int | None = None) -> str:
        """Return the text without invisible characters and not longer than `limit` characters."""
        clean, count = _INVISIBLE.subn("", text)
        self.stripped += count
        return clean if limit is None else shortened(clean, limit)

    def document(self, value: object, *, limit: int = 60_000) -> str:
        """Return a value as one line of JSON with every text in it cleaned, also keys: they can be paths."""
        plain = msgspec.to_builtins(value, str_keys=True)
        return msgspec.json.encode(self._cleaned(plain, limit), order="deterministic").decode()

    def _cleaned(self, value: Any, limit: int) -> Any:  # noqa: ANN401 - plain JSON data of any shape
        if isinstance(value, str):
            return self.text(value, limit=limit)
        if isinstance(value, dict):
            return self._cleaned_keys(value, limit)
        if isinstance(value, list | tuple):
            return [self._cleaned(item, limit) for item in value]
        return value

    def _cleaned_keys(self, value: dict[str, Any], limit: int) -> dict[str, Any]:
        """Return a document in which keys that people can't tell apart are numbered: none of them hides another."""
        found: dict[str, Any] = {}
        for key, item in value.items():
            name = clean = self.text(key, limit=limit)
            again = 1
            while name in found:
                again += 1
                name = f"{clean} ({again})"
            found[name] = self._cleaned(item, limit)
        return found


def shortened(text: str, limit: int) -> str:
    """Return the text with its middle cut out where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    return f"{text[:head]}\n[… {len(text) - head - tail} characters left out …]\n{text[-tail:]}"
