"""What people read in the job log, and what never gets there."""

from __future__ import annotations

import io

from pipelines.job.log import JobLog, printable


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
