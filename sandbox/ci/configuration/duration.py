"""Read GitLab's durations: `1h 30m`, `10 minutes`, `1 week`, plain seconds, `never`."""

import re
from typing import Final

from sandbox.ci.errors import ConfigError

_UNITS: Final = {
    "second": 1,
    "sec": 1,
    "s": 1,
    "minute": 60,
    "min": 60,
    "m": 60,
    "hour": 3600,
    "hr": 3600,
    "h": 3600,
    "day": 86400,
    "d": 86400,
    "week": 604800,
    "wk": 604800,
    "w": 604800,
    "month": 2592000,
    "mo": 2592000,
    "year": 31557600,
    "yr": 31557600,
    "y": 31557600,
}
_PART: Final = re.compile(r"\s*(?:and\s+|,\s*)?(\d+(?:\.\d+)?)\s*([a-z]*)\s*")


def seconds(value: str | int, *, where: str) -> float | None:
    """Give the seconds; None for `never`."""
    text = str(value).strip().lower()
    if text == "never":
        return None
    total, position = 0.0, 0
    while position < len(text):
        match = _PART.match(text, position)
        unit = match[2] if match else ""
        factor = 1 if not unit else _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if match is None or factor is None:
            raise ConfigError(f"{where} should be a duration")
        total += float(match[1]) * factor
        position = match.end()
    if not text:
        raise ConfigError(f"{where} should be a duration")
    return total
