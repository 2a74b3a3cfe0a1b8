"""What the engine sends has the fields that GitLab's own documents and samples have."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

pytestmark = pytest.mark.integration

CONTRACTS = Path(__file__).parents[4] / "shared/contracts"

CONFIG = """
stages: [one, two]
a: {stage: one, script: ['echo x > x'], artifacts: {paths: [x]}, environment: staging}
b: {stage: two, trigger: {include: templates/ci/child.yml, strategy: mirror}}
"""


@pytest.fixture
def played(start: Callable[..., Any]) -> Any:
    if not CONTRACTS.is_dir():
        pytest.skip("GitLab's contracts are not at hand")
    running = start(CONFIG, child="c: {script: exit 1}")
    running.project().pipelines.create({"ref": "main"})
    running.settled()
    return running


def missing(sample: Any, given: Any, where: str = "") -> list[str]:
    """Name the fields of the sample that are not in what was given, or that have another type."""
    if isinstance(sample, dict) and isinstance(given, dict):
        return [
            fault
            for key, value in sample.items()
            for fault in (missing(value, given[key], f"{where}.{key}") if key in given else [f"{where}.{key}"])
        ]
    if isinstance(sample, list) and isinstance(given, list):
        return missing(sample[0], given[0], f"{where}[0]") if sample and given else []
    if sample is None or given is None:
        return []
    kinds = (int, float) if isinstance(sample, (int, float)) else type(sample)
    return [] if isinstance(given, kinds) else [f"{where}: {given!r} for {sample!r}"]


def sample(path: str) -> Any:
    return json.loads((CONTRACTS / "gitlab-webhooks" / path).read_text())


def test_pipeline_hooks_have_the_documented_fields(played: Any) -> None:
    documented = sample("gitlab-docs-18x/pipeline.json")
    child = next(one for one in played.events("pipeline") if "source_pipeline" in one)
    assert missing(documented, child) == []
    parent = next(one for one in played.events("pipeline") if "source_pipeline" not in one)
    assert missing({key: value for key, value in documented.items() if key != "source_pipeline"}, parent) == []


def test_job_hooks_have_the_recorded_fields(played: Any) -> None:
    done = next(one for one in played.events("build") if one["build_status"] == "success")
    assert missing(sample("xanzy-go-gitlab/job.json"), done) == []


def test_rest_answers_have_the_fields_of_gitlabs_openapi(played: Any) -> None:
    text = (CONTRACTS / "gitlab-openapi/openapi_v2.yaml").read_text().partition("\ndefinitions:\n")
    definitions = yaml.load("".join(text[1:]), yaml.CSafeLoader)["definitions"]
    headers = {"PRIVATE-TOKEN": played.secrets.starter_token}

    def get(path: str) -> Any:
        return (
            httpx2.get(f"{played.url}/api/v4/projects/1/{path}", headers=headers, timeout=60).raise_for_status().json()
        )

    failed = get("pipelines?source=parent_pipeline")[0]["id"]
    for name, given in {
        "API_Entities_Ci_PipelineBasic": get("pipelines")[0],
        "API_Entities_Ci_Pipeline": get("pipelines/1"),
        "API_Entities_Ci_Job": {**get(f"pipelines/{failed}/jobs")[0], **get("jobs/1")},
        "API_Entities_Ci_Bridge": get("pipelines/1/bridges")[0],
    }.items():
        wanted = set(definitions[name]["properties"])
        assert wanted <= set(given), (name, wanted - set(given))
    supplement = json.loads((CONTRACTS / "gitlab-openapi/supplement_pipelines.json").read_text())
    assert missing(supplement["create"]["response_201"], get("pipelines/1")) == []
    assert missing(supplement["trigger"]["response_201"], get("pipelines/1")) == []
