"""A repository's own checks as `prepare` and `testing` run them: real git, users and processes, without a job."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from pipelines.catalogue.file import read
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.report_formats.line_coverage import in_all
from pipelines.job.suites.checks import Findings, TestedChange, examine, measured_lines, run_checks
from pipelines.job.suites.suite import run_again
from pipelines.job.workspace.changes import collect_changes, make_changes
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job_files import Artifacts
from pipelines.job.workspace.repositories import Source, check_out, fetch, read_file, read_tree
from pipelines.language import Baseline, Phase, PrepareResult, Proof, TestingResult
from pipelines.language.change_set import ChangeSet
from pipelines.language.policy import Policy
from pipelines.language.repository import Commands
from pipelines.patch import contents, size_of
from pipelines.proof.known_tests import baseline_result, known_tests
from pipelines.proof.regression import Comparison, regressions
from tests.changes import git

_CATALOGUE = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
  shop: {project: payk12/shop, stack: python}
"""


def write_files(folder: Path, files: Mapping[str, str | None]) -> None:
    """Write texts to these paths, without the indentation that they share; None: the file goes."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))


def commit_files(folder: Path, files: Mapping[str, str | None]) -> str:
    """Make a repository with one commit of these files, and return the commit's SHA."""
    write_files(folder, files)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Base")
    return git(folder, "rev-parse", "HEAD").decode().strip()


class Shop:
    """The repository, its baseline, and what its checks say of a patch."""

    def __init__(self, root: Path, launcher: Launcher, *, files: Mapping[str, str], commands: Commands) -> None:
        (repository,) = read(_CATALOGUE, source="bug-fix.yml").repositories.values()
        self._launcher = launcher
        self._repository = replace(repository, stack=replace(repository.stack, commands=commands))
        self._root = root
        origin = root / "origin"
        sha = commit_files(origin, files)
        self._source: Source = fetch(
            launcher.root, repository=repository.project, base_sha=sha, url=f"file://{origin}", token=""
        )
        self.baseline = Baseline()
        self.before: PrepareResult | None = None
        self.places: list[str] = []
        """Names of the checkouts that were made."""

    def place(self, name: str, *, change: ChangeSet | None = None, without: Sequence[str] = ()) -> Checkout:
        """Make a fresh checkout, with the change but for the files named."""
        self.places.append(name)
        self._launcher.renew(Role.APPLICATION)
        made = Checkout(
            name=name,
            place="application-shop",
            role=Role.APPLICATION,
            repository=self._repository,
            launcher=self._launcher,
            artifacts=Artifacts(self._root, Phase.TESTING),
            log=JobLog(),
        )
        made.clear()
        check_out(self._source, made.folder)
        if change is not None:
            make_changes(self._source, made.folder, change, without=without)
        made.settle(self._root)
        made.keep()
        return made

    def prepare(self) -> PrepareResult:
        """Find the baseline as the job of that name does."""
        place = again = self.place("before")
        first = run_checks(place)
        lines = measured_lines(first.unit, place, read_tree(self._source))
        runs = [first.unit, first.integration]
        known = [None if ran is None else known_tests(ran, run_again(again, ran, label="again")) for ran in runs]
        unit, integration = known
        self.baseline = Baseline(unit=unit, integration=integration)
        results = [
            None if ran is None or found is None else baseline_result(ran, found)
            for ran, found in zip(runs, known, strict=True)
        ]
        self.before = PrepareResult(
            base_sha=self._source.base_sha,
            baseline=results[0],
            integration=results[1],
            coverage=None if lines is None else in_all(lines),
            lint=first.lint,
        )
        self.places.clear()
        return self.before

    def judge(
        self, changes: Mapping[str, str | None], policy: Policy | None = None
    ) -> tuple[Findings, tuple[str, ...]]:
        """Return what the checks find when these files are changed, and what the rules say of it."""
        work = self.place("work")
        write_files(work.folder, changes)
        self._launcher.users.give(work.folder, Role.APPLICATION)
        change = collect_changes(self._source, work.folder, launcher=self._launcher, role=Role.APPLICATION)
        texts = contents(change.files, lambda path: read_file(self._source, path))
        self.places.clear()
        found = examine(
            self.place("after", change=change),
            change=TestedChange(
                change_set=change,
                paths=(*read_tree(self._source), *(file.path for file in change.files)),
                texts={one.path: (one.before, one.after) for one in texts},
            ),
            known=self.baseline,
            fresh=lambda name, without: self.place(name, change=change, without=without),
        )
        tested = TestingResult(
            base_sha=self._source.base_sha,
            patch_sha256="b" * 64,
            test_sha256="c" * 64,
            reproduction_before_failed=True,
            reproduction_after_passed=True,
            suite=found.suite,
            integration=found.integration,
            new_failures=found.new_failures,
            missing=found.missing,
            proof=Proof(tests=found.named, red_tests=found.red_tests),
            coverage=found.coverage,
            changed_coverage=found.changed_coverage,
            lint=found.lint,
        )
        comparison = Comparison(
            before=self.before, after=tested, policy=policy or Policy(), removed=size_of(texts).deletions
        )
        return found, regressions(comparison)
