"""Run the reproduction on checkouts, keep what it left as artifacts, and have it judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec
from msgspec import Struct

from pipelines.job.isolation.processes import Role
from pipelines.job.reports import suite_reports
from pipelines.job.reproduction.application import Application, serve
from pipelines.job.reproduction.browser import find_browser
from pipelines.job.reproduction.ffmpeg import find_recorder
from pipelines.job.reproduction.frameworks import prepare_tools
from pipelines.job.reproduction.reproduction_run import Bench, Evidence, run_reproduction
from pipelines.job.reproduction.run_request import Script
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import read_untrusted
from pipelines.language import ArtifactKind, Framework, ReproductionResult
from pipelines.language.catalogue import Video
from pipelines.language.change_set import ChangeSet
from pipelines.proof.observations import ObservedExchange
from pipelines.proof.reproduction_verdict import (
    ReproductionVerdict,
    called_tests,
    headline,
    hung_at_its_end,
    judge_failing,
    judge_passing,
)

_OF_A_SECOND_RUN = frozenset({ArtifactKind.JUNIT, ArtifactKind.LOG})


def make_bench(job: Job, framework: Framework) -> Bench:
    """Find the browser and install the framework's tools; once for a job, before anything else runs in it."""
    browser, tools = find_browser(job.launcher), prepare_tools(job, framework)
    recorder = None
    if job.repository.reproduction.video is Video.ALWAYS:
        recorder = find_recorder(job.root, tools)
        if recorder is None:
            job.log.state("no video: this runner has no ffmpeg; install it, or run `playwright install ffmpeg`")
    return Bench(launcher=job.launcher, browser=browser, tools=tools, recorder=recorder)


def script_of(data: bytes, result: ReproductionResult) -> Script:
    """Return an accepted reproduction as it was when it was accepted."""
    return Script(data=data, framework=result.framework, suffix=PurePosixPath(result.test_path).suffix or ".py")


class Tried(Struct, frozen=True, kw_only=True):
    """The same reproduction without a patch and with it."""

    before: ReproductionVerdict
    after: ReproductionVerdict
    patched: Checkout
    """The checkout with the patch; no process of its role is left."""
    names: tuple[str, ...]
    """Of the reproduction's tests."""


def before_and_after(job: Job, bench: Bench, script: Script, change: ChangeSet) -> Tried:
    """Run a reproduction on two fresh checkouts and judge both runs.

    The patched one first: a test that counts its own runs, and passes from the second one on, is found out.
    """
    patched = Stage(job, bench, name="after", change=change)
    after_run = patched.run(script).run
    before_run = Stage(job, bench, name="before").run(script).run
    before = judge_failing(before_run)
    names = called_tests(before_run)
    after = judge_passing(after_run, names=names)
    red = f"before the patch: {'RED' if before.holds else 'not red'}"
    green = f"with the patch: {'GREEN' if after.holds else 'not green'}"
    job.log.say(f"{red}: {headline(before.reason)}", instead=red)
    job.log.say(f"{green}: {after.reason}", instead=green)
    return Tried(before=before, after=after, patched=patched.place, names=names)


class Stage:
    """A fresh checkout of the job's repository, installed, on which the reproduction can be run."""

    def __init__(
        self,
        job: Job,
        bench: Bench,
        *,
        name: str,
        change: ChangeSet | None = None,
        without: Sequence[str] = (),
        keeps: frozenset[ArtifactKind] = frozenset(ArtifactKind),
    ) -> None:
        self._job = job
        self._bench = bench
        self._name = name
        self._is_patched = change is not None
        self._runs = 0
        self._keeps = keeps
        job.launcher.renew(Role.APPLICATION)
        job.launcher.renew(Role.NEIGHBOUR)
        self._beside = job.neighbours(name, Role.NEIGHBOUR)
        self.place = job.check_out(name, Role.APPLICATION, change=change, without=without)
        self.place.install()
        self._end()

    def run(self, script: Script, *, keep_as: str | None = None) -> Evidence:
        """Serve the checkout, run the test against it, keep the evidence by the stage's name or another.

        A browser that hangs after the test's body has ended says nothing about the test: that run is made once more.
        """
        evidence = self._run(script, name=keep_as or self._name)
        if hung_at_its_end(evidence.run):
            self._job.log.state("the browser hung after the test had ended; the test is run once more")
            evidence = self._run(script, name=keep_as or self._name)
        return evidence

    def _run(self, script: Script, *, name: str) -> Evidence:
        job = self._job
        self._runs += 1
        with serve(self.place, beside=self._beside) as application, job.log.step(f"reproduction ({name})"):
            evidence = run_reproduction(
                script,
                application=application,
                bench=self._bench,
                folder=job.root / f"run-{self._name}-{self._runs}",
            )
        self._end()
        self._keep(name, evidence, application)
        return evidence

    def _junit(self, evidence: Evidence) -> bytes | None:
        """Return the report as GitLab shows it, with what the run was to show; as it is where it can't be read."""
        if not evidence.run.cases:
            return evidence.junit
        return suite_reports.reproduction(evidence.run.cases, is_patched=self._is_patched)

    def _end(self) -> None:
        for place in (self.place, *self._beside):
            place.end()

    def _keep(self, name: str, evidence: Evidence, application: Application) -> None:
        lines = msgspec.json.Encoder().encode_lines
        exchanges = [note for note in evidence.run.notes if isinstance(note, ObservedExchange)]
        kept = (
            (ArtifactKind.SCREENSHOT, f"screenshot-{name}.png", evidence.screenshot),
            (ArtifactKind.TRACE, f"trace-{name}.zip", evidence.trace),
            (ArtifactKind.VIDEO, f"video-{name}.webm", evidence.video),
            (ArtifactKind.JUNIT, f"junit-{name}.xml", self._junit(evidence)),
            (ArtifactKind.LOG, f"test-{name}.log", evidence.completed.output.encode()),
            (ArtifactKind.LOG, f"console-{name}.jsonl", lines(evidence.run.notes)),
            (ArtifactKind.LOG, f"exchanges-{name}.jsonl", lines(exchanges) if exchanges else None),
            (ArtifactKind.LOG, f"server-{name}.log", read_untrusted(application.log)),
            *(
                (ArtifactKind.LOG, f"server-{name}-{key}.log", read_untrusted(one.log))
                for key, one in application.neighbours
            ),
        )
        wanted = self._keeps if name == self._name else _OF_A_SECOND_RUN & self._keeps
        for kind, path, data in kept:
            if data is not None and kind in wanted:
                self._job.artifacts.keep(kind, path, data)
