"""The commands that steer a run at a terminal, and the documentation that is made of their table."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import select

from receiver import limits
from receiver.cli import command as base
from receiver.cli import steering_reference
from receiver.cli.program import COMMANDS, main
from receiver.store.postgres.database import Database
from receiver.store.schema import DeliveryRow
from receiver.worker.delivery_task import process
from receiver.worker.event_handler import Setting
from receiver.workflow.commands.command_table import RULES
from receiver.workflow.messages import Venue


@pytest.fixture(autouse=True)
def _consoles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make consoles that write to what each invocation captures."""
    monkeypatch.setattr(base, "out", Console(width=200))
    monkeypatch.setattr(base, "err", Console(stderr=True, width=200))


def run(address: str, *arguments: str) -> Any:
    return CliRunner(env={"DATABASE_URL": address, "BUG_FIX_EMBEDDED": None}).invoke(main, list(arguments))


@contextmanager
def worker(address: str, setting: Setting) -> Iterator[None]:
    """Handle each delivery that comes, until the block ends."""
    stop = threading.Event()

    async def work() -> None:
        async with Database(address) as database:
            while not stop.is_set():
                async with database.begin() as session:
                    waiting = list(await session.scalars(select(DeliveryRow.id).where(DeliveryRow.verdict.is_(None))))
                for delivery in waiting:
                    await process(database, delivery, setting=setting)
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def setting() -> Setting:
    from tests.receiver.workflow.conftest import World  # noqa: PLC0415 - not a fixture of this folder

    world = World()
    return Setting(catalogue=world.catalogue, clock=lambda: datetime.now(UTC), new_run=lambda: world.new_id, bot=7)


@pytest.mark.integration
def test_a_command_at_a_terminal_does_what_a_comment_does_and_says_so(told: str, setting: Setting) -> None:  # a fixture
    with worker(told, setting):
        done = run(told, "cancel", "PL-479", "--as", "Olga")
        assert (done.exit_code, "Olga cancelled the bug fix." in done.stdout) == (0, True), done.output
        again = run(told, "cancel", "PL-479", "--as", "Olga")
        assert again.exit_code == base.CANNOT
        assert "Nothing is at work that could be cancelled: the bug fix is cancelled." in again.stderr
        unclear = run(told, "budget", "PL-479", "lots")
        assert (unclear.exit_code, "/bug-fix budget +5" in unclear.stderr) == (base.CANNOT, True)
        hint = run(told, "retry", "PL-479", "implementation", "--hint", "use Decimal")
        assert (hint.exit_code, "wants another attempt from implementation on" in hint.stdout) == (0, True), hint.output


@pytest.mark.integration
def test_without_a_worker_it_is_said_where_to_look(told: str, monkeypatch: pytest.MonkeyPatch) -> None:  # a fixture
    monkeypatch.setattr(limits, "COMMAND_AWAITED_S", 0.2)
    done = run(told, "pause", "PL-479")
    assert (done.exit_code, "no worker has taken it yet" in done.stdout) == (0, True), done.output


@pytest.mark.integration
def test_an_unknown_run_is_named(told: str) -> None:  # a fixture
    done = run(told, "cancel", "PL-1")
    assert (done.exit_code, "There is no run PL-1" in done.stderr) == (base.CANNOT, True)


def test_every_command_that_can_be_given_at_a_terminal_is_one_of_bug_fix() -> None:
    here = {word for word, rule in RULES.items() if Venue.TERMINAL in rule.where and not rule.later}
    assert {name for name, module, _ in COMMANDS if module == "steer_commands"} == here


def test_the_page_about_steering_has_the_table_as_it_is() -> None:
    page = Path(steering_reference.PAGE).read_text(encoding="utf-8")
    assert steering_reference.page(page) == page, "write it anew: python -m receiver.cli.steering_reference"
