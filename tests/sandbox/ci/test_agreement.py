"""Our engine and gitlab-ci-local agree on jobs, order and outcome of the same configurations.

Two known differences, where ours follows GitLab's source: gitlab-ci-local writes `job: [a,b]` for `job: [a, b]`, and
does not run `when: on_failure` or `always` more than one stage after the failure.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[3]
TOOL = os.environ.get("GITLAB_CI_LOCAL") or str(ROOT / ".state/tools/node_modules/.bin/gitlab-ci-local")
MARK = 'echo "$CI_JOB_NAME" >> "$RECORD"'

CASES = {
    "diamond": """
stages: [all]
top: {stage: all, script: ['MARK']}
left: {stage: all, needs: [top], script: ['MARK', 'while ! grep -q right "$RECORD"; do sleep 0.05; done']}
right: {stage: all, needs: [top], script: ['MARK', 'while ! grep -q left "$RECORD"; do sleep 0.05; done']}
bottom: {stage: all, needs: [left, right], script: ['MARK']}
""",
    "failing": """
stages: [one, two]
bad: {stage: one, script: ['MARK', exit 3, 'echo never >> "$RECORD"']}
good: {stage: one, script: ['MARK']}
after: {stage: two, script: ['MARK']}
free: {stage: two, needs: [good], script: ['MARK']}
""",
    "on_failure": """
stages: [one, two]
bad: {stage: one, script: ['MARK', exit 1]}
then: {stage: two, script: ['MARK']}
rescue: {stage: two, when: on_failure, script: ['MARK']}
always: {stage: two, when: always, script: ['MARK']}
""",
    "on_failure of nothing": """
stages: [one, two]
good: {stage: one, script: ['MARK']}
rescue: {stage: two, when: on_failure, script: ['MARK']}
""",
    "allow_failure": """
stages: [one, two]
flaky: {stage: one, allow_failure: true, script: ['MARK', exit 1]}
coded: {stage: one, allow_failure: {exit_codes: [7]}, script: ['MARK', exit 7]}
then: {stage: two, script: ['MARK']}
""",
    "matrix and extends": """
stages: [one, two]
.base: {stage: one, script: ['MARK'], variables: {WHO: base}}
each:
  extends: .base
  parallel: {matrix: [{REPOSITORY: [payk12/api, payk12/web], STACK: python}]}
all: {stage: two, needs: [each], script: ['MARK']}
""",
    "rules": """
stages: [one]
chosen: {stage: one, rules: [{if: '$CI_COMMIT_BRANCH =~ /^ma/ && $NOTHING == null'}], script: ['MARK']}
other: {stage: one, rules: [{if: '$CI_COMMIT_BRANCH == "other"'}], script: ['MARK']}
never: {stage: one, rules: [{when: never}], script: ['MARK']}
""",
    "child from an artifact": """
stages: [make, run, after]
last: {stage: after, script: ['MARK']}
generate:
  stage: make
  script:
    - MARK
    - |
      cat > child.yml <<'EOF'
      stages: [one, two]
      reproduction: {stage: one, script: ['MARK']}
      implementation: {stage: one, needs: [reproduction], script: ['MARK']}
      testing: {stage: two, script: ['MARK']}
      EOF
  artifacts: {paths: [child.yml]}
child: {stage: run, needs: [generate], trigger: {include: [{artifact: child.yml, job: generate}], strategy: depend}}
""",
}


@pytest.fixture
def tool() -> str:
    if shutil.which(TOOL) is None:
        pytest.skip(f"gitlab-ci-local is not installed: there is no {TOOL}, and GITLAB_CI_LOCAL names none")
    if shutil.which("rsync") is None:
        pytest.skip("gitlab-ci-local needs rsync, which is not installed")
    return TOOL


@pytest.mark.parametrize("name", CASES)
def test_both_run_the_same_jobs_in_an_order_that_needs_allow(
    name: str, tool: str, tmp_path: Path, start: Callable[..., Any]
) -> None:
    theirs, their_success = _theirs(tool, CASES[name], tmp_path / "theirs")
    record = tmp_path / "record"
    record.touch()
    success = _ours(start(_recording(CASES[name], record)))
    ours = record.read_text().splitlines()
    theirs = [name.replace(",", ", ") for name in theirs]
    assert sorted(ours) == sorted(theirs)
    assert success == their_success
    if name not in {"failing", "on_failure", "allow_failure", "matrix and extends", "diamond"}:
        assert ours == theirs  # where only one order is possible
    if name == "diamond":
        assert (ours[0], ours[-1]) == (theirs[0], theirs[-1]) == ("top", "bottom")


def _ours(running: Any) -> bool:
    """Run the started emulator's configuration to its end; say whether that was a success."""
    made = running.project().pipelines.create({"ref": "main"})
    running.settled()
    return bool(running.project().pipelines.get(made.id).status == "success")


def _recording(config: str, record: Path) -> str:
    return config.replace("MARK", MARK).replace("$RECORD", str(record))


def _theirs(tool: str, config: str, folder: Path) -> tuple[list[str], bool]:
    folder.mkdir()
    record = folder.parent / "their-record"
    record.touch()
    success = _played(tool, _recording(config, record), folder, path=os.environ["PATH"])
    return record.read_text().splitlines(), success


def _played(tool: str, config: str, folder: Path, *, path: str) -> bool:
    """Run gitlab-ci-local in a folder that it takes for a clone."""
    (folder / ".gitlab-ci.yml").write_text(config)
    env = {
        "PATH": path,
        "HOME": str(folder.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main"],
        ["git", "remote", "add", "origin", "https://gitlab.example.org/group/project.git"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message=first"],
    ):
        subprocess.run(command, cwd=folder, env=env, check=True)
    done = subprocess.run(
        [tool, "--force-shell-executor", "--no-color"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "PASS" in done.stdout or "FAIL" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0


STUB = """#!/bin/sh
echo "$CI_JOB_NAME" >> {record}
mkdir -p ".bug-fix/$1" && echo x > ".bug-fix/$1/x"
case "$CI_JOB_NAME" in {ends}) exit {code};; esac
"""


@pytest.mark.parametrize(
    ("golden", "ends", "code"),
    [
        pytest.param("python.yml", "nothing", 0, marks=pytest.mark.nightly),  # one of the three repositories
        ("python.yml", "reproduction*", 4),
        ("three-repositories.yml", "nothing", 0),
        pytest.param(
            "three-repositories.yml", "implementation*r2", 1, marks=pytest.mark.nightly
        ),  # fails as python.yml
    ],
)
def test_both_run_the_generated_children_alike(
    golden: str, ends: str, code: int, tool: str, tmp_path: Path, start: Callable[..., Any]
) -> None:
    config = (ROOT / "tests/golden" / golden).read_text()
    bins = {}
    for who in ("ours", "theirs"):
        bins[who] = tmp_path / f"bin-{who}"
        bins[who].mkdir()
        (tmp_path / f"record-{who}").touch()
        stub = bins[who] / "bug-fix-job"
        stub.write_text(STUB.format(record=tmp_path / f"record-{who}", ends=ends, code=code))
        stub.chmod(0o755)
    shutil.copytree(ROOT / "templates/ci", tmp_path / "theirs" / "templates/ci")
    success = _played(tool, config, tmp_path / "theirs", path=f"{bins['theirs']}:{os.environ['PATH']}")
    templates = {file.stem: file.read_text() for file in (ROOT / "templates/ci").glob("*.yml")}
    ours_success = _ours(start(config, path=f"{bins['ours']}:/usr/bin:/bin", **templates))
    ours, theirs = ((tmp_path / f"record-{who}").read_text().splitlines() for who in ("ours", "theirs"))
    assert sorted(ours) == sorted(theirs)
    assert ours_success == success
    jobs = yaml.safe_load(config)
    for order in (ours, theirs):
        for position, name in enumerate(order):
            assert set(jobs[name].get("needs", [])) <= set(order[:position]), name
