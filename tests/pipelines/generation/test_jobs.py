"""Jobs that no fix has yet, rendered as GitLab takes them: triggers, manual jobs, environments, resource groups."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from pipelines.generation.graph import ChildPipeline, Origin
from pipelines.generation.job_keywords import job_keywords
from pipelines.generation.jobs import (
    Downstream,
    Environment,
    EnvironmentAction,
    GeneratedFile,
    ScriptJob,
    TriggerJob,
    When,
)
from pipelines.generation.render import render
from pipelines.language import IssueKey, PipelineKey, PipelineKind, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from sandbox.ci.configuration.compilation import Context, Source, compile_pipeline
from sandbox.ci.configuration.definition import PipelineDefinition

Catalogues = Callable[[Sequence[str]], Catalogue]

R1 = ProjectPath("payk12/r1")
PRODUCTION = Environment(name="production", url="https://example.com")
BUILD = ScriptJob(name="testing: payk12/r1", stage="testing", template="testing", scope=R1, needs=())
CHECK = ScriptJob(
    name="check: production",
    stage="verify",
    template="generate",
    scope=None,
    image="python:3.11",
    needs=("deploy: payk12/r1",),
    environment=replace(PRODUCTION, action=EnvironmentAction.VERIFY),
)
DEPLOY = TriggerJob(
    name="deploy: payk12/r1",
    stage="deploy",
    needs=("testing: payk12/r1",),
    target=Downstream(project=R1, branch="main"),
    inputs={"environment": "production"},
    when=When.MANUAL,
    resource_group="production",
)
REPEAT = TriggerJob(
    name="repeat", stage="verify", needs=None, target=GeneratedFile(job="testing: payk12/r1", path="child.yml")
)


@pytest.fixture
def deployment_of(catalogue_of: Catalogues) -> Callable[..., str]:
    """Return a way to render jobs as a deployment's pipeline."""

    def make(*jobs: ScriptJob | TriggerJob) -> str:
        origin = Origin(
            run=RunId("0123456789abcdef"),
            pipeline=PipelineKey(kind=PipelineKind.DEPLOY, number=1),
            issue_key=IssueKey("PL-479"),
            receiver="http://receiver.example.com:8080",
        )
        child = ChildPipeline(
            origin=origin,
            confidential=False,
            ending=None,
            stacks={R1: catalogue_of(["python"]).repositories[R1].stack},
            stages=("testing", "deploy", "verify"),
            jobs=jobs,
        )
        return render(child)

    return make


@pytest.fixture
def deployment(deployment_of: Callable[..., str]) -> str:
    """Return a pipeline with one job of each sort, as text."""
    return deployment_of(BUILD, DEPLOY, CHECK, REPEAT)


def test_a_deployment_is_named_and_addressed_by_its_kind_and_number(deployment: str) -> None:
    document = yaml.safe_load(deployment)
    assert document["workflow"]["name"] == "PL-479 · deploy 1 · child"
    assert document["include"][0]["inputs"]["kind"] == "deploy"


def test_gitlabs_schema_and_limits_take_every_sort_of_job(deployment: str, root: Path, tmp_path: Path) -> None:
    checker = root / "../shared/checks/pipeline_check.py"
    if not checker.exists():
        pytest.skip("GitLab's schema is not here")
    file = tmp_path / "deploy.yml"
    file.write_text(deployment)
    done = subprocess.run([sys.executable, checker, file, "--root", root], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout.splitlines()[-1])["problems"] == 0, done.stdout


def test_the_emulated_gitlab_reads_it_as_it_is_meant(deployment_of: Callable[..., str], root: Path) -> None:
    deploy_here = replace(DEPLOY, target=REPEAT.target)  # it knows no pipelines of other projects
    jobs = {job.name: job for job in compiled(deployment_of(BUILD, deploy_here, CHECK, REPEAT), root).jobs}
    deploy, check = jobs[DEPLOY.name], jobs[CHECK.name]
    assert deploy.trigger is not None
    assert deploy.resource_group == "production"
    assert (deploy.when.value, deploy.allow_failure) == ("manual", False)
    assert check.environment is not None
    assert check.environment.name == "production"
    assert jobs[REPEAT.name].needs is None


def compiled(text: str, root: Path) -> PipelineDefinition:
    def resolve(path: str) -> str | None:
        return (root / path).read_text() if (root / path).is_file() else None

    context = Context(predefined={"CI_PIPELINE_SOURCE": "parent_pipeline"}, resolve=resolve)
    return compile_pipeline([Source(text=text)], context=context)


@pytest.mark.parametrize(
    ("when", "keywords"),
    [
        (When.ON_SUCCESS, {}),
        (When.MANUAL, {"when": "manual", "allow_failure": False}),
        (When.OPTIONAL, {"when": "manual", "allow_failure": True}),
    ],
)
def test_a_manual_job_says_whether_the_pipeline_waits_for_it(when: When, keywords: dict[str, object]) -> None:
    told = job_keywords(replace(CHECK, when=when), {})
    assert {key: told[key] for key in ("when", "allow_failure") if key in told} == keywords


def test_a_job_of_the_run_has_no_repository(deployment: str) -> None:
    assert yaml.safe_load(deployment)[CHECK.name]["extends"] == [".generate"]
