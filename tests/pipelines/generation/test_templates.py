"""`.gitlab-ci.yml` and templates/ci: what the parent pipeline is, and when."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.catalogue.file import read
from pipelines.catalogue.prepare_entry import cache_key, job_name
from pipelines.catalogue.stack_presets import PRESETS, Preset
from pipelines.generation.graph import REVIEWED
from pipelines.generation.prepare_matrix import NONE, matrix
from pipelines.language import Phase
from pipelines.language.catalogue import Catalogue
from sandbox.ci.configuration.compilation import Context, Source, compile_pipeline
from sandbox.ci.configuration.definition import PipelineDefinition
from sandbox.ci.errors import ConfigError, PipelineRefused
from sandbox.ci.instance.predefined import slug

Catalogues = Callable[[Sequence[str]], Catalogue]

INPUTS = {
    "run": "1234567890123456",  # digits only: YAML must not make a number of it
    "iteration": 2,
    "name": "PL-479 · fix 2",
    "receiver": "http://127.0.0.1:8080",
}


def parent(root: Path, *, source: str, **inputs: object) -> PipelineDefinition:
    def resolve(path: str) -> str | None:
        return (root / path).read_text() if (root / path).is_file() else None

    context = Context(predefined={"CI_PIPELINE_SOURCE": source}, resolve=resolve)
    text = (root / ".gitlab-ci.yml").read_text()
    return compile_pipeline([Source(text=text, inputs=inputs)], context=context)


def hidden(root: Path) -> dict[str, Any]:
    _, body = (root / "templates/ci/phases.yml").read_text().split("\n---\n")
    document: dict[str, Any] = yaml.safe_load(body)
    return document


@pytest.mark.parametrize("source", ["push", "merge_request_event", "web", "schedule"])
def test_without_a_run_the_pipeline_is_the_projects_own_checks(source: str, root: Path) -> None:
    pipeline = parent(root, source=source)
    assert (pipeline.name, [job.name for job in pipeline.jobs]) == ("Checks", ["check"])
    assert (pipeline.jobs[0].script, pipeline.jobs[0].id_tokens) == (("./scripts/test",), {})


def test_the_receiver_starts_analysis_beside_preparation_then_generation_then_the_child(
    root: Path, catalogue_of: Catalogues
) -> None:
    catalogue = catalogue_of(["python", "nextjs"])
    entries = matrix(catalogue, readable=catalogue.repositories)
    pipeline = parent(root, source="api", prepare=entries, **INPUTS)
    assert pipeline.name == "PL-479 · fix 2"
    assert [(job.stage, job.name) for job in pipeline.jobs] == [
        ("analysis", "analysis"),
        *(("analysis", job_name(path, one.stack)) for path, one in catalogue.repositories.items()),
        ("generate", "generate"),
        ("fix", "bug-fix"),
    ]
    assert all(job.needs is None for job in pipeline.jobs)
    assert pipeline.on_new_commit.value == "none"


def test_a_pipeline_whose_plan_is_known_begins_with_generation(root: Path) -> None:
    pipeline = parent(root, source="api", first="generate", prepare=list(NONE), **INPUTS)
    assert [job.name for job in pipeline.jobs] == ["generate", "bug-fix"]


def test_the_trigger_job_takes_the_generated_file_and_mirrors_the_child(root: Path) -> None:
    trigger = parent(root, source="api", **INPUTS).jobs[-1].trigger
    assert trigger is not None
    assert [(one.artifact, one.job) for one in trigger.includes] == [(".bug-fix/generate/child.yml", "generate")]  # type: ignore[union-attr]  # an artifact, or the test fails
    assert trigger.strategy is not None
    assert trigger.strategy.value == "mirror"


def test_only_repositories_that_can_be_read_are_prepared(catalogue_of: Catalogues) -> None:
    catalogue = catalogue_of(["python", "nextjs"])
    first, _ = catalogue.repositories
    assert [entry["REPOSITORY"] for entry in matrix(catalogue, readable={first})] == [first]
    assert matrix(catalogue, readable=()) == list(NONE)


def test_each_job_knows_its_run_and_where_the_receiver_is(root: Path, catalogue_of: Catalogues) -> None:
    catalogue = catalogue_of(["python"])
    pipeline = parent(root, source="api", prepare=matrix(catalogue, readable=catalogue.repositories), **INPUTS)
    for job in pipeline.jobs[:-1]:
        values = {name: variable.value for name, variable in job.variables.items()}
        assert values["BUG_FIX_RUN"] == INPUTS["run"]
        assert (values["BUG_FIX_KIND"], values["BUG_FIX_ITERATION"]) == ("fix", "2")
        assert values["BUG_FIX_RECEIVER"] == INPUTS["receiver"]
        assert job.id_tokens == {"BUG_FIX_ID_TOKEN": (INPUTS["receiver"],)}
        assert job.script == (f"bug-fix-job {values['BUG_FIX_PHASE']}",)


@pytest.mark.parametrize("source", ["web", "push", "trigger", "schedule"])
def test_a_run_that_did_not_come_by_the_api_starts_nothing(source: str, root: Path) -> None:
    with pytest.raises(PipelineRefused):
        parent(root, source=source, **INPUTS)


@pytest.mark.parametrize(
    "changed",
    [
        {"run": 'x" || "'},
        {"run": "0123456789abcdef\nevil:"},
        {"name": "$CI_JOB_TOKEN"},
        {"name": 'PL-1 · fix 1"\nevil: {script: x}'},
        {"receiver": "https://evil.example.com/$CI_JOB_TOKEN"},
        {"receiver": 'http://x"\n'},
        {"iteration": "1"},
        {"kind": "deploy"},
        {"first": "testing"},
    ],
    ids=str,
)
def test_inputs_that_could_change_the_configuration_are_refused(changed: dict[str, str], root: Path) -> None:
    with pytest.raises(ConfigError):
        parent(root, source="api", **{**INPUTS, **changed})


@pytest.mark.parametrize("preset", list(Preset))
def test_the_parents_table_of_images_follows_the_presets(preset: Preset, root: Path, catalogue_of: Catalogues) -> None:
    catalogue = catalogue_of([preset.value])
    [(path, repository)] = catalogue.repositories.items()
    pipeline = parent(root, source="api", prepare=matrix(catalogue, readable=catalogue.repositories), **INPUTS)
    [job] = [job for job in pipeline.jobs if job.name.startswith("prepare")]
    assert job.name == job_name(path, repository.stack)
    assert job.variables["BUG_FIX_IMAGE"].value == PRESETS[preset].image
    assert job.tags == PRESETS[preset].tags
    assert job.variables["BUG_FIX_REPOSITORY"].value == "$REPOSITORY"
    assert job.variables["REPOSITORY"].value == path


def test_an_image_that_is_not_the_presets_is_prepared_with(root: Path) -> None:
    text = (root / "tests/golden/catalogue.yml").read_text() + "    image: registry.example.com/ours@sha256:abc\n"
    catalogue = read(text, source="bug-fix.yml")
    [(path, repository)] = catalogue.repositories.items()
    pipeline = parent(root, source="api", prepare=matrix(catalogue, readable=catalogue.repositories), **INPUTS)
    job = pipeline.jobs[1]
    assert job.name == job_name(path, repository.stack)
    assert job.name.endswith(", registry.example.com/ours@sha256:abc]")
    assert job.variables["BUG_FIX_IMAGE"].value == "$IMAGE"


def test_a_cache_key_is_that_of_the_job_that_writes_it(root: Path, catalogue_of: Catalogues) -> None:
    catalogue = catalogue_of(["python"])
    [(path, repository)] = catalogue.repositories.items()
    job = parent(root, source="api", prepare=matrix(catalogue, readable=catalogue.repositories), **INPUTS).jobs[1]
    values = {"CI_JOB_NAME_SLUG": slug(job.name), "CACHE": job.variables["CACHE"].value}
    written = hidden(root)[".prepare"]["cache"]["key"]
    assert cache_key(path, repository.stack) == re.sub(r"\$(\w+)", lambda found: values[found[1]], written)


def test_only_preparation_writes_a_cache(root: Path) -> None:
    writers = [name for name, job in hidden(root).items() if "cache" in job]
    assert writers == [".prepare"]


def test_every_phase_has_a_hidden_job_and_the_childs_stages_are_its_phases(root: Path) -> None:
    jobs = hidden(root)
    assert {f".{phase.value}" for phase in Phase} <= set(jobs)
    for step in REVIEWED:
        job = jobs[f".{step.phase.value}"]
        stage = "analysis" if step.phase is Phase.PREPARE else step.phase.value  # beside analysis in the parent
        assert (job["stage"], job["variables"]["BUG_FIX_PHASE"]) == (stage, step.phase.value)


def test_no_template_holds_a_secret_or_expands_untrusted_text(root: Path) -> None:
    for path in (root / ".gitlab-ci.yml", *sorted((root / "templates/ci").glob("*.yml"))):
        text = path.read_text()
        assert "TOKEN: $" not in text, path.name
        assert "before_script" not in text, path.name


def test_the_parent_keeps_gitlabs_schema_and_limits(root: Path) -> None:
    checker = root / "../shared/checks/pipeline_check.py"
    if not checker.exists():
        pytest.skip("GitLab's schema is not here")
    done = subprocess.run(
        [sys.executable, checker, root / ".gitlab-ci.yml", "--root", root], capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout.splitlines()[-1])["problems"] == 0, done.stdout
