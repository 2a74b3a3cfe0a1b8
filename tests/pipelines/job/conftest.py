"""A stateful receiver over real HTTP, the sample repository as real git, jobs as processes like those of a runner."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from pipelines.catalogue.file import read
from pipelines.job.communication.job_log import JobLog
from pipelines.job.communication.receiver_client import ReceiverClient
from pipelines.job.isolation.environment import Secrets, read_settings
from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.isolation.python_runtime import Runtime
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import (
    AnalysisResult,
    ArtifactKind,
    Baseline,
    Framework,
    IssueKey,
    Limits,
    Phase,
    PhaseReport,
    PhaseResult,
    Plan,
    PrepareResult,
    ReportOutcome,
    ReproductionResult,
    RunId,
)
from pipelines.language.change_set import ChangeSet, write_change_set
from pipelines.language.repository_context import RepositoryContext
from pipelines.language.wire import (
    AgentSpec,
    Input,
    ReportTaken,
    RunSpec,
    Session,
    SessionRequest,
    Ticket,
    decode,
    encode,
    sha256,
)
from pipelines.supervision.supervisor import run_job as supervise
from sandbox.anthropic.app import create
from sandbox.anthropic.clock import Pace
from sandbox.anthropic.emulator import Emulator
from sandbox.http import asgi_server
from sandbox.scenario_format import Conversation, Scenario, find, load
from tests.changes import of_diff

RUN = RunId("0123456789abcdef")
REPOSITORY = "payk12/contacts"
ID_TOKEN = "id-token-of-this-job-eyJhbGciOi"
JOB_TOKEN = "glcbt-64_job-token-of-this-job"
SESSION_TOKEN = "session-token-of-this-job"
_AGENTS = frozenset({Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.REVIEW})
_NEEDED = {
    Phase.TESTING: (
        (Phase.IMPLEMENTATION, ArtifactKind.CHANGE_SET),
        (Phase.REPRODUCTION, ArtifactKind.REPRODUCTION_TEST),
    ),
    Phase.REVIEW: ((Phase.IMPLEMENTATION, ArtifactKind.CHANGE_SET),),
    Phase.MERGE_REQUEST: ((Phase.IMPLEMENTATION, ArtifactKind.CHANGE_SET),),
}


Answer = tuple[int, bytes, dict[str, str]]


class Receiver:
    """The job API and gateway of the real one, in brief: tells what to do, takes blobs and reports, passes calls on."""

    def __init__(self, scenario: Scenario, repository: Path, project_dir: Path, emulator: Emulator, url: str) -> None:
        ticket = scenario.ticket
        self.catalogue = read(scenario.catalogue, source="bug-fix.yml")
        self.ticket = Ticket(key=IssueKey("PL-479"), summary=ticket.summary, description=ticket.description)
        self.project_dir = project_dir
        self.emulator = emulator
        self.repository = repository
        self.base_sha = git(repository, "rev-parse", "HEAD")
        self.anthropic_url = url
        self.url = ""
        self.sessions: list[SessionRequest] = []
        self.blobs: dict[str, bytes] = {}
        self.change = b""
        """The change set of the implementation that `accepted` made up."""
        self.reports: list[PhaseReport] = []
        self.purposes: list[str | None] = []
        self.refusals: list[tuple[str, int, dict[str, str]]] = []
        """Path, status and headers of answers to give instead, once each."""
        self.limits = Limits(max_seconds=300)
        self.profile = ""
        self.confidential = False
        self.became_confidential = False
        """While the jobs worked."""
        self.jobs_expected = 0
        """How often the ID token may still be exchanged."""
        self.at_refusal: Callable[[], None] = lambda: None
        """Called before a refusal is answered."""
        self.told: dict[str, Any] = {}
        """What jobs are told otherwise."""
        self.at_spec: Callable[[], None] = lambda: None
        """Called when a job asks what to do."""

    @property
    def secrets(self) -> tuple[str, ...]:
        return ID_TOKEN, JOB_TOKEN, SESSION_TOKEN

    def accepted(
        self,
        *,
        patch: bytes | ChangeSet,
        test: bytes,
        path: str = "tests/test_it.py",
        framework: Framework = Framework.PYTEST,
    ) -> None:
        """Have reports of analysis, reproduction and implementation as if their jobs had succeeded.

        The patch is a diff that git can apply, or a change set.
        """
        red = ReproductionResult(
            base_sha=self.base_sha,
            reproduced=True,
            test_path=path,
            framework=framework,
            test_sha256=sha256(test),
            failure="500",
            symptom="500",
            steps=(),
        )
        self._accept(Phase.ANALYSIS, None, None)
        self._accept(Phase.REPRODUCTION, red, (ArtifactKind.REPRODUCTION_TEST, "reproduction_test.py", test))
        change = patch if isinstance(patch, ChangeSet) else of_diff(self.repository, patch)
        self.change = write_change_set(change)
        self._accept(Phase.IMPLEMENTATION, None, (ArtifactKind.CHANGE_SET, "change-set.json", self.change))

    def analysed(self, plan: Plan) -> None:
        """Have a report of an analysis that came to this plan."""
        self._accept(Phase.ANALYSIS, AnalysisResult(plan=plan), None)

    def not_reproduced(self) -> None:
        """Have a report of a reproduction that ended with an honest no."""
        no = ReproductionResult(
            base_sha=self.base_sha, reproduced=False, test_path="", test_sha256=None, failure="", symptom="", steps=()
        )
        self._accept(Phase.REPRODUCTION, no, None)
        self._accept(Phase.IMPLEMENTATION, None, None)

    def _accept(self, phase: Phase, result: PhaseResult | None, kept: tuple[ArtifactKind, str, bytes] | None) -> None:
        artifacts = Artifacts(self.project_dir, phase)
        if kept is not None:
            artifacts.keep(*kept)
        report = PhaseReport(
            run=RUN,
            iteration=1,
            phase=phase,
            repository=None if phase is Phase.ANALYSIS else REPOSITORY,
            outcome=ReportOutcome.SUCCEEDED,
            reason="",
            result=result,
            artifacts=artifacts.all,
        )
        self.reports.append(report)
        self._seeded = len(self.reports)

    _seeded = 0

    def new_reports(self) -> list[PhaseReport]:
        """Return what jobs reported, without what `accepted` made up."""
        return self.reports[self._seeded :]

    def converse(self, *conversations: Conversation) -> None:
        """Let the model say this instead of what the scenario says."""
        self.emulator.scenario = msgspec.structs.replace(self.emulator.scenario, conversations=conversations)

    def report_of(self, phase: Phase) -> PhaseReport | None:
        return next((report for report in reversed(self.reports) if report.phase is phase), None)

    def spec(self) -> RunSpec:
        asked = self.sessions[-1]
        analysis, prepare = self.report_of(Phase.ANALYSIS), self.report_of(Phase.PREPARE)
        reproduction = self.report_of(Phase.REPRODUCTION)
        plan = analysis.result.plan if analysis and isinstance(analysis.result, AnalysisResult) else None
        result = reproduction.result if reproduction else None
        agent = self.catalogue.agents["default"]
        spec = RunSpec(
            run=asked.run,
            iteration=asked.iteration,
            phase=asked.phase,
            repository=asked.repository,
            ticket=self.ticket,
            branch="bug-fix/PL-479-x",
            catalogue=self.catalogue,
            base_shas={REPOSITORY: self.base_sha},
            clone_urls={REPOSITORY: f"file://{self.repository}"},
            agent=AgentSpec(name="python-pro", model=agent.model, limits=self.limits, profile=self.profile)
            if asked.phase in _AGENTS
            else None,
            plan=plan,
            prepared=prepare.result if prepare and isinstance(prepare.result, PrepareResult) else None,
            baseline=self._baseline(prepare) if prepare and asked.phase is Phase.TESTING else None,
            reproduction=result if isinstance(result, ReproductionResult) else None,
            inputs=tuple(self._inputs(asked.phase)),
            confidential=self.confidential,
        )
        return msgspec.structs.replace(spec, **self.told)

    def _baseline(self, prepare: PhaseReport) -> Baseline:
        (kept,) = (one for one in prepare.artifacts if one.kind is ArtifactKind.BASELINE)
        return decode(self.blobs[kept.sha256], Baseline)

    def _inputs(self, phase: Phase) -> Iterator[Input]:
        for source, kind in _NEEDED.get(phase, ()):
            report = self.report_of(source)
            assert report is not None
            for kept in report.artifacts:
                if kept.kind is kind:
                    yield Input(
                        phase=source, artifact=kept, content=self.blobs[kept.sha256] if self.confidential else None
                    )

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        for refusal in self.refusals:
            if refusal[0] == path:
                self.refusals.remove(refusal)
                self.at_refusal()
                problem = {"status": refusal[1], "detail": "not now"}
                return refusal[1], msgspec.json.encode(problem), refusal[2]
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if path == "/api/jobs/session":
            return self._open(token, body)
        if token != SESSION_TOKEN:
            return 401, b'{"status": 401, "detail": "Not a session."}', {}
        if path.startswith("/gateway/"):
            return self._gateway(path, headers, body)
        return self._take(path, body)

    def _open(self, token: str, body: bytes) -> Answer:
        if token != ID_TOKEN or not self.jobs_expected:
            return 403, b'{"status": 403, "detail": "This token was used."}', {}
        self.jobs_expected -= 1
        self.sessions.append(decode(body, SessionRequest))
        session = Session(token=SESSION_TOKEN, expires_at="2030-01-01T00:00:00Z", gateway_url=f"{self.url}/gateway")
        return 201, encode(session), {}

    def _take(self, path: str, body: bytes) -> Answer:
        kind, _, name = path.removeprefix("/api/jobs/").partition("/")
        match kind:
            case "spec":
                self.at_spec()
                return 200, encode(self.spec()), {}
            case "contexts":
                return 204, b"", {}
            case "blobs":
                self.blobs[name] = body
            case "contexts":
                decode(body, RepositoryContext)
            case "report":
                self.reports.append(decode(body, PhaseReport))
                return 202, encode(ReportTaken(confidential=self.confidential or self.became_confidential)), {}
            case _:
                return 404, b'{"status": 404, "detail": "No such route."}', {}
        return 202, b'{"status": "pending"}', {}

    def _gateway(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.purposes.append(headers.get("x-bug-fix-purpose"))
        passed = {"x-api-key": "sk-test", "anthropic-version": headers["anthropic-version"]}
        answer = httpx2.post(
            self.anthropic_url + path.removeprefix("/gateway"),
            content=body,
            headers=passed | {"content-type": "application/json"},
            timeout=60,
        )
        return answer.status_code, answer.content, {"request-id": answer.headers["request-id"]}


def git(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.org",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.org",
    }
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_repository(source: Path, folder: Path) -> Path:
    """Commit a folder's files as a repository of their own."""
    subprocess.run(["cp", "-r", str(source), str(folder)], check=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Base")
    return folder


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return load(find("pl-479"))


@pytest.fixture
def repository(scenario: Scenario, tmp_path: Path) -> Path:
    return make_repository(scenario.folder / "repositories" / "contacts", tmp_path / "contacts")


@pytest.fixture
def anthropic(scenario: Scenario) -> Iterator[tuple[Emulator, str]]:
    listener, url = asgi_server.bind()
    application = create(scenario, api_keys=["sk-test"], pace=Pace.SIMULATED)
    with asgi_server.in_thread(application, listener):
        yield application.emulator, url


@pytest.fixture
def receiver(
    scenario: Scenario, repository: Path, project_dir: Path, anthropic: tuple[Emulator, str]
) -> Iterator[Receiver]:
    fake = Receiver(scenario, repository, project_dir, *anthropic)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer, extra = fake.answer(self.path, headers, body)
            self.send_response(status)
            for name, value in (
                extra | {"content-length": str(len(answer)), "content-type": "application/json"}
            ).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = _serve  # noqa: N815 - the names that http.server calls
        do_POST = _serve  # noqa: N815 - ditto
        do_PUT = _serve  # noqa: N815 - ditto

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        fake.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield fake
        http.shutdown()
        thread.join()


@pytest.fixture
def project_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "builds"
    folder.mkdir()
    return folder


@pytest.fixture
def job_environment(receiver: Receiver, project_dir: Path) -> Callable[[Phase], dict[str, str]]:
    """Return the environment that GitLab gives to a job of a phase, whose ID token works once."""
    numbers = itertools.count(1000 + os.getpid() * 7 % 1900)

    def environment(phase: Phase) -> dict[str, str]:
        receiver.jobs_expected += 1
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(project_dir),
            "CI": "true",
            "CI_PROJECT_DIR": str(project_dir),
            "CI_JOB_ID": str(next(numbers)),
            "CI_JOB_TOKEN": JOB_TOKEN,
            "CI_REPOSITORY_URL": f"http://gitlab-ci-token:{JOB_TOKEN}@gitlab.example.org/x.git",
            "BUG_FIX_ID_TOKEN": ID_TOKEN,
            "BUG_FIX_RUN": RUN,
            "BUG_FIX_ITERATION": "1",
            "BUG_FIX_RECEIVER": receiver.url,
            **({} if phase in {Phase.ANALYSIS, Phase.GENERATE} else {"BUG_FIX_REPOSITORY": REPOSITORY}),
        }

    return environment


@pytest.fixture
def run_job(
    job_environment: Callable[[Phase], dict[str, str]], project_dir: Path
) -> Callable[[Phase], subprocess.CompletedProcess[str]]:
    """Run `bug-fix-job PHASE` to its end."""

    def run(phase: Phase) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipelines", phase.value]
        environment = job_environment(phase)
        return subprocess.run(command, env=environment, cwd=project_dir, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def do_job(
    job_environment: Callable[[Phase], dict[str, str]],
) -> Callable[[Phase], subprocess.CompletedProcess[str]]:
    """Do a job as `bug-fix-job PHASE` does, but in this process: the model's SDK is imported once for all tests.

    For what a phase does. That a job hides its tokens, ends and is ended takes a process: `run_job`.
    """

    def do(phase: Phase) -> subprocess.CompletedProcess[str]:
        environment, said = job_environment(phase), io.StringIO()
        secrets = Secrets(id_token=environment["BUG_FIX_ID_TOKEN"], job_token=environment["CI_JOB_TOKEN"])
        with closing(ReceiverClient(environment["BUG_FIX_RECEIVER"])) as client:
            code = supervise(read_settings(phase, environment), secrets, JobLog(stream=said), client)
        return subprocess.CompletedProcess(["bug-fix-job", phase], code, stdout=said.getvalue(), stderr="")

    return do


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """Return a Python that every user of a job can run, made once: thousands of links."""
    root = make_root()
    yield Launcher(root=root).runtime
    shutil.rmtree(root)


@pytest.fixture
def launcher(runtime: Runtime) -> Iterator[Launcher]:
    """Start untrusted commands for a job that exists only in a test."""
    root = make_root()
    made = Launcher(root=root, job_id=1000 + os.getpid() * 11 % 1900)
    made.runtime = runtime
    yield made
    made.end_all()
    shutil.rmtree(root)
