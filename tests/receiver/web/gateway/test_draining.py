"""`bug-fix serve` as a process of its own: SIGTERM while a call streams loses neither the answer nor what it cost."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sandbox.http.asgi_server import bind

pytestmark = pytest.mark.acceptance

CATALOGUE = Path(__file__).parents[4] / "sandbox" / "scenarios" / "pl-479" / "bug-fix.yml"
YEARS = 24 * 365 * 20
"""Hours: the process has the clock of the machine."""


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        threading.Event().wait(0.02)
    pytest.fail("the state did not come")


@dataclass
class Served:
    """A receiver's process."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def answers(self) -> bool:
        """Say whether somebody new is let in."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except ConnectionRefusedError:
            return False
        return True


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[Served]:
    with closing(bind()[0]) as free:
        port = int(free.getsockname()[1])
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {name.upper(): value for name, value in settings.items()}
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "receiver", "serve"],
            env=environment | {"PORT": str(port), "BUG_FIX_CATALOGUE": str(CATALOGUE)},
            stdout=output,
            stderr=output,
        )
    try:
        yield Served(port, process, log)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def gateway(desk: Any, vendor: Any, tmp_path: Path) -> Iterator[Served]:
    """Serve the receiver from a process, in front of the emulated vendor, with a run at work."""
    desk.run()
    settings = {
        "database_url": desk.address,
        "gitlab_url": "http://127.0.0.1:9",
        "gitlab_token": "gitlab token of the bot",
        "gitlab_starter_token": "starter token of the bot",
        "gitlab_webhook_secrets": "the secret of the hooks",
        "jira_url": "http://127.0.0.1:9",
        "jira_token": "jira token of the bot",
        "jira_webhook_secrets": "the secret of the hooks",
        "anthropic_base_url": vendor.url,
        "anthropic_api_key": "sk-ant-of-the-tests",
        "public_url": "http://receiver.example",
        "read_tokens": "a token to read with",
    }
    with served(tmp_path, **settings) as running:
        wait_for(lambda: running.process.poll() is not None or running.answers())
        assert running.process.poll() is None, running.log.read_text()
        yield running


@pytest.mark.parametrize("client", ["stays", "leaves"])
def test_a_call_that_streams_when_the_server_is_told_to_stop_is_finished_and_settled(
    client: str, gateway: Served, desk: Any, vendor: Any, request_body: Callable[..., dict[str, Any]]
) -> None:
    headers = {
        "authorization": f"Bearer {desk.session('analysis', hours=YEARS)}",
        "anthropic-version": "2023-06-01",
    }
    vendor.post("hold", at="mid_stream")
    with (
        httpx2.Client(base_url=f"http://127.0.0.1:{gateway.port}", headers=headers, timeout=60) as http,
        http.stream("POST", "/gateway/v1/messages", json=request_body(stream=True)) as answer,
        closing(answer.iter_bytes()) as chunks,
    ):
        told = next(chunks)
        assert answer.status_code == 200
        vendor.wait_held(1)
        gateway.process.terminate()
        if client == "leaves":
            answer.close()
        wait_for(lambda: not gateway.answers())
        assert gateway.process.poll() is None, "it waits for the call"
        assert desk.rows("SELECT state FROM usage") == [("reserved",)]
        vendor.post("release")
        if client == "stays":
            told += b"".join(chunks)
            assert b"message_stop" in told
    assert gateway.process.wait(60) in {0, -15}, gateway.log.read_text()
    ((state, cost, output),) = desk.rows("SELECT state, cost_usd, output_tokens FROM usage")
    (booked,) = vendor.books()
    assert (state, output) == ("settled", booked["output_tokens"])
    assert cost is not None
    assert cost > 0
