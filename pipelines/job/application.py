"""Start the application under test and wait until it answers. Decides nothing about what is tested."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from pipelines.catalogue import Repository
from pipelines.job.errors import JobError
from pipelines.job.workplace import Workplace

_PORT = re.compile(r"\{port\}|\$\{PORT\}|\$PORT\b")
_READY_WITHIN_S = 120.0
_TAIL_BYTES = 20_000


class Application(Struct, frozen=True, kw_only=True):
    """A running application."""

    base_url: str
    log: Path
    """Its output; untrusted."""


class _Address(Struct, frozen=True, kw_only=True):
    command: str
    ready: str
    port: int


@contextmanager
def serve(place: Workplace, *, ready_within_s: float = _READY_WITHIN_S) -> Iterator[Application]:
    """Run the catalogue's `serve` in a workplace until the block ends. Raises `JobError` when it doesn't get ready."""
    address = _address(place.repository)
    if place.repository.serve is not None and place.repository.serve.with_:
        place.log.say("`serve.with` of the catalogue has no effect yet: this repository is served alone")
    parts = urlsplit(address.ready)
    with tempfile.NamedTemporaryFile(dir=place.root, prefix="serve-", suffix=".log", delete=False) as output:
        process = place.start(address.command, extra={"PORT": str(address.port)}, output=output.fileno())
    log = Path(output.name)
    try:
        _wait_ready(process, address, log, ready_within_s)
        yield Application(base_url=f"{parts.scheme}://{parts.netloc}", log=log)
    finally:
        place.stop(process)


def _address(repository: Repository) -> _Address:
    serve_ = repository.serve
    if serve_ is None:
        raise JobError(
            f"The catalogue has no `serve` for {repository.key}: a reproduction needs a running application."
        )
    templated = bool(_PORT.search(serve_.ready) or _PORT.search(serve_.run))
    port = _free_port() if templated else urlsplit(serve_.ready).port
    if port is None:
        raise JobError(f"`serve.ready` of {repository.key} names no port; write `http://127.0.0.1:$PORT/…`.")
    if not templated and _answers(port):
        raise JobError(f"Port {port} is taken on this runner; use `$PORT` in `serve` of {repository.key}.")
    return _Address(
        command=serve_.run.replace("{port}", str(port)), ready=_PORT.sub(str(port), serve_.ready), port=port
    )


def _wait_ready(process: subprocess.Popen[bytes], address: _Address, log: Path, ready_within_s: float) -> None:
    deadline = time.monotonic() + ready_within_s
    last = "no answer"
    with httpx2.Client(timeout=5.0, trust_env=False) as http:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise JobError(f"The application ended with exit code {process.returncode}: {_tail(log)}")
            try:
                with http.stream("GET", address.ready) as answer:  # the body is untrusted and may have no end
                    if answer.is_success:
                        return
                    last = f"status {answer.status_code}"
            except httpx2.HTTPError as error:
                last = str(error) or type(error).__name__
            time.sleep(0.05)
    raise JobError(f"{address.ready} did not answer 2xx within {ready_within_s:.0f} s ({last}): {_tail(log)}")


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read(_TAIL_BYTES).decode(errors="replace").strip().splitlines()[-5:]
    return " / ".join(lines)[-500:] or "it wrote nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
