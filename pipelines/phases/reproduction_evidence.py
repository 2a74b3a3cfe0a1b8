"""Run the reproduction on checkouts, keep what it left as artifacts, and have it judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.role_users import Role
from pipelines.job.report_formats import suite_reports
from pipelines.job.reproduction.application import serve
from pipelines.job.reproduction.browser import find_browser
from pipelines.job.reproduction.ffmpeg import find_recorder
from pipelines.job.reproduction.frameworks import prepare_tools
from pipelines.job.reproduction.repository_imports import imports_from
from pipelines.job.reproduction.reproduction_run import Bench, Evidence, run_reproduction
from pipelines.job.reproduction.run_request import Script
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import read_untrusted
from pipelines.job.workspace.repositories import read_tree
from pipelines.language import ArtifactKind, Framework
from pipelines.language.change_set import ChangeSet
from pipelines.language.repository import Video
from pipelines.phases.submission import plain_path
from pipelines.proof.observations import ObservedExchange
from pipelines.proof.repeated_runs import RunPlan, Side, together
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


def script_of(job: Job, data: bytes, *, framework: Framework, path: str) -> Script:
    """Return a reproduction, as it is run. Raises `JobError` when the path leaves the repository."""
    if not plain_path(path):
        raise JobError("The reproduction's path is not one of a file in the repository.")
    imports = imports_from(read_tree(job.source), data, path=path, framework=framework)
    return Script(data=data, framework=framework, path=path, imports=imports)


class Tried(Struct, frozen=True, kw_only=True):
    """The same reproduction without a patch and with it."""

    before: ReproductionVerdict
    after: ReproductionVerdict
    patched: Stage
    """The checkout with the patch."""
    names: tuple[str, ...]
    """Of the reproduction's tests."""


def before_and_after(job: Job, bench: Bench, script: Script, change: ChangeSet, *, plan: RunPlan) -> Tried:
    """Run a reproduction on both sides as drawn, each time as if it were the first, and judge the runs.

    What the runs left is kept after the last of them, so that none finds anything of another.
    """
    changes = {Side.BEFORE: None, Side.AFTER: change}
    stages = {side: Stage(job, bench, name=side, change=changes[side]) for side in plan.prepared}
    left: dict[Side, list[Evidence]] = {side: [] for side in Side}
    tried = None
    for side in plan.order:
        left[side].append(stages[side].run(script))
        tried = _judged(left, stages[Side.AFTER])
        if tried is not None and not (tried.before.holds and tried.after.holds):
            break
    if tried is None:
        raise ValueError(f"A reproduction has to run on both sides, not as {plan.order}.")
    for side, found in left.items():
        for name, evidence in zip((side.value, f"{side}-again"), found, strict=False):
            stages[side].keep(evidence, name=name)
    stages[Side.BEFORE].forget()
    red = f"before the patch: {'RED' if tried.before.holds else 'not red'}"
    green = f"with the patch: {'GREEN' if tried.after.holds else 'not green'}"
    job.log.say(f"{red}: {headline(tried.before.reason)}", instead=red)
    job.log.say(f"{green}: {tried.after.reason}", instead=green)
    return tried


def _judged(left: Mapping[Side, Sequence[Evidence]], patched: Stage) -> Tried | None:
    """Return the verdict of the runs so far; None before there is one on each side."""
    if not all(left.values()):
        return None
    names = called_tests(left[Side.BEFORE][0].run)
    return Tried(
        before=together([judge_failing(one.run) for one in left[Side.BEFORE]]),
        after=together([judge_passing(one.run, names=names) for one in left[Side.AFTER]]),
        patched=patched,
        names=names,
    )


class Stage:
    """A checkout of the job's repository, installed, on which the reproduction can be run again and again."""

    def __init__(
        self,
        job: Job,
        bench: Bench,
        *,
        name: str,
        change: ChangeSet | None = None,
        without: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._job = job
        self._bench = bench
        self._is_patched = change is not None
        job.launcher.renew(Role.APPLICATION)
        self._beside = job.neighbours(Role.NEIGHBOUR)
        self.place = job.check_out(name, Role.APPLICATION, change=change, without=without)
        self.place.install()
        for place in (self.place, *self._beside):
            place.end()
            place.keep()

    def run(self, script: Script, *, anew: bool = True) -> Evidence:
        """Serve the checkout, as it was installed if `anew`, and run the test against it.

        A browser that hangs after the test's body has ended says nothing about the test: that run is made once more.
        """
        evidence = self._run(script, anew=anew)
        if hung_at_its_end(evidence.run):
            self._job.log.state("the browser hung after the test had ended; the test is run once more")
            evidence = self._run(script, anew=anew)
        return evidence

    def forget(self) -> None:
        """Give up the checkout: its runs are over."""
        self.place.forget()

    def _run(self, script: Script, *, anew: bool) -> Evidence:
        job = self._job
        for place in (self.place, *self._beside) if anew else ():
            place.renew()
        with serve(self.place, beside=self._beside) as application, job.log.step(f"reproduction ({self.name})"):
            evidence = run_reproduction(
                script,
                application=application,
                bench=self._bench,
                folder=job.root / "reproduction",
                base=job.base_files() if script.imports else None,
            )
        for place in (self.place, *self._beside):
            place.end()
        logs = (("", application.log), *((f"-{key}", one.log) for key, one in application.neighbours))
        found = tuple((key, data) for key, log in logs if (data := read_untrusted(log)) is not None)
        return replace(evidence, server_logs=found)

    def _junit(self, evidence: Evidence) -> bytes | None:
        """Return the report as GitLab shows it, with what the run was to show; as it is where it can't be read."""
        if not evidence.run.cases:
            return evidence.junit
        return suite_reports.reproduction(evidence.run.cases, is_patched=self._is_patched)

    def keep(
        self, evidence: Evidence, *, name: str | None = None, kinds: frozenset[ArtifactKind] = frozenset(ArtifactKind)
    ) -> None:
        """Keep what a run left by the stage's name or another; of what is not the first run only report and logs."""
        lines = msgspec.json.Encoder().encode_lines
        exchanges = [note for note in evidence.run.notes if isinstance(note, ObservedExchange)]
        name = name or self.name
        kept = (
            (ArtifactKind.SCREENSHOT, f"screenshot-{name}.png", evidence.screenshot),
            (ArtifactKind.TRACE, f"trace-{name}.zip", evidence.trace),
            (ArtifactKind.VIDEO, f"video-{name}.webm", evidence.video),
            (ArtifactKind.JUNIT, f"junit-{name}.xml", self._junit(evidence)),
            (ArtifactKind.LOG, f"test-{name}.log", evidence.completed.output.encode()),
            (ArtifactKind.LOG, f"console-{name}.jsonl", lines(evidence.run.notes)),
            (ArtifactKind.LOG, f"exchanges-{name}.jsonl", lines(exchanges) if exchanges else None),
            *((ArtifactKind.LOG, f"server-{name}{key}.log", data) for key, data in evidence.server_logs),
        )
        wanted = kinds if name == self.name else _OF_A_SECOND_RUN & kinds
        for kind, path, data in kept:
            if data is not None and kind in wanted:
                self._job.artifacts.keep(kind, path, data)
