"""`testing`: the patch on fresh checkouts, judged by the reproduction and the repository's own checks. No model."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from msgspec.structs import replace

from pipelines.job.communication.errors import InputMismatchError, JobError
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.run_request import Script
from pipelines.job.suites.checks import Findings, TestedChange, commands_of, examine
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import read_change, read_input
from pipelines.job.workspace.repositories import read_tree
from pipelines.language import (
    ArtifactKind,
    Baseline,
    Phase,
    PhaseReport,
    Proof,
    ReportOutcome,
    Sha256,
    SuiteResult,
    TestingResult,
)
from pipelines.language.change_set import ChangeSet, ChangeSetError
from pipelines.language.wire import sha256
from pipelines.patch import compare, contents
from pipelines.patch.about_tests import files_about_tests
from pipelines.patch.revert_variants import revert_plan
from pipelines.phases.patch_guard import base_of
from pipelines.phases.reproduction_evidence import before_and_after, make_bench, script_of
from pipelines.phases.revert_probe import Probe, probed
from pipelines.proof.known_tests import from_result
from pipelines.proof.regression import Comparison, regressions
from pipelines.proof.repeated_runs import PLANS
from pipelines.proof.statement import not_shown


def run(job: Job) -> PhaseReport:
    """Return before and after in one place. The reproduction runs byte for byte as it was accepted."""
    reproduction = job.spec.reproduction
    if reproduction is None:
        raise JobError("The receiver has no accepted reproduction for this repository.")
    if not reproduction.reproduced:
        return job.report(ReportOutcome.NOT_REPRODUCED, "Nothing was reproduced, so there is nothing to test.", None)
    change, data = read_change(job.project_dir, job.spec.inputs)
    test = read_input(job.project_dir, job.spec.inputs, phase=Phase.REPRODUCTION, kind=ArtifactKind.REPRODUCTION_TEST)
    if sha256(test) != reproduction.test_sha256:
        raise InputMismatchError("The reproduction test is not the one that was accepted.")
    script = script_of(job, test, framework=reproduction.framework, path=reproduction.test_path)
    return _judged(job, _tested(job, change), sha256(data), script)


def _judged(job: Job, change: TestedChange, change_sha256: Sha256, script: Script) -> PhaseReport:
    bench = make_bench(job, script.framework)
    tried = before_and_after(job, bench, script, change.change_set, plan=secrets.choice(PLANS))
    before, after = tried.before, tried.after
    found = _checked(job, tried.patched.place, change)
    result = TestingResult(
        base_sha=job.source.base_sha,
        patch_sha256=change_sha256,
        test_sha256=sha256(script.data),
        reproduction_before_failed=before.holds,
        reproduction_after_passed=after.holds,
        suite=found.suite,
        integration=found.integration,
        new_failures=found.new_failures,
        missing=found.missing,
        proof=Proof(
            isolation=job.launcher.isolation,
            base_tests=found.base_tests,
            base_passed=found.base_passed,
            red_tests=found.red_tests,
            tests=found.named,
        ),
        coverage_before=None if job.spec.prepared is None else job.spec.prepared.coverage,
        coverage=found.coverage,
        changed_coverage=found.changed_coverage,
        lint=found.lint,
        failure_messages=found.failure_messages,
    )
    if not before.holds:
        return job.report(
            ReportOutcome.REJECTED, f"Without the patch the reproduction does not fail: {before.reason}", result
        )
    if not after.holds:
        return job.report(ReportOutcome.REJECTED, after.reason, result)
    worse = regressions(
        Comparison(
            before=job.spec.prepared,
            after=result,
            policy=job.spec.catalogue.policy,
            removed=sum(compare(before, after).removed for before, after in change.texts.values()),
        )
    )
    if worse:
        return job.report(ReportOutcome.REJECTED, " ".join(worse), result)
    probe = Probe(
        job=job,
        bench=bench,
        script=script,
        names=tried.names,
        change=change.change_set,
        new_tests=found.new_tests,
    )
    about_tests = files_about_tests(change.change_set, commands=commands_of(job.repository))
    plan = revert_plan(change.change_set, about_tests=about_tests, texts=change.texts)
    files = tuple(probed(probe, plan, is_red_without=before.holds, clock=time.monotonic))
    result = replace(result, proof=replace(result.proof, files=files))
    return job.report(ReportOutcome.SUCCEEDED, f"GREEN with the patch, RED without{_told(result)}.", result)


def _tested(job: Job, change: ChangeSet) -> TestedChange:
    try:
        changed = contents(change.files, base_of(job))
    except ChangeSetError as error:
        raise JobError(str(error)) from error
    return TestedChange(
        change_set=change,
        paths=(*read_tree(job.source), *(file.path for file in change.files)),
        texts={one.path: (one.before, one.after) for one in changed},
    )


def _checked(job: Job, place: Checkout, change: TestedChange) -> Findings:
    """Run the repository's own checks, each on a checkout as it was installed."""
    made: dict[tuple[str, ...], Checkout] = {(): place}

    def fresh(name: str, without: Sequence[str]) -> Checkout:
        left_alone = tuple(without)
        if left_alone not in made:
            job.launcher.renew(Role.APPLICATION)
            checkout = job.check_out(name, Role.APPLICATION, change=change.change_set, without=without)
            checkout.install()
            checkout.end()
            checkout.keep()
            made[left_alone] = checkout
        return made[left_alone]

    try:
        found = examine(place, change=change, known=_known(job), fresh=fresh)
    finally:
        for one in made.values():
            one.forget()
    for name, coverage in (("changed lines", found.changed_coverage), ("total coverage", found.coverage)):
        if coverage is not None and coverage.percent is not None:
            # templates/ci/phases.yml tells GitLab to look for the last of these
            job.log.state(f"{name}: {coverage.percent:.2f} % of {coverage.coverable} lines")
    return found


def _known(job: Job) -> Baseline:
    """Return the tests of the baseline; without their names what the report on it lists."""
    prepared = job.spec.prepared
    if job.spec.baseline is not None or prepared is None:
        return job.spec.baseline or Baseline()
    unit, integration = prepared.baseline, prepared.integration
    return Baseline(
        unit=None if unit is None else from_result(unit),
        integration=None if integration is None else from_result(integration),
    )


def _told(result: TestingResult) -> str:
    parts = [_suite("unit", result.suite), _suite("integration", result.integration)]
    if result.changed_coverage is not None and result.changed_coverage.percent is not None:
        parts.append(f"tests run {result.changed_coverage.percent:.0f} % of the changed lines")
    parts += not_shown(result)[:3]
    return "".join(f"; {part}" for part in parts if part)


def _suite(kind: str, suite: SuiteResult | None) -> str:
    if suite is None:
        return ""
    flaky = f", {len(suite.flaky)} of them at times only" if suite.flaky else ""
    return f"{suite.passed} {kind} tests passed{flaky}"
