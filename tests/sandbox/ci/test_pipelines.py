"""Whole pipelines through python-gitlab: real scripts, real git, a child from an artifact, hooks."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import gitlab
import pytest

pytestmark = pytest.mark.integration

PARENT = """
spec:
  inputs:
    run: {}
    name: {default: checks}
    prepare: {type: array, default: []}
---
workflow: {name: "$[[ inputs.name ]]", auto_cancel: {on_new_commit: none}}
stages: [look, make, fix]
analysis:
  stage: look
  script: ["echo run $[[ inputs.run ]]", "git log --oneline | wc -l", "test -f bug-fix.yml"]
prepare:
  stage: look
  parallel: {matrix: $[[ inputs.prepare ]]}
  script: ['echo "prepared $REPOSITORY with $STACK"']
generate:
  stage: make
  needs: [analysis, prepare]
  script:
    - |
      cat > child.yml <<'EOF'
      include: [{local: templates/ci/phases.yml}]
      stages: [one, two]
      "reproduction: payk12/contacts":
        extends: .phase
        stage: one
        script: [echo red, exit 4]
        allow_failure: {exit_codes: 4}
      "testing: payk12/contacts":
        extends: .phase
        stage: two
        script: ["echo got $FROM", "pwd > where.txt"]
      EOF
  artifacts: {paths: [child.yml], expire_in: 1 week}
bug-fix:
  stage: fix
  needs: [generate]
  variables: {FROM: "parent of $[[ inputs.run ]]"}
  trigger: {include: [{artifact: child.yml, job: generate}], strategy: mirror}
"""
PHASES = """
.phase:
  after_script: [echo bye]
  artifacts: {when: always, paths: ["*.txt"]}
"""
INPUTS: Any = {
    "run": "r1",
    "name": "PL-479 · fix 1",
    "prepare": [{"REPOSITORY": "payk12/contacts", "STACK": "python"}],
}


def test_a_parent_makes_its_child_and_mirrors_it(start: Callable[..., Any]) -> None:
    running = start(PARENT, phases=PHASES)
    project = running.project()
    created = project.pipelines.create({"ref": "main", "inputs": INPUTS})
    assert created.source == "api"
    running.settled()
    pipeline = project.pipelines.get(created.id)
    logs = {job.name: project.jobs.get(job.id).trace().decode() for job in pipeline.jobs.list(get_all=True)}
    assert pipeline.status == "success", logs
    assert set(logs) == {"analysis", "prepare: [payk12/contacts, python]", "generate"}
    assert "prepared payk12/contacts with python" in logs["prepare: [payk12/contacts, python]"]
    assert "$ echo run r1" in logs["analysis"]
    (bridge,) = pipeline.bridges.list()
    assert (bridge.name, bridge.status) == ("bug-fix", "success")
    child = project.pipelines.get(bridge.downstream_pipeline["id"])
    assert (child.source, child.status, child.detailed_status["label"]) == (
        "parent_pipeline",
        "success",
        "passed with warnings",
    )
    jobs = {job.name: project.jobs.get(job.id) for job in child.jobs.list()}
    assert jobs["reproduction: payk12/contacts"].status == "failed"
    assert jobs["reproduction: payk12/contacts"].failure_reason == "script_failure"
    testing = jobs["testing: payk12/contacts"]
    assert "got parent of r1" in testing.trace().decode()
    assert "bye" in testing.trace().decode()
    assert testing.artifact("where.txt").decode().endswith("/build\n")
    with zipfile.ZipFile(io.BytesIO(testing.artifacts())) as archive:
        assert archive.namelist() == ["where.txt"]
    assert [one.name for one in project.pipelines.list(iterator=True)] == ["PL-479 · fix 1"]
    assert [one.id for one in project.pipelines.list(source="parent_pipeline", iterator=True)] == [child.id]


def test_hooks_tell_of_every_change(start: Callable[..., Any]) -> None:
    running = start(PARENT, phases=PHASES)
    project = running.project()
    created = project.pipelines.create({"ref": "main", "inputs": INPUTS})
    running.settled()
    events = running.events("pipeline")
    parents = [one["object_attributes"] for one in events if "source_pipeline" not in one]
    assert [one["status"] for one in parents] == ["pending", "running", "success"]
    assert {one["name"] for one in parents} == {"PL-479 · fix 1"}
    children = [one for one in events if "source_pipeline" in one]
    assert {one["source_pipeline"]["pipeline_id"] for one in children} == {created.id}
    assert children[-1]["object_attributes"]["source"] == "parent_pipeline"
    builds = [one for one in running.events("build") if one["build_name"] == "generate"]
    assert [one["build_status"] for one in builds] == ["created", "pending", "running", "success"]
    assert {one["commit"]["id"] for one in builds} == {created.id}
    assert not [one for one in running.events("build") if one["build_name"] == "bug-fix"]


REFUSED = [
    ({"ref": "nowhere"}, "Reference not found"),
    ({"ref": "main"}, "`run` input: required value has not been provided"),
    ({"ref": "main", "inputs": {"run": 3}}, "`run` input: provided value is not a string"),
    ({"ref": "main", "inputs": {"run": "a", "more": "b"}}, "unknown input arguments: more"),
]


def test_what_gitlab_refuses_is_refused_in_its_shape(start: Callable[..., Any]) -> None:
    running = start(PARENT, phases=PHASES)
    project = running.project()
    for body, complaint in REFUSED:
        with pytest.raises(gitlab.GitlabCreateError) as refusal:
            project.pipelines.create(body)
        assert refusal.value.response_code == 400
        assert complaint in refusal.value.error_message["base"][0]
    with pytest.raises(gitlab.GitlabCreateError, match="sufficient permission to run a pipeline on 'main'"):
        running.project("tomas").pipelines.create({"ref": "main", "inputs": {"run": "a"}})
    with pytest.raises(gitlab.GitlabCreateError) as refusal:
        running.project("rosa").pipelines.create({"ref": "main", "inputs": {"run": "a"}})
    assert refusal.value.response_code == 403
    assert project.pipelines.list(get_all=True) == []
