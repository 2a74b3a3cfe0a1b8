"""Ask the district's accounting system (payk12/legacy-api) for the fee schedule.

The file is described in its docs/RECORDS.txt: records of 80 bytes, one letter for the kind first.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import date

from payments.model import Fee

KEPT_S = 600
_TIMEOUT_S = 10


class Unavailable(Exception):
    """The accounting system does not answer, or not as described."""


class Fees:
    """The fee schedule by school year, kept for ten minutes."""

    def __init__(self, url: str | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._kept: dict[int, tuple[float, tuple[Fee, ...]]] = {}

    def of(self, school_year: int) -> tuple[Fee, ...]:
        """Return the fees of the school year that ends in this year."""
        kept = self._kept.get(school_year)
        if kept is not None and self._clock() - kept[0] < KEPT_S:
            return kept[1]
        fees = read(self._fetch(school_year))
        self._kept[school_year] = (self._clock(), fees)
        return fees

    def _fetch(self, school_year: int) -> bytes:
        if self._url is None:
            raise Unavailable("LEGACY_API_URL is not set.")
        try:
            with urllib.request.urlopen(
                f"{self._url}/FEES.DAT?SY={school_year}", timeout=_TIMEOUT_S
            ) as answer:
                return answer.read()
        except (urllib.error.URLError, TimeoutError) as error:
            raise Unavailable(f"The accounting system does not answer: {error}") from error


def read(data: bytes) -> tuple[Fee, ...]:
    """Read a fee file; raise Unavailable when it is not complete."""
    records = [line for line in data.split(b"\r\n") if line]
    details = [record for record in records if record[:1] == b"D"]
    trailers = [record for record in records if record[:1] == b"T"]
    if len(trailers) != 1 or int(trailers[0][1:7]) != len(details):
        raise Unavailable("The fee file is not complete.")
    return tuple(_fee(record) for record in details)


def _fee(record: bytes) -> Fee:
    return Fee(
        code=record[1:7].decode("ascii").strip(),
        description=record[7:37].decode("iso-8859-1").strip(),
        amount=int(record[37:46]),
        valid_from=_day(record[46:54]),
        school=record[54:58].decode("ascii").strip(),
    )


def _day(text: bytes) -> date:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return date.min  # the oldest fees have no first day
