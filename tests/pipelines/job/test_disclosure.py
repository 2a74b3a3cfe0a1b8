"""What a job leaves for GitLab's artifacts, by whether it may be read there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.job.communication.disclosure import Disclosure
from pipelines.job.communication.errors import InputMismatchError
from pipelines.job.workspace.job_files import Artifacts, read_change, read_input
from pipelines.language import Artifact, ArtifactKind, Phase
from pipelines.language.wire import Input, sha256

FOLDER = ".bug-fix/analysis"
KINDS = {
    ArtifactKind.TRANSCRIPT: "transcript.jsonl",
    ArtifactKind.CHANGE_SET: "change-set.json",
    ArtifactKind.PATCH: "fix.patch",
    ArtifactKind.REPRODUCTION_TEST: "reproduction_test.py",
    ArtifactKind.BASELINE: "baseline.json",
    ArtifactKind.PLAN: "plan.json",
    ArtifactKind.SCREENSHOT: "screenshot-before.png",
    ArtifactKind.TRACE: "trace-before.zip",
    ArtifactKind.VIDEO: "video-before.webm",
    ArtifactKind.JUNIT: "junit-before.xml",
    ArtifactKind.LOG: "server-before.log",
    ArtifactKind.COVERAGE: "coverage.xml",
    ArtifactKind.CHILD_PIPELINE: "child.yml",
}
HANDED_IN = {ArtifactKind.TRANSCRIPT, ArtifactKind.CHANGE_SET, ArtifactKind.REPRODUCTION_TEST, ArtifactKind.BASELINE}


def filled(folder: Path, *disclosures: Disclosure) -> Artifacts:
    """Keep a file of each kind under the first of these, and then go on to the others."""
    artifacts = Artifacts(folder, Phase.ANALYSIS)
    first, *others = disclosures
    artifacts.disclose(first)
    for kind, name in KINDS.items():
        artifacts.keep(kind, name, kind.encode())
    for one in others:
        artifacts.disclose(one)
    return artifacts


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("disclosures", [(Disclosure.WITHHELD,), (Disclosure.UNDECIDED, Disclosure.WITHHELD)])
def test_what_is_withheld_goes_to_the_receiver_or_nowhere(disclosures: tuple[Disclosure, ...], tmp_path: Path) -> None:
    artifacts = filled(tmp_path, *disclosures)
    assert left(tmp_path) == {"child.yml"}
    assert {one.kind for one in artifacts.all} == HANDED_IN | {ArtifactKind.CHILD_PIPELINE}
    assert all(artifacts.content(one) == one.kind.encode() for one in artifacts.all)


def test_what_is_undecided_is_left_only_when_it_may_be(tmp_path: Path) -> None:
    artifacts = filled(tmp_path, Disclosure.UNDECIDED)
    assert left(tmp_path) == {"child.yml"}
    artifacts.disclose(Disclosure.OPEN)
    assert left(tmp_path) == set(KINDS.values())
    assert [one.kind for one in artifacts.all] == list(KINDS)
    assert all((tmp_path / one.path).read_bytes() == artifacts.content(one) for one in artifacts.all)


def test_what_was_left_is_taken_back_when_it_may_not_be_any_more(tmp_path: Path) -> None:
    (tmp_path / "beside.txt").write_text("of the runner")
    artifacts = filled(tmp_path, Disclosure.OPEN, Disclosure.WITHHELD)
    assert left(tmp_path) == {"beside.txt", "child.yml"}
    assert (artifacts.folder / "child.yml").read_bytes() == b"child_pipeline"


def test_a_file_that_the_receiver_brings_has_to_be_the_accepted_one(tmp_path: Path) -> None:
    def read(content: bytes | None) -> bytes:
        artifact = Artifact(
            kind=ArtifactKind.PATCH, path=f"{FOLDER}/fix.patch", sha256=sha256(b"the patch"), size=len(b"the patch")
        )
        inputs = (Input(phase=Phase.IMPLEMENTATION, artifact=artifact, content=content),)
        return read_input(tmp_path, inputs, phase=Phase.IMPLEMENTATION, kind=ArtifactKind.PATCH)

    assert read(b"the patch") == b"the patch"
    with pytest.raises(InputMismatchError, match="was changed"):
        read(b"another")
    with pytest.raises(InputMismatchError, match="did not reach"):
        read(None)


def test_a_diff_that_a_job_client_of_the_release_before_made_is_refused_with_what_to_do(tmp_path: Path) -> None:
    diff = b"diff --git a/x b/x\n"
    made = Artifact(kind=ArtifactKind.PATCH, path=f"{FOLDER}/fix.patch", sha256=sha256(diff), size=len(diff))
    with pytest.raises(InputMismatchError, match="Put the current job client into the image of every job"):
        read_change(tmp_path, (Input(phase=Phase.IMPLEMENTATION, artifact=made, content=diff),))
