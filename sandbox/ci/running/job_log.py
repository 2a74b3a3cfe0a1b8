"""A job's log: a file that grows while the job runs, secrets masked, limited in size. Knows nothing of processes."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from sandbox.ci import limits

_GREEN, _YELLOW, _RED, _CYAN, _RESET = "\x1b[32;1m", "\x1b[33;1m", "\x1b[31;1m", "\x1b[36;1m", "\x1b[0;m"


class JobLog:
    """Writes one job's log."""

    def __init__(self, path: Path, secrets: Iterable[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._secrets = sorted({secret.encode() for secret in secrets if len(secret) >= 8}, key=len, reverse=True)
        self._tail = b""
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Append output; what may be the beginning of a secret waits for the rest."""
        data = self._tail + chunk
        for secret in self._secrets:
            data = data.replace(secret, b"[MASKED]")
        held = max((_overlap(data, secret) for secret in self._secrets), default=0)
        self._tail = data[len(data) - held :] if held else b""
        self._append(data[: len(data) - held] if held else data)

    def section(self, text: str) -> None:
        """Announce a step, as the runner does."""
        self._line(f"{_CYAN}{text}{_RESET}")

    def note(self, text: str) -> None:
        """Say something plainly."""
        self._line(text)

    def caution(self, text: str) -> None:
        """Warn."""
        self._line(f"{_YELLOW}WARNING: {text}{_RESET}")

    def problem(self, text: str) -> None:
        """Say what failed."""
        self._line(f"{_RED}ERROR: {text}{_RESET}")

    def success(self, text: str) -> None:
        """Say that it went well."""
        self._line(f"{_GREEN}{text}{_RESET}")

    def close(self) -> None:
        """Write what was held back."""
        self._append(self._tail)
        self._tail = b""
        self._file.close()

    def _line(self, text: str) -> None:
        self.write(f"{text}\n".encode("utf-8", "replace"))

    def _append(self, data: bytes) -> None:
        if self._size > limits.LOG_BYTES:
            return
        self._size += len(data)
        self._file.write(data)
        if self._size > limits.LOG_BYTES:
            self._file.write(b"\nJob's log exceeded limit of %d bytes.\n" % limits.LOG_BYTES)


def _overlap(data: bytes, secret: bytes) -> int:
    """Give the length of the longest end of `data` with which `secret` begins."""
    return next(
        (length for length in range(min(len(secret) - 1, len(data)), 0, -1) if data.endswith(secret[:length])), 0
    )
