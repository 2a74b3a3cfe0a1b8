"""A job that GitLab ends does end: its cancellation is raised until it is dealt with, and then no more."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.job.communication.errors import JobCancelledError
from pipelines.supervision.cancellation import Cancellation, postponed


@pytest.fixture
def cancellation() -> Iterator[Cancellation]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    made = Cancellation(again_s=0.01)
    made.watch()
    yield made
    made.end()
    for number, handler in before.items():
        signal.signal(number, handler)


@contextlib.contextmanager
def raised(cancellation: Cancellation) -> Iterator[None]:
    """Expect that the job's end is raised, and deal with it at once, as else the timer raises it in pytest."""
    try:
        yield
    except JobCancelledError:
        cancellation.end()
    else:
        pytest.fail("nothing was raised")


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[type[BaseException]]:
    """Return what was raised where nobody can catch it."""
    found: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraised: found.append(unraised.exc_type))
    return found


def end_the_job() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def wait_for_something() -> None:
    """Wait in a system call for what never comes."""
    threading.Event().wait(60)


class Finalized:
    """Ends the job where what is raised is dropped."""

    def __del__(self) -> None:
        end_the_job()


def test_a_cancellation_that_a_finalizer_drops_is_raised_again(
    cancellation: Cancellation, unraisable: list[type[BaseException]]
) -> None:
    with raised(cancellation):
        _drop()
    assert JobCancelledError in unraisable


def _drop() -> None:
    gone: Any = Finalized()
    del gone
    wait_for_something()


def test_a_signal_that_does_not_interrupt_a_wait_is_seen_all_the_same(cancellation: Cancellation) -> None:
    """As one that comes just before the wait begins: another thread gets it."""
    with raised(cancellation):
        _wait_while_another_thread_is_told()


def _wait_while_another_thread_is_told() -> None:
    threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()
    wait_for_something()


def test_what_tries_again_after_any_exception_does_not_catch_it(cancellation: Cancellation) -> None:
    with raised(cancellation), contextlib.suppress(Exception):
        end_the_job()


@contextlib.contextmanager
def ended() -> Iterator[list[str]]:
    """End what was started, at length, while GitLab and the timer go on asking."""
    done: list[str] = []
    try:
        yield done
    finally:
        for number in (signal.SIGTERM, signal.SIGALRM):
            signal.raise_signal(number)
            try:
                os.close(-1)
            except OSError:
                signal.raise_signal(number)
            done.append(number.name)


def test_the_ending_of_what_was_started_is_not_interrupted(cancellation: Cancellation) -> None:
    with raised(cancellation), ended() as done:
        end_the_job()
    assert done == ["SIGTERM", "SIGALRM"]


def test_a_cancellation_can_be_postponed(cancellation: Cancellation) -> None:
    done: list[str] = []
    with raised(cancellation):
        _clean_up(done)
    assert done == ["cleaned up"]


def _clean_up(done: list[str]) -> None:
    with postponed():
        end_the_job()
        done.append("cleaned up")


def test_a_cancellation_that_another_thread_gets_is_postponed_too(cancellation: Cancellation) -> None:
    done: list[str] = []
    with raised(cancellation):
        _clean_up_beside_another_thread(done)
    assert done == ["cleaned up", "and what is around it"]


def _clean_up_beside_another_thread(done: list[str]) -> None:
    with postponed():
        with postponed():
            told = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))
            told.start()
            told.join()
            done.append("cleaned up")
        done.append("and what is around it")


@pytest.mark.usefixtures("cancellation")
def test_nothing_is_raised_after_what_was_postponed_where_nobody_ended_the_job() -> None:
    with postponed():
        signal.raise_signal(signal.SIGALRM)


def test_a_job_that_ends_is_not_interrupted_any_more(cancellation: Cancellation) -> None:
    with raised(cancellation):
        end_the_job()
    signal.raise_signal(signal.SIGTERM)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
