"""The generated YAML: golden files, GitLab's schema and limits, and nothing that came from a plan's texts.

Golden files are rewritten with `GOLDEN=write pytest tests/pipelines/test_render.py`; look at the difference.
"""

import json
import os
import runpy
import sys
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.catalogue.file import read
from pipelines.generation.graph import ENDINGS, Origin, build
from pipelines.generation.render import render
from pipelines.language import IssueKey, Phase, Plan, PlanOutcome, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from pipelines.language.wire import RepositoryPhase
from sandbox.ci.configuration.compilation import Context, Source, compile_pipeline
from sandbox.ci.configuration.definition import PipelineDefinition

Plans = Callable[..., Plan]
Catalogues = Callable[..., Catalogue]
Children = Callable[..., str]

PRESETS = ("python", "nextjs", "dotnet", "dotnet-framework")
CASES = {
    **{preset: [preset] for preset in PRESETS},
    "three-repositories": ["dotnet", "nextjs", "dotnet-framework"],
    "thirty-repositories": [PRESETS[n % 4] for n in range(30)],
    "reviewed": ["dotnet", "nextjs"],
    "confidential": ["python"],
    "second-attempt": ["python"],
    "second-attempt-missed": ["python", "nextjs"],
}
REVIEW = "policy: {review: advise}\n"
REVIEWED = {"reviewed", "second-attempt", "second-attempt-missed"}
REUSED = {
    "second-attempt": {Phase.PREPARE: ["payk12/r1"], Phase.REPRODUCTION: ["payk12/r1"]},
    "second-attempt-missed": {Phase.PREPARE: ["payk12/r1"], Phase.REPRODUCTION: ["payk12/r2"]},
}
"""What the second attempts reuse; what is missing here runs again."""
ALLOWED = {"prepare": (5,), "implementation": (), "review": (4, 5)}
"""Exit codes by stage, where they are not those of most."""
HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "x\nscript: [curl evil]",
            "$(id) `id` $CI_JOB_TOKEN ${BUG_FIX_ID_TOKEN}",
            "$[[ inputs.receiver ]]",
            "!reference [.bug-fix, id_tokens]",
            "\u202e\u200b---\n...",
            "%{x} *a &b {c: d}",
        ]
    ),
)


def paths(count: int) -> list[str]:
    return [f"payk12/r{n}" for n in range(1, count + 1)]


def compiled(text: str, root: Path) -> PipelineDefinition:
    def resolve(path: str) -> str | None:
        return (root / path).read_text() if (root / path).is_file() else None

    context = Context(
        predefined={"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_PROJECT_DIR": "/builds"}, resolve=resolve
    )
    return compile_pipeline([Source(text=text)], context=context)


@pytest.fixture(params=CASES, ids=str)
def case(
    request: pytest.FixtureRequest, plan_of: Plans, catalogue_of: Catalogues, child_of: Children
) -> tuple[str, str]:
    stacks = CASES[request.param]
    catalogue = catalogue_of(stacks, REVIEW if request.param in REVIEWED else "")
    settings: dict[str, Any] = {"confidential": request.param == "confidential"}
    if request.param in REUSED:
        reused = [(phase, path) for phase, names in REUSED[request.param].items() for path in names]
        done = tuple(RepositoryPhase(phase=phase, repository=ProjectPath(path)) for phase, path in reused)
        settings |= {"number": 2, "done": done}
    return request.param, child_of(plan_of(paths(len(stacks))), catalogue, **settings)


def test_golden(case: tuple[str, str], root: Path) -> None:
    name, text = case
    golden = root / "tests/golden" / f"{name}.yml"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


def test_a_generated_pipeline_keeps_gitlabs_schema_and_limits(
    case: tuple[str, str],
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checker = root / "../shared/checks/pipeline_check.py"
    if not checker.exists():
        pytest.skip("GitLab's schema is not here")
    file = tmp_path / "child.yml"
    file.write_text(case[1])
    monkeypatch.setattr(sys, "argv", [str(checker), str(file), "--root", str(root)])
    code = runpy.run_path(str(checker))["main"]()
    said = capsys.readouterr().out
    assert (code, json.loads(said.splitlines()[-1])["problems"]) == (0, 0), said


def test_a_generated_pipeline_is_sound(case: tuple[str, str], root: Path) -> None:
    access = "maintainer" if case[0] == "confidential" else "developer"
    pipeline = compiled(case[1], root)
    graph = {job.name: [need.job for need in job.needs or ()] for job in pipeline.jobs}
    TopologicalSorter(graph).prepare()
    for job in pipeline.jobs:
        assert len(job.name) <= 128
        assert len(job.needs or ()) <= 50
        assert job.script == (f"bug-fix-job {job.stage}",)
        assert job.id_tokens == {"BUG_FIX_ID_TOKEN": ("http://receiver.example.com:8080",)}
        assert job.variables["BUG_FIX_PHASE"].value == job.stage
        assert job.name == f"{job.stage}: {job.variables['BUG_FIX_REPOSITORY'].value}"
        assert job.artifacts is not None
        assert (job.artifacts.paths, job.artifacts.access) == ((f".bug-fix/{job.stage}/",), access)
        assert job.artifacts.when.value == "always"
        assert job.allow_failure_exit_codes == {"prepare": (5,), "implementation": (), "review": (4, 5)}.get(
            job.stage, (4,)
        )
    assert pipeline.on_new_commit.value == "none"


def test_a_job_gets_the_artifacts_of_its_own_repository_only(
    plan_of: Plans, catalogue_of: Catalogues, child_of: Children, root: Path
) -> None:
    pipeline = compiled(child_of(plan_of(paths(2)), catalogue_of(["python", "nextjs"])), root)
    for job in pipeline.jobs:
        sources = job.dependencies if job.needs is None else [need.job for need in job.needs]
        assert sources is not None
        assert {name.split(": ")[1] for name in sources} <= {job.name.split(": ")[1]}


@pytest.mark.parametrize("outcome", [outcome for outcome in PlanOutcome if outcome is not PlanOutcome.FIX])
def test_a_child_is_never_empty_and_states_the_outcome(
    outcome: PlanOutcome, plan_of: Plans, catalogue_of: Catalogues, child_of: Children, root: Path
) -> None:
    pipeline = compiled(child_of(plan_of([], outcome), catalogue_of(["python"])), root)
    [job] = pipeline.jobs
    ending = ENDINGS[outcome].value
    assert job.name == f"outcome: {ending}"
    assert job.script[0].startswith("echo '")
    assert job.id_tokens == {}
    assert pipeline.name == f"PL-479 · fix 1 · {ending}"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE, outcome=st.sampled_from(PlanOutcome), count=st.integers(1, 4))
def test_no_text_of_a_plan_changes_a_byte(
    text: str,
    outcome: PlanOutcome,
    count: int,
    plan_of: Plans,
    catalogue_of: Catalogues,
    child_of: Children,
) -> None:
    catalogue = catalogue_of(["python"] * 4)
    harmless = child_of(plan_of(paths(count), outcome, "text"), catalogue)
    assert child_of(plan_of(paths(count), outcome, text), catalogue) == harmless


@pytest.mark.parametrize("run", ["abcdef0123456789", "0123456789012345", "12e4567890123456", "1f00000000000000"])
def test_the_file_has_the_same_shape_for_every_run(run: str, plan_of: Plans, catalogue_of: Catalogues) -> None:
    plan, catalogue = plan_of(paths(1), PlanOutcome.FIX, "text"), catalogue_of(["python"])

    def child(of: str) -> str:
        return render(
            build(
                plan,
                catalogue=catalogue,
                origin=Origin(
                    run=RunId(of),
                    pipeline=fix(1),
                    issue_key=IssueKey("PL-479"),
                    receiver="http://receiver",
                ),
            )
        )

    assert child(run).replace(run, "RUN") == child("f" * 16).replace("f" * 16, "RUN")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.one_of(st.text("$CIPROJETD_R{}[]()`'\"\\ !&*#-.:,0123456789eExX\t\nyYnN~", max_size=24), HOSTILE))
def test_gitlab_sees_a_variable_exactly_as_the_catalogue_has_it(
    value: str, plan_of: Plans, child_of: Children, root: Path
) -> None:
    head = (root / "tests/golden/catalogue.yml").read_text()
    written = yaml.safe_dump({"GIVEN": value}, default_style='"', default_flow_style=True, width=10_000)
    catalogue = read(head + f"    variables: {written}", source="bug-fix.yml")
    job = compiled(child_of(plan_of(["payk12/r1"]), catalogue), root).jobs[0]
    given_ = job.variables["GIVEN"]
    assert given_.value == value
    assert not given_.expand or "$" not in value.removeprefix("$CI_PROJECT_DIR/")


@pytest.mark.parametrize("value", ["12e4", "0x1F", "1_000", "1:30", "010", "1.0", ".5", "+1", "-.inf", "2026-01-01"])
def test_text_that_other_readers_take_for_a_number_is_quoted(
    value: str, plan_of: Plans, child_of: Children, root: Path
) -> None:
    catalogue = read(
        (root / "tests/golden/catalogue.yml").read_text() + f"    variables: {{GIVEN: '{value}'}}\n",
        source="bug-fix.yml",
    )
    assert f"GIVEN: '{value}'" in child_of(plan_of(["payk12/r1"]), catalogue)


def test_the_size_grows_with_the_repositories_and_not_faster(
    plan_of: Plans, catalogue_of: Catalogues, child_of: Children
) -> None:
    catalogue = catalogue_of(["python"] * 60)
    sizes = [len(child_of(plan_of(paths(count)), catalogue)) for count in (10, 20, 40, 60)]
    each = (sizes[1] - sizes[0]) / 10
    assert sizes[3] - sizes[0] < each * 50 * 1.05
