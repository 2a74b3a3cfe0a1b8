from typing import Any

import pytest

from pipelines.language import ArtifactKind, Phase
from receiver.outbound.effects import evidence_choice
from receiver.store.story import Report, ReportedFile

MIB = 1024 * 1024


def file(path: str, *, kind: ArtifactKind = ArtifactKind.SCREENSHOT, size: int = 100) -> ReportedFile:
    return ReportedFile(kind=kind, path=path, sha256="0" * 64, size=size)


def report(*files: ReportedFile, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "job": 1,
        "project_id": 2,
        "iteration": 1,
        "phase": Phase.TESTING,
        "repository": "a/b",
        "outcome": "succeeded",
        "state": "accepted",
        "reason": "",
        "why_discarded": "",
        "agent": None,
        "model": None,
        "turns": 1,
        "job_seconds": 1.0,
        "stripped_characters": 0,
        "result": None,
        "artifacts": files,
    }
    return Report(**(values | changes))


def paths(*reports: Report) -> list[str]:
    return [one.file.path for one in evidence_choice.chosen(reports, repository="a/b")]


def test_the_first_screenshot_and_trace_of_each_phase_are_shown() -> None:
    trace = file("t.zip", kind=ArtifactKind.TRACE)
    many = [file(f"{number}.png") for number in range(500)]
    assert paths(report(*many, trace, phase=Phase.REPRODUCTION), report(*many, trace)) == ["0.png", "t.zip"] * 2


@pytest.mark.parametrize(
    "unfit",
    [
        file("x.html"),
        file("x.svg"),
        file("x.png", kind=ArtifactKind.TRACE),
        file("x.png", kind=ArtifactKind.LOG),
        file("x.png", size=10 * MIB + 1),
        file("x.png", size=0),
    ],
)
def test_a_file_that_is_too_large_or_named_as_something_else_is_not_shown(unfit: ReportedFile) -> None:
    assert paths(report(unfit, file("good.png"))) == ["good.png"]


def test_all_files_together_have_a_limit() -> None:
    pair = (file("a.png", size=10 * MIB), file("t.zip", kind=ArtifactKind.TRACE, size=10 * MIB))
    assert paths(report(*pair, phase=Phase.REPRODUCTION), report(*pair)) == ["a.png", "t.zip"]


@pytest.mark.parametrize("change", [{"state": "discarded"}, {"repository": "a/c"}, {"phase": Phase.IMPLEMENTATION}])
def test_what_does_not_count_here_is_not_shown(change: dict[str, Any]) -> None:
    assert paths(report(file("a.png"), **change)) == []


def test_of_the_pictures_that_testing_took_the_one_with_the_patch_is_shown() -> None:
    taken = report(file("screenshot-before.png"), file("screenshot-after.png"))
    assert paths(taken) == ["screenshot-after.png"]


def test_a_file_is_uploaded_under_a_name_that_no_job_chose() -> None:
    video = file("x.webm", kind=ArtifactKind.VIDEO)
    (shot, film) = evidence_choice.chosen([report(file("../@all.png"), video)], repository="a/b")
    assert (shot.name, film.name) == ("screenshot-after.png", "video-after.webm")
