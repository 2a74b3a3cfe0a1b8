"""What is written down while a reproduction runs: how its steps ended, what browser and API client saw. Judges nothing.

`injected_conftest.py` and `playwright_test/` write it, one JSON document a line, in the same words.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from pipelines.proof.test_cases import Case


class ObservedStep(Struct, frozen=True, kw_only=True, tag_field="kind", tag="step"):
    """Set-up, call or tear-down of a test ended."""

    test: str
    when: str
    outcome: str
    error: tuple[str, ...] | None
    """Names of the exception's classes, most derived first."""
    message: str
    in_test: bool
    """The failure came up through the test's own file."""
    line: int = 0
    """Where in that file, 1-based."""
    column: int = 0
    """1-based; 0: the framework doesn't tell."""


class Console(Struct, frozen=True, kw_only=True, tag_field="kind", tag="console"):
    """The page wrote to its console."""

    type: str
    text: str


class PageError(Struct, frozen=True, kw_only=True, tag_field="kind", tag="page_error"):
    """An uncaught error in the page."""

    text: str


class RequestFailed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="request_failed"):
    """A request got no answer."""

    url: str
    error: str = ""
    """Chromium's name of what went wrong, for example `net::ERR_CONNECTION_REFUSED`."""


class Response(Struct, frozen=True, kw_only=True, tag_field="kind", tag="response"):
    """A request was answered with an error."""

    url: str
    status: int


class Navigation(Struct, frozen=True, kw_only=True, tag_field="kind", tag="navigation"):
    """A page load was answered."""

    url: str
    status: int


class ObservedExchange(Struct, frozen=True, kw_only=True, tag_field="kind", tag="exchange"):
    """A request of Playwright's API client was answered."""

    method: str
    url: str
    status: int
    sent: str = ""
    """The beginning of what was sent."""
    received: str = ""
    """The beginning of what came back."""


class Crash(Struct, frozen=True, kw_only=True, tag_field="kind", tag="crash"):
    """A page of the browser crashed."""

    url: str


class Viewport(Struct, frozen=True, kw_only=True, tag_field="kind", tag="viewport"):
    """A page was about to be closed: how large it was shown."""

    width: int
    """CSS pixels."""
    height: int
    scale: float = 1
    """Pixels of a picture for each of these."""


class LeftFile(Struct, frozen=True, kw_only=True, tag_field="kind", tag="file"):
    """Our fixture had a file made of the test."""

    what: Literal["screenshot", "trace", "video"]
    path: str
    """Below the folder of the run's results."""


class Broken(Struct, frozen=True, kw_only=True, tag_field="kind", tag="broken"):
    """The framework could not get as far as a test."""

    text: str


Note = (
    ObservedStep
    | Console
    | PageError
    | RequestFailed
    | Response
    | Navigation
    | ObservedExchange
    | Crash
    | Viewport
    | LeftFile
    | Broken
)


class TestRun(Struct, frozen=True, kw_only=True):
    """One run of the reproduction."""

    __test__ = False

    exit_code: int
    timed_out: bool
    cases: tuple[Case, ...]
    notes: tuple[Note, ...]
    base_url: str
    """Where the application under test answers."""
    beside: tuple[str, ...] = ()
    """Where those that are served beside it answer."""
    problem: str = ""
    """Why report or notes can't be read; empty: they can."""


def read_notes(document: bytes) -> tuple[Note, ...]:
    """Return the notes, one JSON document a line. Raises `msgspec.MsgspecError`."""
    try:
        return tuple(msgspec.json.decode(line, type=Note) for line in document.splitlines() if line)
    except RecursionError as error:
        raise msgspec.DecodeError("a note is nested too deeply") from error
