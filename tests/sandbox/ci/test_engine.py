"""The engine's behaviour with real processes: what people, limits and workflows do to running jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gitlab
import pytest

pytestmark = pytest.mark.integration


def names(dump: Any, pipeline_id: int) -> dict[str, str]:
    (found,) = [one for one in dump["pipelines"] if one["id"] == pipeline_id]
    return {job["name"]: job["status"] for job in found["jobs"] if not job["retried"]}


def test_a_job_sees_what_gitlab_gives_and_nothing_of_ours(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SANDBOX", "secret")
    running = start(
        """
variables: {GLOBAL: "g-$CI_PROJECT_ID", RAW: {value: "$GLOBAL", expand: false}}
a:
  variables: {OWN: "$GLOBAL/$CI_JOB_NAME", GLOBAL: job}
  id_tokens: {TOKEN: {aud: x}}
  script: ['env -0 | tr "\\0" "\\n" | sort > env.txt', "echo my token is $CI_JOB_TOKEN"]
  artifacts: {paths: [env.txt]}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    (job,) = project.pipelines.get(created.id).jobs.list()
    job = project.jobs.get(job.id)
    lines = job.artifact("env.txt").decode().splitlines()
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    shell = {"PWD", "SHLVL", "_", "OLDPWD"}
    assert {name for name in environment if not name.startswith(("CI_", "GITLAB_USER"))} - shell == {
        "CI",
        "GITLAB_CI",
        "PATH",
        "HOME",
        "GLOBAL",
        "RAW",
        "OWN",
        "TOKEN",
    }
    assert environment["OWN"] == "job/a"
    assert environment["RAW"] == "$GLOBAL"
    assert environment["PATH"] == "/usr/local/bin:/usr/bin:/bin"
    assert environment["CI_PIPELINE_ID"] == str(created.id)
    assert environment["CI_JOB_ID"] == str(job.id)
    assert environment["CI_COMMIT_SHA"] == created.sha
    assert environment["CI_COMMIT_REF_PROTECTED"] == "true"
    assert environment["CI_API_V4_URL"] == f"{running.url}/api/v4"
    assert environment["CI_PROJECT_DIR"] == environment["PWD"]
    assert "my token is [MASKED]" in job.trace().decode()
    assert environment["CI_JOB_TOKEN"] not in job.trace().decode()


def test_canceling_ends_all_processes_and_still_runs_after_script(start: Callable[..., Any], tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    running = start(
        f"""
stages: [one, two]
long:
  stage: one
  script:
    - setsid sleep 300 & echo $! > {marks}/detached
    - sleep 300 & echo $! > {marks}/child
    - echo $$ > {marks}/shell
    - wait
  after_script: [echo "after $CI_JOB_STATUS"]
next: {{stage: two, script: ["true"]}}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.until((marks / "shell").exists)
    project.pipelines.get(created.id).cancel()
    dump = running.settled()
    assert names(dump, created.id) == {"long": "canceled", "next": "canceled"}
    assert project.pipelines.get(created.id).status == "canceled"
    for mark in ("detached", "child", "shell"):
        assert not alive(int((marks / mark).read_text())), mark
    job = next(one for one in running.ci.engine.jobs.values() if one.name == "long")
    assert "after canceled" in project.jobs.get(job.id).trace().decode()
    statuses = [one["build_status"] for one in running.events("build") if one["build_name"] == "long"]
    assert statuses == ["created", "pending", "running", "canceled"]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_job_over_its_time_fails_with_that_reason(start: Callable[..., Any]) -> None:
    running = start("a: {script: [sleep 300], timeout: 1s}")
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    (job,) = project.pipelines.get(created.id).jobs.list()
    assert (job.status, job.failure_reason) == ("failed", "job_execution_timeout")


def test_a_failed_job_runs_again_as_often_as_its_retry_says(start: Callable[..., Any]) -> None:
    running = start("a: {script: [exit 1], retry: {max: 2, when: script_failure}}")
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    pipeline = project.pipelines.get(created.id)
    assert pipeline.status == "failed"
    assert len(pipeline.jobs.list()) == 1
    assert len(pipeline.jobs.list(include_retried=True)) == 3


def test_a_retried_job_takes_its_dependants_along(start: Callable[..., Any], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = start(
        f"""
stages: [one, two]
first: {{stage: one, script: ["test -e {gate}"]}}
second: {{stage: two, script: ["true"]}}
third: {{stage: two, needs: [second], script: ["true"]}}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    assert names(running.settled(), created.id) == {"first": "failed", "second": "skipped", "third": "skipped"}
    gate.touch()
    failed = project.pipelines.get(created.id).jobs.list(scope="failed")[0]
    project.jobs.get(failed.id).retry()
    assert names(running.settled(), created.id) == {"first": "success", "second": "success", "third": "success"}
    assert project.pipelines.get(created.id).status == "success"
    with pytest.raises(gitlab.GitlabJobRetryError, match="not retryable"):
        project.jobs.get(failed.id).retry()


def test_a_manual_job_blocks_until_it_is_played(start: Callable[..., Any]) -> None:
    running = start(
        """
stages: [one, two]
ask: {stage: one, rules: [{when: manual}], script: ["true"]}
optional: {stage: one, when: manual, script: ["true"]}
then: {stage: two, script: ["true"]}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    assert names(running.settled(), created.id) == {"ask": "manual", "optional": "manual", "then": "created"}
    assert project.pipelines.get(created.id).status == "manual"
    (ask,) = [one for one in project.pipelines.get(created.id).jobs.list() if one.name == "ask"]
    project.jobs.get(ask.id).play()
    assert names(running.settled(), created.id) == {"ask": "success", "optional": "manual", "then": "success"}
    assert project.pipelines.get(created.id).status == "success"


def test_held_jobs_stay_pending_until_they_are_released(start: Callable[..., Any]) -> None:
    running = start('stages: [one]\n"testing: a": {stage: one, script: ["true"]}\nb: {stage: one, script: ["true"]}')
    project = running.project()
    running.switch("hold", pattern="testing: *")
    created = project.pipelines.create({"ref": "main"})
    assert names(running.settled(), created.id) == {"testing: a": "pending", "b": "success"}
    running.switch("release", pattern="testing: *")
    assert names(running.settled(), created.id) == {"testing: a": "success", "b": "success"}


def test_only_so_many_jobs_run_at_once(start: Callable[..., Any], tmp_path: Path) -> None:
    record = tmp_path / "record"
    together = f"while [ $(grep -c + {record}) -lt 2 ]; do sleep 0.01; done"  # so that two do overlap
    running = start(
        f"a: {{parallel: 5, script: ['echo + >> {record}', '{together}', 'echo - >> {record}']}}", concurrency=2
    )
    running.project().pipelines.create({"ref": "main"})
    running.settled()
    level, highest = 0, 0
    for line in record.read_text().split():
        level += 1 if line == "+" else -1
        highest = max(highest, level)
    assert (level, highest) == (0, 2)


def test_a_resource_group_runs_one_job_at_a_time(start: Callable[..., Any], tmp_path: Path) -> None:
    record = tmp_path / "record"
    running = start(
        f"""
a: {{parallel: 3, resource_group: deploy, script: ['echo + >> {record}', 'sleep 0.05', 'echo - >> {record}']}}
"""
    )
    running.project().pipelines.create({"ref": "main"})
    running.project().pipelines.create({"ref": "main"})
    running.settled()
    assert record.read_text().split() == ["+", "-"] * 6


def test_a_failure_can_cancel_the_pipeline(start: Callable[..., Any], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    running = start(
        f"""
workflow: {{auto_cancel: {{on_job_failure: all}}}}
bad: {{script: ['while ! test -e {mark}; do sleep 0.02; done; exit 1']}}
long: {{script: ['touch {mark}', sleep 300]}}
"""
    )
    created = running.project().pipelines.create({"ref": "main"})
    assert names(running.settled(), created.id) == {"bad": "failed", "long": "canceled"}
    assert running.project().pipelines.get(created.id).status == "failed"


def test_canceling_a_parent_cancels_its_child(start: Callable[..., Any], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = f"long: {{script: ['touch {mark}', sleep 300]}}"
    running = start("child: {trigger: {include: templates/ci/child.yml, strategy: mirror}}", child=child)
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.until(mark.exists)
    assert project.pipelines.get(created.id).bridges.list()[0].status == "running"
    project.pipelines.get(created.id).cancel()
    running.settled()
    bridge = project.pipelines.get(created.id).bridges.list()[0]
    assert (bridge.status, bridge.downstream_pipeline["status"]) == ("canceled", "canceled")


def test_a_child_that_cannot_be_made_fails_its_trigger_job(start: Callable[..., Any]) -> None:
    running = start(
        """
stages: [make, go]
make: {stage: make, script: ["echo '{}' > child.yml"], artifacts: {paths: [child.yml]}}
empty: {stage: go, trigger: {include: [{artifact: child.yml, job: make}], strategy: mirror}}
absent: {stage: go, trigger: {include: [{artifact: other.yml, job: make}], strategy: mirror}}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    dump = running.settled()
    assert names(dump, created.id) == {"make": "success", "empty": "failed", "absent": "failed"}
    for bridge in project.pipelines.get(created.id).bridges.list():
        assert (bridge.failure_reason, bridge.downstream_pipeline) == ("downstream_pipeline_creation_failed", None)
    problems = {job["name"]: job["problem"] for one in dump["pipelines"] for job in one["jobs"]}
    assert "at least one visible job" in problems["empty"]
    assert "other.yml" in problems["absent"]


def test_children_nest_two_deep_and_no_deeper(start: Callable[..., Any]) -> None:
    running = start(
        "go: {trigger: {include: templates/ci/go.yml, strategy: mirror}}",
        go="go: {trigger: {include: templates/ci/go.yml, strategy: mirror}}",
    )
    running.project().pipelines.create({"ref": "main"})
    dump = running.settled()
    assert [one["status"] for one in dump["pipelines"]] == ["failed"] * 3
    assert dump["pipelines"][-1]["jobs"][0]["failure_reason"] == "reached_max_descendant_pipelines_depth"


def test_a_pushed_commit_cancels_older_pipelines_that_may_be_interrupted(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    running = start(
        f"""
workflow: {{auto_cancel: {{on_new_commit: conservative}}}}
a: {{interruptible: true, script: ['touch {tmp_path}/mark', 'test "$CI_PIPELINE_SOURCE" = push || sleep 300']}}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.until((tmp_path / "mark").exists)
    action = {"action": "create", "file_path": "x", "content": "x"}
    running.project("mara").commits.create({"branch": "main", "commit_message": "more", "actions": [action]})
    running.until(lambda: len(project.pipelines.list()) == 2)
    running.settled()
    assert {one.source: one.status for one in project.pipelines.list()} == {"api": "canceled", "push": "success"}
    assert project.pipelines.list(source="api")[0].id == created.id


def test_a_job_keeps_its_tests_and_what_its_coverage_expression_finds(start: Callable[..., Any]) -> None:
    running = start(
        """
stages: [one, two]
tests:
  stage: one
  script:
    - |
      cat > junit.xml <<'EOF'
      <testsuites><testsuite name="s"><testcase name="good" classname="c" time="0.5"/>
      <testcase name="bad" classname="c" time="0.25"><failure message="m">boom</failure></testcase>
      </testsuite></testsuites>
      EOF
    - "echo 'TOTAL 87%'"
    - exit 1
  allow_failure: true
  coverage: '/TOTAL (\\d+)%/'
  artifacts: {when: always, reports: {junit: junit.xml}}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    pipeline = project.pipelines.get(created.id)
    assert pipeline.status == "success"
    assert pipeline.coverage == "87.00"
    (job,) = running.ci.engine.pipelines[created.id].latest()
    assert [(one.name, one.status, one.execution_time) for one in job.tests] == [
        ("good", "success", 0.5),
        ("bad", "failed", 0.25),
    ]
    assert job.tests[1].system_output == "boom"


def test_stopping_the_emulator_ends_running_jobs(start: Callable[..., Any], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    running = start(f"a: {{script: ['echo $$ > {mark}.part', 'mv {mark}.part {mark}', sleep 300]}}")
    running.project().pipelines.create({"ref": "main"})
    running.until(mark.exists)
    process = int(mark.read_text())
    assert alive(process)
    running.stop()
    assert not alive(process)


def test_a_delayed_job_waits_and_can_be_played_early(start: Callable[..., Any]) -> None:
    running = start(
        """
soon: {when: delayed, start_in: 1 second, script: ["true"]}
later: {when: delayed, start_in: 1 week, script: ["true"]}
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    assert project.pipelines.get(created.id).status == "scheduled"
    running.until(lambda: project.pipelines.get(created.id).jobs.list(scope="success") != [])
    assert names(running.settled(), created.id) == {"soon": "success", "later": "scheduled"}
    (later,) = project.pipelines.get(created.id).jobs.list(scope="scheduled")
    project.jobs.get(later.id).play()
    assert names(running.settled(), created.id) == {"soon": "success", "later": "success"}


def test_a_workflow_that_cancels_nothing_lets_an_older_pipeline_run_on(start: Callable[..., Any]) -> None:
    running = start("workflow: {auto_cancel: {on_new_commit: none}}\na: {interruptible: true, script: ['true']}")
    project = running.project()
    running.switch("hold", pattern="a")
    project.pipelines.create({"ref": "main"})
    action = {"action": "create", "file_path": "x", "content": "x"}
    running.project("mara").commits.create({"branch": "main", "commit_message": "more", "actions": [action]})
    running.until(lambda: len(project.pipelines.list()) == 2)
    running.switch("release")
    running.settled()
    assert {one.source: one.status for one in project.pipelines.list()} == {"api": "success", "push": "success"}


def test_what_breaks_in_the_runner_fails_the_job_and_nothing_else(start: Callable[..., Any]) -> None:
    running = start(
        """
stages: [one, two, three]
makes: {stage: one, script: ["touch x"], artifacts: {paths: [x]}}
breaks: {stage: two, script: ["true"], allow_failure: true}
fine: {stage: three, needs: [], script: ["true"]}
"""
    )
    running.switch("hold", pattern="breaks")
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    (archive,) = [job.archive.path for job in running.ci.engine.jobs.values() if job.archive]
    archive.write_bytes(b"no archive")
    running.switch("release")
    assert names(running.settled(), created.id) == {"makes": "success", "breaks": "failed", "fine": "success"}
    (job,) = [one for one in project.pipelines.get(created.id).jobs.list() if one.name == "breaks"]
    assert job.failure_reason == "runner_system_failure"
    assert "not a zip file" in project.jobs.get(job.id).trace().decode()
