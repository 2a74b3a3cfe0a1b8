"""A table of wrong fixes, each refused or named to the reviewer, and of harmless changes that get no remark.

Each is played by the real phases on real checkouts: git, users, an application over HTTP, pytest, a browser's driver.
What tells a wrong fix is the run, so every row says by which sentence or word. Rows hold with users of their own as
without: what a patch can reach in its own process it reaches either way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelines.catalogue.file import read
from pipelines.job.isolation.environment import JobSettings
from pipelines.job.isolation.processes import Launcher, Role, make_root
from pipelines.job.reporting.job_log import JobLog
from pipelines.job.workspace.changes import collect_changes
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import (
    ArtifactKind,
    Baseline,
    CommitSha,
    IssueKey,
    Phase,
    PhaseReport,
    PrepareResult,
    ReproductionResult,
    RunId,
)
from pipelines.language import TestingResult as PatchTested
from pipelines.language.change_set import write_change_set
from pipelines.language.wire import Input, RunSpec, Session, Ticket, decode, sha256
from pipelines.phases import prepare, testing
from pipelines.proof.statement import not_shown
from tests.pipelines.job.wrong_fixes import CATALOGUE, FILES, HARMLESS, REPRODUCTION, WRONG, Changes

pytestmark = pytest.mark.integration


class Shop:
    """The repository, prepared once, and its testing job for any change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self.origin = folder / "origin"
        for name, text in FILES.items():
            (self.origin / name).parent.mkdir(parents=True, exist_ok=True)
            (self.origin / name).write_text(text)
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Base"]):
            subprocess.run(["git", *who, *command], cwd=self.origin, check=True)
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=self.origin, check=True, capture_output=True, text=True)
        self._sha = CommitSha(done.stdout.strip())
        self._catalogue = read(CATALOGUE, source="bug-fix.yml")
        (self.repository,) = self._catalogue.repositories.values()
        self._spec = RunSpec(
            run=RunId("0123456789abcdef"),
            iteration=1,
            phase=Phase.PREPARE,
            repository=self.repository.project,
            ticket=Ticket(key=IssueKey("PL-1"), summary="s", description="d"),
            branch="bug-fix/PL-1",
            catalogue=self._catalogue,
            base_shas={self.repository.project: self._sha},
            clone_urls={self.repository.project: f"file://{self.origin}"},
            agent=None,
            plan=None,
        )
        job = self._job(self._spec)
        report = prepare.run(job)
        (kept,) = (one for one in report.artifacts if one.kind is ArtifactKind.BASELINE)
        assert isinstance(report.result, PrepareResult)
        self._spec = replace(self._spec, prepared=report.result, baseline=decode(job.artifacts.content(kept), Baseline))
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
        job = self._job(replace(self._spec, phase=Phase.TESTING))
        try:
            work = job.check_out("work", Role.WORK)
            for name, text in changes.items():
                (work.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (work.folder / name).write_text(text)
            job.launcher.give(work.folder, Role.WORK)
            change = collect_changes(job.source, work.folder, launcher=job.launcher, role=Role.WORK)
            inputs = (
                _input(job, Phase.IMPLEMENTATION, ArtifactKind.CHANGE_SET, "change-set.json", write_change_set(change)),
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


def _input(job: Job, phase: Phase, kind: ArtifactKind, name: str, data: bytes) -> Input:
    kept = Artifacts(job.project_dir, phase).keep(kind, name, data)
    return Input(phase=phase, artifact=kept)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Prepare once: the baseline is the same for every row."""
    return Shop(tmp_path_factory.mktemp("shop"))


def _said(report: PhaseReport) -> str:
    assert isinstance(report.result, PatchTested)
    return "\n".join((report.reason, *not_shown(report.result)))


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_fix_is_refused_or_named(shop: Shop, what: str) -> None:
    changes, words = WRONG[what]
    assert words in _said(shop.tested(changes))


@pytest.mark.parametrize("what", HARMLESS)
def test_harmless_changes_pass_without_a_remark(shop: Shop, what: str) -> None:
    report = shop.tested(HARMLESS[what])
    assert isinstance(report.result, PatchTested)
    assert (report.outcome, not_shown(report.result)) == ("succeeded", ())
    assert report.result.proof.red_tests
