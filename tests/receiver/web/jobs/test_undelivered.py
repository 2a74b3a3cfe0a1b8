"""Reports that can't be delivered: real jobs of the emulated GitLab leave them as artifacts, and the sweep collects.

The job's side is the real client with short patience; the receiver answers 503 on some paths, over real HTTP.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from msgspec import to_builtins
from sqlalchemy import select

from pipelines.language import Artifact, ArtifactKind, Phase, PipelineKind
from pipelines.language.catalogue import Catalogue
from pipelines.language.wire import RunSpec, decode, sha256
from receiver.notes import StatusNotes
from receiver.outbound.effects.desk import Desk
from receiver.outbound.faults import NoFaults
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.merging_api import MergeRequestMerging
from receiver.outbound.gitlab.pipelines_api import Pipelines
from receiver.outbound.gitlab.repositories_api import Repositories
from receiver.outbound.jira.jira_client import JiraClient
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.schema import EffectRow
from receiver.worker.assembly import new_run
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting
from receiver.worker.sweep import sweep

pytestmark = pytest.mark.integration

CONFIG = """
spec: {inputs: {receiver: {}}}
---
stages: [all]
.job:
  stage: all
  id_tokens: {BUG_FIX_ID_TOKEN: {aud: "$[[ inputs.receiver ]]"}}
  variables: {RECEIVER: "$[[ inputs.receiver ]]"}
  artifacts: {when: always, paths: [.bug-fix/]}
  allow_failure: {exit_codes: [4]}
  script:
    - if [ ! -e "$HOLD/$PHASE.json" ]; then exit 0; fi
    - code=0; "$PYTHON" "$HOLD/job.py" || code=$?
    - if [ -e "$HOLD/after" ]; then sh -e "$HOLD/after"; fi
    - exit $code
analysis: {extends: .job, variables: {PHASE: analysis}}
"reproduction: payk12/contacts": {extends: .job, variables: {PHASE: reproduction}}
lint:
  stage: all
  script:
    - read -r < "$HOLD/end"
"""

JOB = """
import json, os, sys
from pathlib import Path
import msgspec
from pipelines.supervision import supervisor
from pipelines.job.communication.receiver_client import ReceiverClient
from pipelines.job.communication.job_log import JobLog
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import PhaseReport
from pipelines.language.wire import SessionRequest

told = json.loads(Path(os.environ["HOLD"], os.environ["PHASE"] + ".json").read_text())
report = msgspec.convert(told["report"], PhaseReport)
client = ReceiverClient(os.environ["RECEIVER"], patience_s=0.5)
wanted = SessionRequest(
    run=report.run, iteration=1, phase=os.environ["PHASE"], repository=told["report"]["repository"]
)
client.open_session(wanted, id_token=os.environ["BUG_FIX_ID_TOKEN"])
for path, text in told["files"].items():
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
artifacts = Artifacts(Path(os.environ["CI_PROJECT_DIR"]), report.phase)
supervisor._submit(report, artifacts, JobLog(), client)
sys.exit(told["exit"])
"""

CONTACTS = "payk12/contacts"
RUN = "00000000000000aa"
PLAN = {
    **dict.fromkeys(["reason", "title", "summary", "expected", "actual", "root_cause", "risk_reason"], "x"),
    "outcome": "not_a_bug",
    "steps": [],
    "requirements": [],
    "location": None,
    "complexity": "simple",
    "risk": "low",
    "repositories": [],
    "deploy_pattern": "sequential",
}
REPORTS = {
    Phase.ANALYSIS: {"outcome": "succeeded", "result": {"type": "analysis", "plan": PLAN}},
    Phase.REPRODUCTION: {
        "outcome": "not_reproduced",
        "result": {
            "type": "reproduction",
            "base_sha": "a" * 40,
            "reproduced": False,
            "test_path": "",
            "test_sha256": None,
            "failure": "",
            "symptom": "",
            "steps": [],
        },
    },
}


def wait_for(found: Callable[[], Any]) -> Any:
    for _ in range(3000):
        if (value := found()) is not None:
            return value
        threading.Event().wait(0.02)
    return pytest.fail("the state did not come")


class CutOff:
    """Stands before the receiver, and lets nothing through to some paths."""

    def __init__(self, app: Any, *starts: str) -> None:
        self.app = app
        self.starts = starts
        self.stopped: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self.starts or ("\0",)):
            await self.app(scope, receive, send)
            return
        self.stopped.append(scope["path"])
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Scene:
    """A run at work in GitLab, a receiver that can be cut off, and a worker that looks after both."""

    desk: Any
    world: Any
    url: str
    before: CutOff
    later: timedelta = field(default_factory=timedelta)

    def play(
        self, phase: Phase, /, *, files: dict[str, str] | None = None, code: int = 0, after: str = "", **changes: Any
    ) -> int:
        """Let the job of a phase report and end, and return its id; `after` is shell of code that ran in the job."""
        named = {f".bug-fix/{phase}/{name}": text for name, text in (files or {}).items()}
        kinds = {"change-set.json": ArtifactKind.CHANGE_SET, "transcript.jsonl": ArtifactKind.TRANSCRIPT}
        artifacts = [
            Artifact(kind=kinds[path.rpartition("/")[2]], path=path, sha256=sha256(text.encode()), size=len(text))
            for path, text in named.items()
        ]
        report = {
            "run": RUN,
            "iteration": 1,
            "phase": phase,
            "repository": None if phase is Phase.ANALYSIS else CONTACTS,
            "reason": "As it is.",
            "artifacts": to_builtins(artifacts),
        } | REPORTS[phase]
        told = {"report": report | changes, "files": named, "exit": code}
        (self.world.hold / "job.py").write_text(JOB)
        (self.world.hold / f"{phase}.json").write_text(json.dumps(told))
        if after:
            (self.world.hold / "after").write_text(after)
        pipeline = self.world.start(self.url)
        self.desk.run(pipeline=pipeline.id, project=self.world.project.id)
        name = phase if phase is Phase.ANALYSIS else f"{phase}: {CONTACTS}"

        def ended() -> Any:
            job = self.world.job(pipeline, name)
            return job.id if job.status.value in {"success", "failed"} else None

        job = int(wait_for(ended))
        self.log = self.world.project.jobs.get(job).trace().decode()
        return job

    def sweep(self) -> None:
        """Sweep, and perform what the sweep and its consequences ask of GitLab's pipelines."""
        asyncio.run(self._sweep())
        self.later += timedelta(minutes=3)

    async def _sweep(self) -> None:
        async with Database(self.desk.address) as database:
            workshop = self._workshop(database)
            await sweep(workshop)
            kinds = ("PollGitLab", "SettleReports")
            wanted = select(EffectRow.id).where(EffectRow.state == "pending", EffectRow.kind.in_(kinds))
            while True:
                async with database.begin() as session:
                    found = await session.scalar(wanted.order_by(EffectRow.id).limit(1))
                if found is None:
                    return
                await work_on(workshop, found)

    def _workshop(self, database: Database) -> Workshop:
        catalogue = decode(json.dumps(self.desk.one("SELECT catalogue FROM runs")).encode(), Catalogue)
        reader = Connection(self.world.url, self.world.secrets.token)

        def clock() -> datetime:
            return datetime.now(UTC) + self.later

        desk = Desk(
            database=database,
            starters={PipelineKind.FIX: Pipelines(reader)},
            reader=Pipelines(reader),
            repositories=Repositories(reader),
            commits=Commits(reader),
            merging=MergeRequestMerging(reader),
            jira=JiraClient("http://127.0.0.1:9", user="", token="t"),
            notes=StatusNotes(catalogue=lambda: catalogue, public_url=self.url, clock=clock),
            catalogue=lambda: catalogue,
            public_url=self.url,
            evidence_retention_days=90,
            faults=NoFaults(),
            clock=clock,
        )
        return Workshop(
            database=database,
            desk=desk,
            setting=Setting(catalogue=catalogue, clock=clock, new_run=new_run, bot=None),
            retention=Retention(deliveries=timedelta(days=30), transcripts=timedelta(days=30)),
        )

    def reports(self) -> list[Any]:
        """Return state, reason and arrival of each stored report."""
        return self.desk.rows("SELECT state, reason, session_id IS NULL FROM reports ORDER BY id")

    def fetched(self) -> list[str]:
        """Return which artifacts GitLab was asked for."""
        log = httpx2.get(f"{self.world.url}/_sandbox/state", timeout=60).json()["requests"]["entries"]
        return [one["path"] for one in log if "/artifacts/" in one["path"]]

    def spec(self, phase: Phase) -> httpx2.Response:
        """Ask as a job of a later phase what it is told."""
        token = self.desk.session(phase, hours=24 * 365)
        headers = {"authorization": f"Bearer {token}"}
        return httpx2.get(f"{self.url}/api/jobs/spec", headers=headers, timeout=30)


@pytest.fixture
def pipeline_config() -> str:
    return CONFIG


@pytest.fixture
def scene(world: Any, serve: Any, desk: Any) -> Scene:
    """Give a receiver that takes no reports."""
    stands: list[CutOff] = []

    def around(app: Any) -> CutOff:
        stands.append(CutOff(app, "/api/jobs/report"))
        return stands[0]

    url = serve(clock=lambda: datetime.now(UTC), around=around, gitlab_url=world.url, gitlab_token=world.secrets.token)
    return Scene(desk=desk, world=world, url=url, before=stands[0])


def test_a_report_that_could_not_be_delivered_is_collected_and_the_run_goes_on(scene: Scene) -> None:
    scene.before.starts = ("/api/jobs/report", "/api/jobs/blobs")
    files = {"transcript.jsonl": "{}\n", "change-set.json": "a patch"}
    job = scene.play(Phase.ANALYSIS, files=files)
    assert "waits as this job's artifact .bug-fix/analysis/report.json" in scene.log
    assert scene.before.stopped
    assert scene.reports() == []
    waiting = scene.spec(Phase.GENERATE)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (425, "1")
    scene.sweep()
    assert scene.reports() == [("accepted", "", True)]
    assert scene.desk.rows("SELECT job_id FROM transcripts") == [(job,)]
    assert {bytes(content) for (content,) in scene.desk.rows("SELECT content FROM blobs")} == {b"{}\n", b"a patch"}
    told = scene.spec(Phase.GENERATE)
    assert told.status_code == 200, told.text
    plan = decode(told.content, RunSpec).plan
    assert plan is not None
    assert plan.outcome == "not_a_bug"
    assert len(scene.fetched()) == 4
    (result,) = scene.desk.rows("SELECT result FROM effects WHERE result ? 'fetched_from_artifacts'")
    assert result[0]["fetched_from_artifacts"] == [job]


def test_an_honest_no_that_could_not_be_delivered_is_collected(scene: Scene) -> None:
    scene.play(Phase.REPRODUCTION, code=4)
    scene.sweep()
    assert scene.reports() == [("accepted", "", True)]
    assert scene.desk.rows("SELECT outcome, repository FROM reports") == [("not_reproduced", CONTACTS)]


def test_what_was_delivered_is_not_fetched_again(scene: Scene) -> None:
    scene.before.starts = ()
    scene.play(Phase.ANALYSIS, files={"transcript.jsonl": "{}\n"})
    scene.sweep()
    assert scene.reports() == [("accepted", "", False)]
    assert scene.fetched() == []


FORGERIES = {
    "a report that was changed": (
        "sed -i 's/As it is/As I like it/' .bug-fix/analysis/report.json",
        "does not carry the job's own seal",
    ),
    "a report without a seal": ("rm .bug-fix/analysis/report.json.mac", "report.json.mac"),
    "no report at all": ("rm .bug-fix/analysis/report.json", "report.json"),
    "a report that is far too long": (
        "head -c 3000000 /dev/zero > .bug-fix/analysis/report.json",
        "larger than 2097152 bytes",
    ),
    "another patch than the report names": (
        "printf 'b patch' > .bug-fix/analysis/change-set.json",
        "change-set.json is not the file that it names",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_code_in_the_job_did_to_the_artifacts_is_discarded_with_the_reason(forgery: str, scene: Scene) -> None:
    after, reason = FORGERIES[forgery]
    scene.before.starts = ("/api/jobs/report", "/api/jobs/blobs")
    scene.play(Phase.ANALYSIS, files={"change-set.json": "a patch"}, after=after)
    scene.sweep()
    ((state, said, collected),) = scene.reports()
    assert (state, collected) == ("discarded", True)
    assert reason in said
    assert scene.desk.rows("SELECT 1 FROM plans") == []
    told = scene.desk.one("SELECT reason FROM decisions WHERE event_kind = 'ReportDiscarded'")
    assert said in told
    barred = scene.spec(Phase.GENERATE)
    assert (barred.status_code, "does not count" in barred.json()["detail"]) == (409, True)
    scene.sweep()
    assert len(scene.reports()) == 1
    assert scene.desk.one("SELECT count(*) FROM decisions WHERE event_kind = 'ReportDiscarded'") == 1


@pytest.mark.parametrize(
    ("changes", "after", "reason"),
    [
        (
            {"phase": "prepare", "result": {"type": "prepare", "base_sha": "a" * 40, "baseline": None}},
            "mv .bug-fix/prepare .bug-fix/analysis",
            "belongs to analysis of fix 1",
        ),
        pytest.param({"iteration": 2}, "", "belongs to analysis of fix 1", marks=pytest.mark.nightly),
        ({"agent": "stranger"}, "", "not an agent of the catalogue"),
    ],
)
def test_a_sealed_report_is_checked_as_a_posted_one_is(
    changes: dict[str, Any], after: str, reason: str, scene: Scene
) -> None:
    scene.play(Phase.ANALYSIS, after=after, **changes)
    scene.sweep()
    ((state, said, _),) = scene.reports()
    assert (state, reason in said) == ("discarded", True), said


def test_a_job_that_failed_is_not_collected(scene: Scene) -> None:
    scene.play(Phase.ANALYSIS, code=3, outcome="rejected")
    scene.sweep()
    assert scene.desk.one("SELECT status FROM jobs WHERE phase = 'analysis'") == "failed"
    scene.sweep()
    assert scene.reports() == []
    assert scene.fetched() == []


def test_a_report_that_can_t_be_taken_ends_a_run_with_its_reason_and_not_in_silence(scene: Scene) -> None:
    scene.play(Phase.ANALYSIS, after=FORGERIES["a report that was changed"][0])
    scene.world.end_jobs()
    settled = f"{scene.world.url}/_sandbox/jobs/settled"
    httpx2.get(settled, params={"timeout_s": 60}, timeout=70).raise_for_status()
    scene.sweep()
    ((status, reason),) = scene.desk.rows("SELECT status, reason FROM runs")
    assert (status, "the job's own seal" in reason) == ("escalated", True), reason


def test_the_last_report_of_a_pipeline_is_collected_before_the_run_ends(scene: Scene) -> None:
    scene.play(Phase.ANALYSIS)
    scene.world.end_jobs()
    settled = f"{scene.world.url}/_sandbox/jobs/settled"
    httpx2.get(settled, params={"timeout_s": 60}, timeout=70).raise_for_status()
    scene.sweep()
    assert scene.reports() == [("accepted", "", True)]
    assert scene.desk.rows("SELECT status FROM runs") == [("declined",)]


def test_a_report_of_a_run_that_has_ended_is_not_collected(scene: Scene) -> None:
    scene.play(Phase.ANALYSIS)
    scene.desk.rows("UPDATE runs SET status = 'cancelled'")
    scene.sweep()
    assert scene.reports() == []


def test_when_gitlab_does_not_answer_the_sweep_looks_again(scene: Scene) -> None:
    scene.play(Phase.ANALYSIS)
    fault = {"method": "GET", "path": "/api/v4/projects/*/artifacts/*", "status": 503}
    httpx2.post(f"{scene.world.url}/_sandbox/faults", json={"requests": [fault]}, timeout=60).raise_for_status()
    scene.sweep()
    assert scene.reports() == []
    assert scene.desk.one("SELECT status FROM runs") == "running"
    scene.sweep()
    assert scene.reports() == [("accepted", "", True)]
