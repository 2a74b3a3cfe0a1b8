"""What people read in the job log, and what never gets there."""

from __future__ import annotations

import io
import re

import pytest

from pipelines.job.communication.disclosure import Disclosure
from pipelines.job.communication.job_log import JobLog, printable


def test_secrets_are_taken_out_wherever_they_stand() -> None:
    stream = io.StringIO()
    log = JobLog(stream=stream)
    log.hide("tok-1", "")
    log.say("clone failed: http://x:tok-1@host")
    log.block("a\ntok-1\n")
    assert "tok-1" not in stream.getvalue()
    assert stream.getvalue().count("[removed]") == 2


def test_untrusted_text_does_not_draw_on_the_log() -> None:
    assert printable("a\x1b[31mb\x1b[0K\rsection_start:1:x\u202e\u200b\x07c\n") == "absection_start:1:xc\n"


def test_one_call_writes_one_line() -> None:
    stream = io.StringIO()
    JobLog(stream=stream).say("a\nb" + "x" * 1000)
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue()) < 450


def test_a_long_step_is_never_silent() -> None:
    stream = io.StringIO()
    log = JobLog(stream=stream, heartbeat_s=0.01, silent_s=0.01)
    with log.step("install"):
        while stream.getvalue().count("still at it") < 2:
            pass
    assert "install …" in stream.getvalue()
    assert stream.getvalue().splitlines()[-1].endswith(" s")


def told(log: JobLog) -> None:
    """Write one line of each kind."""
    log.state("turn 1")
    log.say("the model: SQL injection")
    log.say("  bash cat store.py: ok", instead="  bash: ok")
    log.block("store.py:82\n")
    with log.step("install"), log.patiently("  bash", detail=" cat store.py"):
        pass


def lines(stream: io.StringIO) -> list[str]:
    """Return what was written, without times."""
    return [re.sub(r" \d+\.\d s$", "", line[11:]) for line in stream.getvalue().splitlines()]


PLAIN = ["turn 1", "  bash: ok", "install:"]
ALL = ["the model: SQL injection", "  bash cat store.py: ok", "  | store.py:82"]


def test_what_is_withheld_is_never_written() -> None:
    stream = io.StringIO()
    log = JobLog(stream=stream)
    log.disclose(Disclosure.WITHHELD)
    told(log)
    assert lines(stream) == PLAIN


@pytest.mark.parametrize(("outcome", "after"), [(Disclosure.OPEN, ALL), (Disclosure.WITHHELD, [])])
def test_what_is_undecided_is_written_when_it_may_be_or_not_at_all(outcome: Disclosure, after: list[str]) -> None:
    stream = io.StringIO()
    log = JobLog(stream=stream)
    log.disclose(Disclosure.UNDECIDED)
    told(log)
    assert lines(stream) == PLAIN
    log.disclose(outcome)
    assert lines(stream) == PLAIN + after


def test_a_long_step_says_with_which_words_only_where_they_may_be_read() -> None:
    for disclosure, is_told in ((Disclosure.OPEN, True), (Disclosure.WITHHELD, False)):
        stream = io.StringIO()
        log = JobLog(stream=stream, heartbeat_s=0.01, silent_s=0.01)
        log.disclose(disclosure)
        with log.patiently("  bash", detail=" cat store.py"):
            while stream.getvalue().count("still at it") < 1:
                pass
        assert ("store.py" in stream.getvalue()) is is_told
