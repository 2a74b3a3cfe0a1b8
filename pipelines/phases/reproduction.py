"""`reproduction`: an agent writes a test that shows the bug; the job itself runs it on untouched code and judges it."""

from __future__ import annotations

from typing import Any

from pipelines.agents.loop import Submitted
from pipelines.job.application import serve
from pipelines.job.browser import Browser, find_browser
from pipelines.job.errors import JobError
from pipelines.job.job import Job
from pipelines.job.processes import Role
from pipelines.job.tool_environment import browser_environment
from pipelines.job.verdict import judge_failing
from pipelines.job.workplace import Workplace
from pipelines.model import (
    ArtifactKind,
    PhaseReport,
    ReportOutcome,
    ReproductionResult,
    ReproductionSubmission,
)
from pipelines.phases.conversation import hold
from pipelines.phases.evidence import Stage
from pipelines.phases.submission import SubmissionError, decoded, plain_path

_ATTEMPTS = 4
"""How often a submitted test is run before the honest answer is "not reproduced"."""
_TEST_LIMIT = 200_000


def run(job: Job) -> PhaseReport:
    """Return a test that fails for the right reason, or an honest no."""
    browser = find_browser(job.launcher)
    # Before the conversation: ending the processes of a role while the agent works would end its tools as well.
    stage = Stage(job, name="before")
    place = job.workplace("work", Role.WORK)
    place.install()
    beside = job.neighbours("work", Role.WORK)
    trial = _Trial(job, place, stage, browser)
    with serve(place, beside=beside) as application:
        job.log.say(f"the application answers at {application.base_url}")
        extra = browser_environment(job.root, browser) | {"BASE_URL": application.base_url} | application.addresses
        hold(job, place, submit=trial.submit, values={"base_url": application.base_url}, extra=extra)
    return trial.report()


class _Trial:
    """Submitted tests and what came of them."""

    def __init__(self, job: Job, place: Workplace, stage: Stage, browser: Browser) -> None:
        self._job = job
        self._place = place
        self._stage = stage
        self._browser = browser
        self._attempts = 0
        self._result: ReproductionResult | None = None

    def submit(self, given: dict[str, Any]) -> Submitted:
        """Take the model's claim; a claim to have reproduced the bug is tried at once."""
        try:
            claim = decoded(given, ReproductionSubmission)
            test = self._read(claim.test_path) if claim.reproduced else b""
        except SubmissionError as error:
            return Submitted(accepted=False, answer=str(error))
        if not claim.reproduced:
            self._result = self._no(claim, "The agent could not show the bug.")
            return Submitted(accepted=True, answer="Noted: not reproduced.")
        self._attempts += 1
        evidence = self._stage.run(test, browser=self._browser, attempt=self._attempts)
        verdict = judge_failing(evidence.run)
        self._job.log.say(f"{'RED, as it should be' if verdict.holds else 'does not count'}: {verdict.reason}")
        if verdict.holds:
            kept = self._job.artifacts.keep(ArtifactKind.REPRODUCTION_TEST, "reproduction_test.py", test)
            self._result = ReproductionResult(
                base_sha=self._job.source.base_sha,
                reproduced=True,
                test_path=claim.test_path,
                test_sha256=kept.sha256,
                failure=verdict.reason,
                symptom=claim.symptom,
                steps=tuple(claim.steps),
            )
            return Submitted(accepted=True, answer="The test fails on the unpatched code for the right reason.")
        if self._attempts >= _ATTEMPTS:
            self._result = self._no(claim, verdict.reason)
            return Submitted(accepted=True, answer="The attempts are used up; the phase ends as not reproduced.")
        tail = evidence.completed.output[-4000:]
        left = _ATTEMPTS - self._attempts
        return Submitted(
            accepted=False, answer=f"{verdict.reason} {left} attempts are left. The end of its output:\n{tail}"
        )

    def report(self) -> PhaseReport:
        """Return the phase's report; the agent's processes have ended."""
        result = self._result
        if result is None:
            raise JobError("The conversation ended without a reproduction.")
        if result.reproduced:
            first = result.failure.strip().splitlines()[0][:300] if result.failure.strip() else "an assertion failed"
            return self._job.report(ReportOutcome.SUCCEEDED, f"RED on the unpatched code: {first}", result)
        return self._job.report(ReportOutcome.NOT_REPRODUCED, f"Not reproduced: {result.failure[:500]}", result)

    def _read(self, path: str) -> bytes:
        """Read the test as the user that owns the work folder: a link in it reaches nothing else."""
        if not plain_path(path) or not path.endswith(".py"):
            raise SubmissionError("test_path must be a .py file, relative to the repository's root.")
        done = self._job.launcher.run(
            ["head", "-c", str(_TEST_LIMIT + 1), "--", path], role=Role.WORK, cwd=self._place.folder, timeout_s=30
        )
        if done.exit_code != 0:
            raise SubmissionError(f"{path} can't be read: {done.output.strip()[-200:]}")
        if not 0 < len(done.output) <= _TEST_LIMIT:
            raise SubmissionError(f"{path} has {len(done.output)} characters; a test has 1 to {_TEST_LIMIT}.")
        return done.output.encode()

    def _no(self, claim: ReproductionSubmission, why: str) -> ReproductionResult:
        return ReproductionResult(
            base_sha=self._job.source.base_sha,
            reproduced=False,
            test_path="",
            test_sha256=None,
            failure=why,
            symptom=claim.symptom,
            steps=tuple(claim.steps),
        )
