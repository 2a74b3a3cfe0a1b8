"""What judges a reproduction in TypeScript comes from the unpatched commit, whatever a patch installs in its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from pipelines import language
from pipelines.catalogue.file import read
from pipelines.language import ArtifactKind, Framework, Phase, PhaseReport, ReportOutcome
from pipelines.language.repository import Video
from pipelines.language.wire import sha256
from sandbox import node_tools

pytestmark = pytest.mark.acceptance

VERSIONS = json.loads((Path(node_tools.__file__).parent / "node" / "package.json").read_text())["devDependencies"]
CATALOGUE = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
  contacts:
    project: payk12/contacts
    stack: nextjs
    commands: {install: sh install.sh, test: "true", lint: "true"}
    serve: {run: node app.mjs, ready: "http://127.0.0.1:$PORT/"}
"""
FILES = {
    "package.json": json.dumps({"devDependencies": {"@playwright/test": VERSIONS["@playwright/test"]}}),
    ".gitignore": "node_modules\n",
    "install.sh": "sandbox-npm-ci\n",
    "app.mjs": (
        'import { createServer } from "node:http";\n'
        "const total = () => 41;\n"
        "createServer((_, answer) => answer.end(`<h1>Total: ${total()}</h1>`)).listen(Number(process.env.PORT));\n"
    ),
}
TEST = b"""
import { test, expect } from "@playwright/test";

test("the total is right", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading")).toHaveText("Total: 42", { timeout: 500 });
});
"""
FIX = b"""diff --git a/app.mjs b/app.mjs
--- a/app.mjs
+++ b/app.mjs
@@ -1,3 +1,3 @@
 import { createServer } from "node:http";
-const total = () => 41;
+const total = () => 42;
 createServer((_, answer) => answer.end(`<h1>Total: ${total()}</h1>`)).listen(Number(process.env.PORT));
"""
SWAP = b"""diff --git a/install.sh b/install.sh
--- a/install.sh
+++ b/install.sh
@@ -1 +1,5 @@
 sandbox-npm-ci
+rm node_modules/@playwright/test
+mkdir node_modules/@playwright/test
+cp package.json node_modules/@playwright/test/
+echo 'process.exit(0)' >node_modules/@playwright/test/cli.js
"""


@pytest.fixture
def tested(receiver: Any, job_environment: Callable[[Phase], dict[str, str]], tmp_path: Path) -> Iterator[Any]:
    """Run `testing` with a patch, over a repository whose reproduction is in TypeScript."""
    repository = tmp_path / "front"
    repository.mkdir()
    for name, text in FILES.items():
        (repository / name).write_text(text)
    who = "-c user.name=t -c user.email=t@example.org"
    commit = f"git init --quiet && git add --all && git {who} commit --quiet --message=Base && git rev-parse HEAD"
    receiver.base_sha = subprocess.check_output(["/bin/sh", "-c", commit], cwd=repository, text=True).strip()
    receiver.repository = repository
    receiver.catalogue = read(CATALOGUE, source="bug-fix.yml")
    with TemporaryDirectory(prefix="bug-fix-node-") as name:
        Path(name).chmod(0o755)
        binaries = node_tools.place(Path(name) / "node")

        def run(patch: bytes) -> tuple[PhaseReport, str]:
            receiver.accepted(
                patch=patch, test=TEST, path="tests/e2e/total.spec.ts", framework=Framework.PLAYWRIGHT_TEST
            )
            environment = job_environment(Phase.TESTING)
            environment |= {
                "PATH": f"{tmp_path}:{binaries}:{environment['PATH']}",
                "BUG_FIX_BROWSER": os.environ["BUG_FIX_BROWSER"],
            }
            command = [sys.executable, "-m", "pipelines", "testing"]
            done = subprocess.run(
                command, env=environment, cwd=receiver.project_dir, capture_output=True, text=True, check=False
            )
            assert receiver.new_reports(), done.stdout + done.stderr
            return receiver.new_reports()[-1], done.stdout

        yield run


FFMPEG = '#!/bin/sh\nfor last; do :; done\ncat >"$last"\n'
"""Stands for ffmpeg: what it is given becomes the film."""


@pytest.fixture
def filmed(receiver: Any, tmp_path: Path) -> Callable[[Video], None]:
    """Let the catalogue say whether runs are filmed, where there is an ffmpeg to do it with."""
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text(FFMPEG)
    ffmpeg.chmod(0o755)

    def set_video(video: Video) -> None:
        (repository,) = receiver.catalogue.repositories.values()
        how = msgspec.structs.replace(repository.reproduction, video=video)
        receiver.catalogue.repositories[repository.project] = msgspec.structs.replace(repository, reproduction=how)

    return set_video


def test_a_fix_is_green_in_the_repositorys_own_framework_with_evidence_and_films_where_they_are_wanted(
    tested: Any, filmed: Callable[[Video], None], receiver: Any
) -> None:
    filmed(Video.ALWAYS)
    report, log = tested(FIX)
    assert isinstance(report.result, language.TestingResult), log
    assert (report.result.reproduction_before_failed, report.result.reproduction_after_passed) == (True, True), log
    kinds = {artifact.kind for artifact in report.artifacts}
    assert {ArtifactKind.SCREENSHOT, ArtifactKind.TRACE, ArtifactKind.JUNIT} <= kinds
    films = [one for one in report.artifacts if one.kind is ArtifactKind.VIDEO]
    assert {Path(one.path).name for one in films} == {"video-before.webm", "video-after.webm"}, log
    for one in films:
        film = (receiver.project_dir / one.path).read_bytes()
        assert film
        assert sha256(film) == one.sha256, "the artifact that the receiver fetches for merge request and ticket"
    assert "no video" not in log


def test_a_patch_that_swaps_the_package_is_judged_by_the_old_one(tested: Any, filmed: Callable[[Video], None]) -> None:
    filmed(Video.NEVER)
    report, log = tested(SWAP)
    assert report.outcome is ReportOutcome.REJECTED, log
    assert isinstance(report.result, language.TestingResult)
    assert report.result.reproduction_before_failed
    assert not report.result.reproduction_after_passed
    assert "The reproduction still fails" in report.reason
    assert ArtifactKind.VIDEO not in {artifact.kind for artifact in report.artifacts}


def test_a_repository_that_does_not_install_the_package_is_told_so(tested: Any, receiver: Any) -> None:
    receiver.catalogue = read(CATALOGUE.replace("sh install.sh", '"true"'), source="bug-fix.yml")
    report, _ = tested(FIX)
    assert report.outcome is ReportOutcome.FAILED
    assert (
        "`install` of contacts left no @playwright/test in node_modules; let it install that, or set" in report.reason
    )


LINKED = """\
sandbox-npm-ci
mkdir elsewhere
mv node_modules elsewhere/
ln -s elsewhere/node_modules node_modules
"""


def test_a_package_that_a_link_leads_to_is_not_taken(tested: Any, receiver: Any) -> None:
    (receiver.repository / "install.sh").write_text(LINKED)
    commit = "git -c user.name=t -c user.email=t@example.org commit --quiet --all --message=Link && git rev-parse HEAD"
    receiver.base_sha = subprocess.check_output(["/bin/sh", "-c", commit], cwd=receiver.repository, text=True).strip()
    report, _ = tested(FIX)
    assert report.outcome is ReportOutcome.FAILED
    assert "left no @playwright/test in node_modules" in report.reason
