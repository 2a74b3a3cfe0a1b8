"""The job log: short lines for people, never a secret, never silent for long. Decides nothing."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LINE_LIMIT = 400


def printable(text: str) -> str:
    """Return `text` without what a terminal or a reader's eye could be fooled with: much of it is untrusted."""
    return "".join(one for one in _ESCAPE.sub("", text) if one.isprintable() or one in "\t\n")


class JobLog:
    """Writes to the job's log, with seconds since the start in front."""

    def __init__(self, *, stream: TextIO | None = None, heartbeat_s: float = 20.0, silent_s: float = 1.5) -> None:
        self._stream = stream or sys.stdout
        self._heartbeat_s = heartbeat_s
        self._silent_s = silent_s
        self._secrets: list[str] = []
        self._lock = threading.Lock()
        self.started = time.monotonic()

    def hide(self, *secrets: str) -> None:
        """Never write any of these."""
        self._secrets += [secret for secret in secrets if secret]

    @property
    def seconds(self) -> float:
        """Since the job started."""
        return time.monotonic() - self.started

    def say(self, text: str) -> None:
        """Write one line."""
        clean = self.redacted(printable(text).replace("\n", " "))
        cut = clean if len(clean) <= _LINE_LIMIT else clean[: _LINE_LIMIT - 1] + "…"
        with self._lock:
            self._stream.write(f"{self.seconds:7.1f} s  {cut}\n")
            self._stream.flush()

    def block(self, text: str, *, lines: int = 20) -> None:
        """Write the last lines of a longer output, indented."""
        for line in text.strip("\n").splitlines()[-lines:]:
            self.say(f"  | {line}")

    def redacted(self, text: str) -> str:
        """Return `text` with every hidden secret taken out."""
        for secret in self._secrets:
            text = text.replace(secret, "[removed]")
        return text

    @contextmanager
    def patiently(self, title: str) -> Iterator[None]:
        """Write now and then that something still goes on; nothing when it ends, which another line says."""
        begun = time.monotonic()
        done = threading.Event()
        beat = threading.Thread(target=self._beat, args=(title, begun, done), daemon=True)
        beat.start()
        try:
            yield
        finally:
            done.set()
            beat.join()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Write how long something took; where it takes long, also that it began and that it goes on."""
        begun = time.monotonic()
        with self.patiently(title):
            yield
        self.say(f"{title}: {time.monotonic() - begun:.1f} s")

    def _beat(self, title: str, begun: float, done: threading.Event) -> None:
        if done.wait(self._silent_s):
            return
        self.say(f"{title} …")
        while not done.wait(self._heartbeat_s):
            self.say(f"{title}: still at it after {time.monotonic() - begun:.0f} s")
