"""Names of jobs are read back to what they were made of."""

from collections.abc import Callable, Sequence

import pytest

from pipelines.catalogue import prepare_entry
from pipelines.catalogue.stack_presets import Preset
from pipelines.generation.graph import REVIEWED, job_name
from pipelines.generation.job_names import JobName, parse_job_name
from pipelines.language import Phase, ProjectPath
from pipelines.language.catalogue import Catalogue


@pytest.mark.parametrize(
    ("name", "phase", "repository"),
    [
        ("analysis", Phase.ANALYSIS, None),
        ("generate", Phase.GENERATE, None),
        ("prepare: [payk12/api, dotnet]", Phase.PREPARE, "payk12/api"),
        ("prepare windows: [payk12/legacy, dotnet-framework]", Phase.PREPARE, "payk12/legacy"),
        ("prepare: [payk12/api]", Phase.PREPARE, "payk12/api"),
        ("testing: payk12/api", Phase.TESTING, "payk12/api"),
        ("merge_request: payk12/sub/api", Phase.MERGE_REQUEST, "payk12/sub/api"),
    ],
)
def test_a_jobs_name_says_what_it_does(name: str, phase: Phase, repository: str | None) -> None:
    expected = JobName(phase=phase, repository=ProjectPath(repository) if repository else None)
    assert parse_job_name(name) == expected


@pytest.mark.parametrize("name", ["", "bug-fix", "testing", "testing:", "testing: ", "analysis: payk12/api", "lint"])
def test_other_names_are_not_ours(name: str) -> None:
    assert parse_job_name(name) is None


@pytest.mark.parametrize("phase", [step.phase for step in REVIEWED])
def test_each_name_in_a_child_pipeline_is_read_back(phase: Phase) -> None:
    path = ProjectPath("payk12/sub/api")
    assert parse_job_name(job_name(phase, path)) == JobName(phase=phase, repository=path)


def test_the_name_of_each_presets_prepare_job_is_read_back(catalogue_of: Callable[[Sequence[str]], Catalogue]) -> None:
    catalogue = catalogue_of([str(preset) for preset in Preset])
    for path, repository in catalogue.repositories.items():
        name = prepare_entry.job_name(path, repository.stack)
        assert parse_job_name(name) == JobName(phase=Phase.PREPARE, repository=path)
