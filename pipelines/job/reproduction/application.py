"""Start the application under test, with those beside it, and wait until they answer. Decides nothing about tests."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from pipelines.catalogue.served_order import address_variable
from pipelines.job import limits
from pipelines.job.communication.errors import CommandsError, SilentApplicationError
from pipelines.job.workspace.checkout import Checkout

PORT = re.compile(r"\{port\}|\$\{PORT\}|\$PORT\b")
"""Where a command or address of the catalogue asks for the port."""

_NEW_LOG = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class Application(Struct, frozen=True, kw_only=True):
    """A running application."""

    base_url: str
    log: Path
    """Its output; untrusted."""
    neighbours: tuple[tuple[str, Application], ...] = ()
    """What runs beside it, by catalogue key."""

    @property
    def addresses(self) -> dict[str, str]:
        """Variables by which its neighbours are found, such as `API_URL`."""
        return {address_variable(key): one.base_url for key, one in self.neighbours}


class _Address(Struct, frozen=True, kw_only=True):
    command: str
    ready: str
    port: int


@contextmanager
def serve(
    place: Checkout, *, beside: Sequence[Checkout] = (), ready_within_s: float = limits.READY_S
) -> Iterator[Application]:
    """Run the catalogue's `serve` in a checkout until the block ends. Raises `CommandsError` when it can't.

    `beside` are started before it, in that order, and end after it; each is told where those are that it names.
    """
    running: dict[str, Application] = {}
    with ExitStack() as stack:
        for other in beside:
            running[other.repository.key] = stack.enter_context(_served(other, running, ready_within_s))
            place.log.state(f"{other.repository.key} answers beside it at {running[other.repository.key].base_url}")
        yield stack.enter_context(_served(place, running, ready_within_s))


@contextmanager
def _served(place: Checkout, running: Mapping[str, Application], ready_within_s: float) -> Iterator[Application]:
    address = _address(place)
    try:
        process, application = _started(place, address, running, ready_within_s)
    except SilentApplicationError:
        raise
    except CommandsError:
        if not _lingers(address.port):
            raise
        # It does not take an address on which connections of its run before linger, as most servers do.
        place.launcher.ports.pop(place.place.name, None)
        process, application = _started(place, _address(place), running, ready_within_s)
    try:
        yield application
    finally:
        place.stop(process)


def _started(
    place: Checkout, address: _Address, running: Mapping[str, Application], ready_within_s: float
) -> tuple[subprocess.Popen[bytes], Application]:
    named = () if place.repository.serve is None else place.repository.serve.with_
    parts = urlsplit(address.ready)
    application = Application(
        base_url=f"{parts.scheme}://{parts.netloc}",
        log=place.root / f"serve-{place.place.name}.log",
        neighbours=tuple((key, running[key]) for key in named if key in running),
    )
    extra = application.addresses | {"PORT": str(address.port)}
    with open(os.open(application.log, _NEW_LOG, 0o600), "wb") as output:  # noqa: PTH123 - a descriptor, not a path
        process = place.start(address.command, extra=extra, output=output.fileno())
    try:
        _wait_ready(process, place.repository.key, address, application.log, ready_within_s)
    except BaseException:
        place.stop(process)
        raise
    return process, application


def _address(place: Checkout) -> _Address:
    repository, ports = place.repository, place.launcher.ports
    serve_ = repository.serve
    if serve_ is None:
        raise CommandsError(
            f"The catalogue has no `serve` for {repository.key}: a reproduction needs a running application."
        )
    templated = bool(PORT.search(serve_.ready) or PORT.search(serve_.run))
    port = ports.get(place.place.name) if templated else urlsplit(serve_.ready).port
    if templated and (port is None or not _is_free(port)):
        port = ports[place.place.name] = _free_port()
    if port is None:
        raise CommandsError(f"`serve.ready` of {repository.key} names no port; write `http://127.0.0.1:$PORT/…`.")
    if not templated and _answers(port):
        raise CommandsError(f"Port {port} is taken on this runner; use `$PORT` in `serve` of {repository.key}.")
    return _Address(command=serve_.run.replace("{port}", str(port)), ready=PORT.sub(str(port), serve_.ready), port=port)


def _wait_ready(
    process: subprocess.Popen[bytes], key: str, address: _Address, log: Path, ready_within_s: float
) -> None:
    deadline = time.monotonic() + ready_within_s
    last = "no answer"
    is_secure = address.ready.startswith("https:")  # else the machine's authorities would be read for nothing
    with httpx2.Client(timeout=5.0, trust_env=False, verify=is_secure) as http:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise CommandsError(f"{key} ended with exit code {process.returncode}: {_tail(log)}")
            try:
                with http.stream("GET", address.ready) as answer:  # the body is untrusted and may have no end
                    if answer.is_success:
                        return
                    last = f"status {answer.status_code}"
            except httpx2.HTTPError as error:
                last = str(error) or type(error).__name__
            time.sleep(0.05)
    raise SilentApplicationError(
        f"{key}: {address.ready} did not answer 2xx within {ready_within_s:.0f} s ({last}): {_tail(log)}"
    )


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - limits.APPLICATION_LOG_TAIL))
        lines = file.read(limits.APPLICATION_LOG_TAIL).decode(errors="replace").strip().splitlines()[-5:]
    return " / ".join(lines)[-500:] or "it wrote nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    """Say whether an application that reuses addresses gets a port, also where connections of an earlier one linger."""
    return _binds(port, reuse=1)


def _lingers(port: int) -> bool:
    return not _answers(port) and not _binds(port, reuse=0)


def _binds(port: int, *, reuse: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
