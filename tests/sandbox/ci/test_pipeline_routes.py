"""The smaller routes of pipelines: filters, retry, delete."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gitlab
import pytest

pytestmark = pytest.mark.integration


def test_pipelines_are_found_by_what_gitlab_filters_by(start: Callable[..., Any]) -> None:
    running = start("workflow: {name: $CI_PIPELINE_SOURCE checks}\na: {script: [exit 1], allow_failure: false}")
    project = running.project()
    first = project.pipelines.create({"ref": "main"})
    second = project.pipelines.create({"ref": "main"})
    running.settled()

    def found(**filters: str) -> list[int]:
        return [one.id for one in project.pipelines.list(get_all=True, **filters)]

    both = [second.id, first.id]
    assert found() == both
    assert found(name="api checks") == both
    assert found(status="failed", ref="main", sha=first.sha, source="api") == both
    assert found(status="success") == []
    with pytest.raises(gitlab.GitlabListError) as refusal:
        found(colour="red")
    assert refusal.value.response_code == 400


def test_retrying_a_pipeline_runs_what_failed_and_what_was_skipped_for_it(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    running = start(
        f"""
stages: [one, two]
good: {{stage: one, script: ["true"]}}
bad: {{stage: one, script: ["test -e {gate}"]}}
then: {{stage: two, script: ["true"]}}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    gate.touch()
    project.pipelines.get(created.id).retry()
    running.settled()
    pipeline = project.pipelines.get(created.id)
    assert pipeline.status == "success"
    everything = [one.name for one in pipeline.jobs.list(include_retried=True)]
    assert sorted(everything) == ["bad", "bad", "good", "then"]


def test_a_deleted_pipeline_is_gone_with_its_child_and_disturbs_no_other(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    running = start(
        "child: {trigger: {include: templates/ci/child.yml, strategy: mirror}}",
        child=f"long: {{script: ['touch {mark}', 'test -e {mark}.2 || sleep 300']}}",
    )
    project = running.project()
    first = project.pipelines.create({"ref": "main"})
    running.until(mark.exists)
    with pytest.raises(gitlab.GitlabDeleteError):
        project.pipelines.get(first.id).delete()
    running.project("root").pipelines.get(first.id).delete()
    assert running.ci.engine.pipelines == {}
    Path(f"{mark}.2").touch()
    second = project.pipelines.create({"ref": "main"})
    running.settled()
    assert project.pipelines.get(second.id).status == "success"
    assert [one.id for one in project.pipelines.list(get_all=True)] == [second.id]
