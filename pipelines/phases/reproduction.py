"""`reproduction`: an agent writes a test that shows the bug; the job itself runs it on untouched code and judges it."""

from __future__ import annotations

from typing import Any

from pipelines.agents.loop import Submitted
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.application import serve
from pipelines.job.reproduction.bisect import bisect_script
from pipelines.job.reproduction.frameworks import framework_of
from pipelines.job.reproduction.reproduction_run import Evidence
from pipelines.job.reproduction.run_request import Script
from pipelines.job.reproduction.tool_environment import tool_environment
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job import Job
from pipelines.language import (
    ArtifactKind,
    Framework,
    PhaseReport,
    ReportOutcome,
    ReproductionResult,
    ReproductionSubmission,
)
from pipelines.phases.conversation import hold
from pipelines.phases.reproduction_evidence import Stage, make_bench, script_of
from pipelines.phases.submission import SubmissionError, decoded
from pipelines.phases.submitted_reproduction import existing, kept_name, read_test
from pipelines.proof.reproduction_verdict import ReproductionVerdict, called_tests, headline, judge_failing

_ATTEMPTS = 4
"""How often a submitted test is run before the honest answer is "not reproduced"."""
_QUESTION = (
    "We could not show this bug on the current code. Which steps, with which data, show it to you, "
    "and what do you see at the last of them?"
)


def run(job: Job) -> PhaseReport:
    """Return a test that fails for the right reason, or an honest no."""
    framework = framework_of(job)
    # Before the conversation: ending the processes of a role while the agent works would end its tools as well.
    bench = make_bench(job, framework)
    stage = Stage(job, bench, name="before")
    place = job.check_out("work", Role.WORK)
    place.install()
    beside = job.neighbours(Role.WORK)
    trial = _Trial(job, place, stage, framework)
    with serve(place, beside=beside) as application:
        job.log.state(f"the application answers at {application.base_url}")
        hold(
            job,
            place,
            submit=trial.submit,
            values={
                "base_url": application.base_url,
                "framework": framework.value,
                "addresses": application.addresses,
            },
            extra=tool_environment(framework, place, application, bench.browser),
        )
    return trial.report()


class _Trial:
    """Submitted tests and what came of them."""

    def __init__(self, job: Job, place: Checkout, stage: Stage, framework: Framework) -> None:
        self._job = job
        self._place = place
        self._stage = stage
        self._framework = framework
        self._attempts = 0
        self._result: ReproductionResult | None = None

    def submit(self, given: dict[str, Any]) -> Submitted:
        """Take the model's claim; a claim to have reproduced the bug is tried at once."""
        try:
            claim = decoded(given, ReproductionSubmission)
            if not claim.reproduced:
                self._result = self._no(claim, "The agent could not show the bug.")
                return Submitted(accepted=True, answer="Noted: not reproduced.")
            test = read_test(self._place, claim.test_path, self._framework)
            found = existing(self._job.source, claim, test)
        except SubmissionError as error:
            return Submitted(accepted=False, answer=str(error))
        self._attempts += 1
        script = script_of(self._job, test, framework=self._framework, path=claim.test_path)
        evidence, verdict = self._tried(script)
        said = "RED, as it should be" if verdict.holds else "does not count"
        self._job.log.say(f"{said}: {headline(verdict.reason)}", instead=said)
        if verdict.holds:
            self._result = self._yes(claim, script, evidence, verdict, already_there=found)
            return Submitted(accepted=True, answer="The test fails on the unpatched code for the right reason, twice.")
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
            said = headline(result.failure)
            return self._job.report(ReportOutcome.SUCCEEDED, f"RED on the unpatched code: {said}", result)
        return self._job.report(ReportOutcome.NOT_REPRODUCED, _honest_no(result), result)

    def _tried(self, script: Script) -> tuple[Evidence, ReproductionVerdict]:
        """Run the test; one that fails for the right reason has to do so again where its first run left its traces."""
        evidence = self._stage.run(script)
        self._stage.keep(evidence)
        verdict = judge_failing(evidence.run)
        if not verdict.holds:
            return evidence, verdict
        again = self._stage.run(script, anew=False)
        self._stage.keep(again, name="before-again")
        second = judge_failing(again.run)
        if second.holds:
            return evidence, verdict
        reason = (
            f"It failed for the right reason, and not when it was run once more: {second.reason} "
            "Let it give the same answer each time, whatever an earlier run left behind."
        )
        return again, ReproductionVerdict(holds=False, reason=reason)

    def _yes(
        self,
        claim: ReproductionSubmission,
        script: Script,
        evidence: Evidence,
        verdict: ReproductionVerdict,
        *,
        already_there: bool,
    ) -> ReproductionResult:
        job = self._job
        name = kept_name(script)
        kept = job.artifacts.keep(ArtifactKind.REPRODUCTION_TEST, name, script.data)
        serving = job.repository.serve
        if serving is not None and not script.imports:  # the script has the test alone
            runner = bisect_script(job.repository, serving, framework=script.framework, test=name)
            job.artifacts.keep(ArtifactKind.BISECT, "bisect.sh", runner.encode())
        return ReproductionResult(
            base_sha=job.source.base_sha,
            reproduced=True,
            test_path=claim.test_path,
            test_sha256=kept.sha256,
            failure=verdict.reason,
            symptom=claim.symptom,
            steps=tuple(claim.steps),
            framework=script.framework,
            tests=called_tests(evidence.run),
            existing_test=already_there,
        )

    def _no(self, claim: ReproductionSubmission, why: str) -> ReproductionResult:
        return ReproductionResult(
            base_sha=self._job.source.base_sha,
            reproduced=False,
            test_path="",
            test_sha256=None,
            failure=why,
            symptom=claim.symptom,
            steps=tuple(claim.steps),
            framework=self._framework,
            question=claim.question.strip() or _QUESTION,
        )


def _honest_no(result: ReproductionResult) -> str:
    """Say why not, what was seen and tried, and what the reporter is asked; the question early, since notes are cut."""
    tried = "; ".join(step.strip().rstrip(".") for step in result.steps)
    parts = (
        ("", result.failure[:300]),
        ("Question to the reporter: ", result.question[:500]),
        ("Seen instead: ", result.symptom[:500]),
        ("Tried: ", tried[:500]),
    )
    said = [f"{what}{text.strip()}" for what, text in parts if text.strip()]
    return " ".join(one if one[-1] in ".!?" else f"{one}." for one in said)
