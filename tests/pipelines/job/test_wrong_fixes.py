"""A table of wrong fixes, each refused or named to the reviewer, and of harmless changes that get no remark.

All is real: git, users, an application over HTTP, pytest, a browser's driver. Whole `testing` jobs show every word
once; what more rows there are repeat only that part of the job which finds them out. What tells a wrong fix is the run,
so rows hold with users of their own as without: what a patch can reach in its own process it reaches either way.
"""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelines.catalogue.file import read
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.environment import JobSettings
from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.run_request import Script
from pipelines.job.workspace.changes import collect_changes
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import (
    ArtifactKind,
    Baseline,
    CommitSha,
    FileWord,
    Framework,
    IssueKey,
    Phase,
    PhaseReport,
    PrepareResult,
    ReportOutcome,
    ReproductionResult,
    RunId,
    TestWord,
)
from pipelines.language import TestingResult as PatchTested
from pipelines.language.change_set import ChangeSet, write_change_set
from pipelines.language.policy import Policy
from pipelines.language.repository import Repository
from pipelines.language.wire import Input, RunSpec, Session, Ticket, decode, sha256
from pipelines.patch import folders_of
from pipelines.phases import prepare, testing
from pipelines.phases.patch_guard import held_against
from pipelines.phases.reproduction_evidence import Stage, make_bench
from pipelines.proof.reproduction_verdict import ReproductionVerdict, judge_passing
from pipelines.proof.statement import not_shown, shown
from tests.changes import change_set, file_change
from tests.pipelines.job.shop import Shop, commit_files, write_files
from tests.pipelines.job.wrong_fixes import (
    BREAKS_DISCOUNTS,
    CATALOGUE,
    FILES,
    FIX,
    FORGED,
    HARD_CODED,
    HARMLESS,
    NAMED,
    NOT_FIXED,
    RED_TEST,
    REPRODUCED,
    REPRODUCTION,
    RUNNER,
    STILL_RED,
    Changes,
    edited,
    together,
)


class Jobs:
    """The jobs of one run: `prepare` once, then `testing` for any change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._sha = CommitSha(commit_files(folder / "origin", FILES))
        catalogue = read(CATALOGUE, source="bug-fix.yml")
        (self.repository,) = catalogue.repositories.values()
        self._spec = RunSpec(
            run=RunId("0123456789abcdef"),
            iteration=1,
            phase=Phase.PREPARE,
            repository=self.repository.project,
            ticket=Ticket(key=IssueKey("PL-1"), summary="s", description="d"),
            branch="bug-fix/PL-1",
            catalogue=catalogue,
            base_shas={self.repository.project: self._sha},
            clone_urls={self.repository.project: f"file://{folder / 'origin'}"},
            agent=None,
            plan=None,
        )
        job = self._job(self._spec)
        report = prepare.run(job)
        (kept,) = (one for one in report.artifacts if one.kind is ArtifactKind.BASELINE)
        assert isinstance(report.result, PrepareResult)
        self.baseline = decode(job.artifacts.content(kept), Baseline)
        self.before = report.result
        self._spec = replace(self._spec, phase=Phase.TESTING, prepared=self.before, baseline=self.baseline)
        self._end(job)

    def _job(self, spec: RunSpec) -> Job:
        root, number = make_root(), next(self._numbers)
        project = self._folder / f"builds-{number}"
        project.mkdir()
        job = Job(
            settings=JobSettings(
                phase=spec.phase, run=spec.run, iteration=1, receiver="http://127.0.0.1:9", project_dir=str(project)
            ),
            spec=spec,
            session=Session(token="t", expires_at="2030-01-01T00:00:00Z", gateway_url="http://127.0.0.1:9"),
            launcher=Launcher(root=root, job_id=1000 + (os.getpid() * 17 + number) % 1900),
            artifacts=Artifacts(project, spec.phase),
            log=JobLog(),
            keep_context=lambda _: None,
        )
        job.fetch(token="")
        return job

    def _end(self, job: Job) -> None:
        job.launcher.end_all()
        shutil.rmtree(job.root, ignore_errors=True)

    def tested(self, changes: Changes) -> PhaseReport:
        """Return the report of the testing job for this change."""
        job = self._job(self._spec)
        try:
            inputs = (
                _input(
                    job,
                    Phase.IMPLEMENTATION,
                    ArtifactKind.CHANGE_SET,
                    "change-set.json",
                    write_change_set(_taken(job, changes)),
                ),
                _input(job, Phase.REPRODUCTION, ArtifactKind.REPRODUCTION_TEST, "test.py", REPRODUCTION),
            )
            red = ReproductionResult(
                base_sha=self._sha,
                reproduced=True,
                test_path="tests/test_it.py",
                test_sha256=sha256(REPRODUCTION),
                failure="500",
                symptom="500",
                steps=(),
            )
            job.spec = replace(job.spec, inputs=inputs, reproduction=red)
            return testing.run(job)
        finally:
            self._end(job)

    def reproduced(self, changes: Changes) -> ReproductionVerdict:
        """Run only the reproduction with this change, as the testing job does."""
        job = self._job(self._spec)
        try:
            stage = Stage(job, make_bench(job, Framework.PYTEST), name="after", change=_taken(job, changes))
            run = stage.run(Script(data=REPRODUCTION, framework=Framework.PYTEST, path="tests/test_it.py")).run
            return judge_passing(run, names=(REPRODUCED,))
        finally:
            self._end(job)


def _taken(job: Job, changes: Changes) -> ChangeSet:
    work = job.check_out("work", Role.WORK)
    write_files(work.folder, changes)
    job.launcher.users.give(work.folder, Role.WORK)
    return collect_changes(job.source, work.folder, launcher=job.launcher, role=Role.WORK)


def _input(job: Job, phase: Phase, kind: ArtifactKind, name: str, data: bytes) -> Input:
    kept = Artifacts(job.project_dir, phase).keep(kind, name, data)
    return Input(phase=phase, artifact=kept)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    """Prepare once: the baseline is the same for every row."""
    return Jobs(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(jobs: Jobs, tmp_path: Path, launcher: Launcher) -> Shop:
    """Return the repository's own checks on their own, with the baseline that `prepare` found."""
    made = Shop(tmp_path, launcher, files=FILES, commands=jobs.repository.stack.commands)
    made.before, made.baseline = jobs.before, jobs.baseline
    return made


def _result(report: PhaseReport) -> PatchTested:
    assert isinstance(report.result, PatchTested), report.reason
    return report.result


WORDS = {name: word for _, words in NAMED.values() for name, word in words.items()}


@pytest.mark.integration
def test_each_way_to_weaken_tests_gets_its_word_by_the_name_of_the_test(jobs: Jobs) -> None:
    edits = together(edits for edits, _ in NAMED.values())
    report = jobs.tested(edited(FIX, BREAKS_DISCOUNTS, *edits, RED_TEST))
    named = {one.name: one.word for one in _result(report).proof.tests}
    assert named == WORDS
    assert set(named.values()) == set(TestWord)
    assert report.outcome is ReportOutcome.SUCCEEDED
    said = " ".join(not_shown(_result(report)))
    assert [name for name in named if name not in said] == []


@pytest.mark.integration
@pytest.mark.parametrize("what", FORGED)
def test_a_suite_that_passes_by_a_lie_is_contradicted_by_the_base_commits_tests(shop: Shop, what: str) -> None:
    found, _ = shop.judge(FORGED[what])
    contradicted = {one.name for one in found.named if one.word is TestWord.CONTRADICTED}
    assert found.new_failures == ()
    assert contradicted == {name for name, word in WORDS.items() if word is TestWord.CONTRADICTED}


@pytest.mark.integration
def test_code_of_the_product_that_only_deceives_the_test_runner_is_unexplained(jobs: Jobs) -> None:
    result = _result(jobs.tested(RUNNER))
    assert {one.path: one.word for one in result.proof.files} == {
        "shop/__init__.py": FileWord.UNEXPLAINED,
        "shop/price.py": FileWord.NEEDED,
    }
    assert not_shown(result) == ("shop/__init__.py: no effect on the reproduction or the new tests (unexplained)",)


@pytest.mark.integration
def test_a_change_that_fixes_nothing_is_refused_whatever_its_conftest_says(jobs: Jobs) -> None:
    report = jobs.tested(NOT_FIXED)
    assert report.outcome is ReportOutcome.REJECTED
    assert report.reason.startswith("The reproduction still fails")


@pytest.mark.integration
@pytest.mark.parametrize("what", STILL_RED)
def test_what_hides_the_bug_leaves_the_reproduction_red(jobs: Jobs, what: str) -> None:
    assert jobs.reproduced(STILL_RED[what]).reason.startswith("The reproduction still fails")


@pytest.mark.integration
@pytest.mark.nightly  # a limit that docs/jobs.md tells
def test_the_reproductions_own_value_hard_coded_is_green_and_nothing_but_the_reproduction_is_shown_for_it(
    jobs: Jobs,
) -> None:
    """No run tells it from a fix: docs/jobs.md says so. A reviewer sees that no new test was red."""
    report = jobs.tested(HARD_CODED)
    assert report.outcome is ReportOutcome.SUCCEEDED
    assert not_shown(_result(report)) == ()
    assert not any("red on the old code" in one for one in shown(_result(report)))


@pytest.mark.integration
def test_harmless_changes_pass_without_a_remark(jobs: Jobs) -> None:
    report = jobs.tested(edited(FIX, *together(HARMLESS.values())))
    result = _result(report)
    assert (report.outcome, not_shown(result)) == (ReportOutcome.SUCCEEDED, ())
    assert {one.partition("[")[0] for one in result.proof.red_tests} == {
        "tests.test_price::test_a_blank",
        "tests.test_blanks::test_blanks",
        "tests.test_data::test_a_file",
    }


@pytest.fixture(scope="session")
def repository() -> Repository:
    (found,) = read(CATALOGUE, source="bug-fix.yml").repositories.values()
    return found


@pytest.mark.parametrize("what", HARMLESS)
def test_a_harmless_change_breaks_no_rule(repository: Repository, what: str) -> None:
    base = {path: text.encode() for path, text in FILES.items()}
    files = [file_change(path, FILES.get(path), text) for path, text in edited(FIX, *HARMLESS[what]).items()]
    change = change_set(*files)
    assert held_against(change, base.get, folders=folders_of(FILES), repository=repository, policy=Policy()) == ()
