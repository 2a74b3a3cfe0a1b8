"""What a demo prints without a terminal."""

import io
import threading

from msgspec.structs import replace
from rich.console import Console

from sandbox.demo.story import Job, Moment, Pipeline, Story
from sandbox.demo.terminal import LiveScreen, PlainScreen, Screen
from tests.sandbox.demo.stories import a_story

FINDING = "SQL injection in the search"


def moment(before: str | None, after: str | None, reason: str) -> Moment:
    return Moment(event="", reason=reason, status_before=before, status_after=after)


def told(*moments: Moment) -> Story:
    return a_story(reason=moments[-1].reason, moments=moments)


def test_a_status_that_lasted_between_two_looks_only_is_told_and_each_once() -> None:
    printed = io.StringIO()
    screen = PlainScreen(Console(file=printed, width=200))
    waiting = moment(None, "awaiting_approval", "The plan waits.")
    screen.show(told(waiting), 0)
    screen.show(
        told(
            waiting,
            moment("awaiting_approval", "awaiting_approval", "Heard."),
            moment("awaiting_approval", "starting", "Mara approved the plan."),
            moment("starting", "running", "Pipeline 3 works."),
        ),
        0,
    )
    assert printed.getvalue().splitlines() == [
        "PL-1: awaiting approval. The plan waits.",
        "PL-1: starting. Mara approved the plan.",
        "PL-1: running. Pipeline 3 works.",
    ]


def ended(job: Job) -> Story:
    pipeline = Pipeline(id=1, project_id=1, kind="child", status="success", url="", jobs=(job,))
    return replace(told(moment(None, None, "")), pipelines=(pipeline,))


def printed_by(kind: type[Screen], story: Story) -> str:
    out = io.StringIO()
    screen = kind(Console(file=out, width=300))  # type: ignore[call-arg]  # both are made from a console
    with screen:
        screen.show(story, 0)
    return out.getvalue()


def test_a_job_that_failed_and_was_allowed_to_has_the_mark_and_words_of_gitlab() -> None:
    job = Job(id=7, name="reproduction: api", phase="reproduction", repository="api", status="failed", duration_s=3)
    for kind in (PlainScreen, LiveScreen):
        allowed = printed_by(kind, ended(replace(job, allow_failure=True)))
        assert "reproduction: api" in allowed
        assert "!" in allowed
        assert "failed, allowed to fail" in allowed
        assert "✗" not in allowed
        assert "✗" in printed_by(kind, ended(job))
        succeeded = printed_by(kind, ended(replace(job, status="success", allow_failure=True)))
        assert "!" not in succeeded


def test_of_a_confidential_run_the_terminal_says_what_happens_next_and_not_what_was_found() -> None:
    story = told(moment(None, "running", "Pipeline 1 works."), moment("running", "escalated", FINDING))
    hidden = replace(story, run=replace(story.run, status="escalated", audience="withheld"))
    lines = printed_by(PlainScreen, hidden)
    assert "Pipeline 1 works." in lines
    assert FINDING not in lines
    assert FINDING not in hidden.reason
    assert "the run's story, which needs a token" in lines
    assert "Next: " in lines
    assert FINDING in printed_by(PlainScreen, story)


class Listener(io.StringIO):
    """Lets wait for what is printed."""

    def __init__(self) -> None:
        super().__init__()
        self._printed = threading.Condition()

    def write(self, text: str) -> int:
        with self._printed:
            written = super().write(text)
            self._printed.notify_all()
        return written

    def hears(self, wanted: str) -> bool:
        """Wait until this is printed from now on."""
        with self._printed:
            since = len(self.getvalue())
            return self._printed.wait_for(lambda: wanted in self.getvalue()[since:], 60)


def test_there_are_signs_of_life_while_the_demo_itself_hangs_in_a_request_and_none_after_it() -> None:
    out = Listener()
    with PlainScreen(Console(file=out, width=200), every_s=0) as screen:
        screen.wait(61)
        assert out.hears("  … 61 s, waiting for the run to begin")  # nothing calls the screen meanwhile
    ended = out.getvalue()
    screen.wait(62)
    assert out.getvalue() == ended


def test_what_takes_its_time_is_named_and_then_what_went_on_before_is() -> None:
    out = Listener()
    with PlainScreen(Console(file=out, width=200), every_s=0) as screen:
        screen.now("the world is looked at")
        with screen.busy("Postgres restarts"):
            assert out.hears("s, Postgres restarts")
        assert out.hears("s, the world is looked at")


def test_a_world_that_is_left_running_is_silent() -> None:
    out = io.StringIO()
    screen = PlainScreen(Console(file=out, width=200))
    screen.now("")
    screen._beat()
    assert not out.getvalue()
