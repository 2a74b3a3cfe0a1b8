"""The smaller routes of pipelines: filters, variables, retry, delete."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gitlab
import pytest

from sandbox.gitlab.state import Access

pytestmark = pytest.mark.integration


def test_pipelines_are_found_by_what_gitlab_filters_by(start: Callable[..., Any]) -> None:
    running = start("workflow: {name: $CI_PIPELINE_SOURCE checks}\na: {script: [exit 1], allow_failure: false}")
    project = running.project()
    first = project.pipelines.create({"ref": "main"})
    second = running.project("mara").pipelines.create({"ref": "main"})
    running.settled()

    def found(**filters: str) -> list[int]:
        return [one.id for one in project.pipelines.list(get_all=True, **filters)]

    both = [second.id, first.id]
    assert found() == both
    assert found(sort="asc") == both[::-1]
    assert found(username="mara") == [second.id]
    assert found(name="api checks") == both
    assert found(status="failed", scope="finished", ref="main", sha=first.sha, source="api") == both
    assert found(status="success") == []
    assert found(updated_after="2000-01-01T00:00:00Z") == both
    assert found(updated_after=datetime(2100, 1, 1, tzinfo=UTC).isoformat()) == []
    assert found(order_by="user_id", sort="asc") == sorted(
        both, key=lambda one: running.plug.ci.engine.pipelines[one].user_id
    )
    assert project.pipelines.latest().id == second.id
    for wrong in ({"order_by": "colour"}, {"scope": "some"}, {"updated_after": "yesterday"}, {"colour": "red"}):
        with pytest.raises(gitlab.GitlabListError) as refusal:
            found(**wrong)
        assert refusal.value.response_code == 400


def test_pipeline_variables_win_over_the_configuration_where_a_role_may_set_them(start: Callable[..., Any]) -> None:
    running = start(
        """
variables: {WHO: yaml}
a: {variables: {WHO: job}, script: ['test "$WHO" = given', 'test "$(cat "$KEY")" = content']}
"""
    )
    running.plug.ci.site.variables_role = Access.MAINTAINER
    given = [
        {"key": "WHO", "value": "given"},
        {"key": "KEY", "value": "content", "variable_type": "file"},
    ]
    project = running.project()
    created = project.pipelines.create({"ref": "main", "variables": given})
    running.settled()
    pipeline = project.pipelines.get(created.id)
    assert pipeline.status == "success"
    assert [(one.key, one.value, one.variable_type) for one in pipeline.variables.list()] == [
        ("WHO", "given", "env_var"),
        ("KEY", "content", "file"),
    ]


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
    assert running.plug.ci.engine.pipelines == {}
    Path(f"{mark}.2").touch()
    second = project.pipelines.create({"ref": "main"})
    running.settled()
    assert project.pipelines.get(second.id).status == "success"
    assert [one.id for one in project.pipelines.list(get_all=True)] == [second.id]
