"""The job log: short lines for people, never a secret, never silent for long. Decides nothing.

`say` is for all that may hold a word of ticket, model or repository, `state` for plain facts: phases, counts, names
that the catalogue or this program gave. Only the latter is written while what a job finds is not to be disclosed.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pipelines.job.communication.disclosure import Disclosure
from pipelines.language.terminal_colours import without_colours

_LINE_LIMIT = 400


def printable(text: str) -> str:
    """Return `text` without what a terminal or a reader's eye could be fooled with: much of it is untrusted."""
    return "".join(one for one in without_colours(text) if one.isprintable() or one in "\t\n")


class JobLog:
    """Writes to the job's log, with seconds since the start in front."""

    def __init__(self, *, stream: TextIO | None = None, heartbeat_s: float = 20.0, silent_s: float = 1.5) -> None:
        self._stream = stream or sys.stdout
        self._heartbeat_s = heartbeat_s
        self._silent_s = silent_s
        self._secrets: list[str] = []
        self._lock = threading.Lock()
        self._disclosure = Disclosure.OPEN
        self._held: list[str] = []
        self.started = time.monotonic()

    def hide(self, *secrets: str) -> None:
        """Never write any of these."""
        self._secrets += [secret for secret in secrets if secret]

    @property
    def seconds(self) -> float:
        """Since the job started."""
        return time.monotonic() - self.started

    def disclose(self, disclosure: Disclosure) -> None:
        """From here on write what may be written; of what was held back, all or nothing."""
        held, self._held = self._held, []
        self._disclosure = disclosure
        if disclosure is Disclosure.OPEN:
            self._write(*held)

    def say(self, text: str, *, instead: str = "") -> None:
        """Write one line that may hold untrusted words or findings; where those are kept back, `instead`, if any."""
        if self._disclosure is Disclosure.OPEN:
            self._write(self._line(text))
            return
        if self._disclosure is Disclosure.UNDECIDED and text != instead:
            self._held.append(self._line(text))
        if instead:
            self._write(self._line(instead))

    def state(self, text: str) -> None:
        """Write one line that holds nothing of ticket, model or repository."""
        self.say(text, instead=text)

    def block(self, text: str, *, lines: int = 20) -> None:
        """Write the last lines of a longer output, indented, as `say` does."""
        for line in text.strip("\n").splitlines()[-lines:]:
            self.say(f"  | {line}")

    def redacted(self, text: str) -> str:
        """Return `text` with every hidden secret taken out."""
        for secret in self._secrets:
            text = text.replace(secret, "[removed]")
        return text

    def _line(self, text: str) -> str:
        clean = self.redacted(printable(text).replace("\n", " "))
        cut = clean if len(clean) <= _LINE_LIMIT else clean[: _LINE_LIMIT - 1] + "…"
        return f"{self.seconds:7.1f} s  {cut}\n"

    def _write(self, *lines: str) -> None:
        with self._lock:
            self._stream.writelines(lines)
            self._stream.flush()

    @contextmanager
    def patiently(self, title: str, *, detail: str = "") -> Iterator[None]:
        """Write now and then that something still goes on; nothing when it ends, which another line says.

        The title is a plain fact; `detail` may hold anything.
        """
        begun = time.monotonic()
        done = threading.Event()
        beat = threading.Thread(target=self._beat, args=(title, detail, begun, done), daemon=True)
        beat.start()
        try:
            yield
        finally:
            done.set()
            beat.join()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Write how long something with a plain title took; where it takes long, also that it goes on."""
        begun = time.monotonic()
        with self.patiently(title):
            yield
        self.state(f"{title}: {time.monotonic() - begun:.1f} s")

    def _beat(self, title: str, detail: str, begun: float, done: threading.Event) -> None:
        if done.wait(self._silent_s):
            return
        self.say(f"{title}{detail} …", instead=f"{title} …")
        while not done.wait(self._heartbeat_s):
            still = f"still at it after {time.monotonic() - begun:.0f} s"
            self.say(f"{title}{detail}: {still}", instead=f"{title}: {still}")
