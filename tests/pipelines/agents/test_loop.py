"""The agent loop against the emulated Messages API over a real socket: limits, permission, transcript, errors."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import msgspec
import pytest

from pipelines.agents import model_call
from pipelines.agents.loop import AgentLoop, Conversation, Submitted
from pipelines.agents.model_call import AgentError
from pipelines.agents.prompts import Prompts
from pipelines.agents.toolbox import Call, ToolResult
from pipelines.agents.toolbox_client import Toolbox, open_toolbox
from pipelines.agents.transcript import Transcript
from pipelines.agents.untrusted import Cleaner
from pipelines.job.communication.disclosure import Disclosure
from pipelines.job.communication.errors import JobError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation import process_tree
from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import EndedBy, Limits, Phase
from pipelines.language.wire import AgentSpec
from sandbox import scenario_format as scenarios
from sandbox.anthropic.app import create
from sandbox.anthropic.clock import Pace
from sandbox.http import asgi_server

pytestmark = pytest.mark.integration

FIX = {"summary": "s", "files": [], "risk": "r", "rollback": "b", "documentation": "d"}
SUBMIT = {"tool_use": [{"name": "submit_fix", "input": FIX}]}


def use(name: str, **given: Any) -> dict[str, Any]:
    return {"tool_use": [{"name": name, "input": given}]}


class ScriptedToolbox(Toolbox):
    """Answers every call of a tool with the same result. There is no process, which would import the SDK first."""

    def __init__(self, results: dict[str, ToolResult]) -> None:
        self.results = results

    async def call(self, call: Call, *, timeout_s: float) -> ToolResult:
        assert timeout_s > 0
        return self.results[call.name]


class Talk:
    """Holds one conversation and keeps what came of it."""

    def __init__(self, launcher: Launcher, project_dir: Path) -> None:
        self.launcher = launcher
        self.folder = launcher.root / "work"
        self.folder.mkdir()
        self.results: dict[str, ToolResult] | None = {"bash": ToolResult(content=""), "read": ToolResult(content="")}
        """Of tools, by name; None: the tools are the real ones."""
        self.artifacts = Artifacts(project_dir, Phase.IMPLEMENTATION)
        self.submissions: list[dict[str, Any]] = []
        self.answers = [Submitted(accepted=True, answer="Accepted.")]
        self.requests: list[dict[str, Any]] = []
        self.purposes: list[str] = []
        self.pictures: list[dict[str, Any]] = []
        self.limits = Limits(max_seconds=60)
        self.cost: str | None = None
        self.status: int | None = None
        """Of every answer, in place of the emulator's."""
        self.clock: Callable[[], float] | None = None
        self.cleaner = Cleaner()
        self.retries = 10
        self.said = io.StringIO()
        self.log = JobLog(stream=self.said)

    async def submit(self, given: dict[str, Any]) -> Submitted:
        self.submissions.append(given)
        return self.answers.pop(0)

    def hold(self, *turns: dict[str, Any], faults: tuple[dict[str, Any], ...] = ()) -> AgentLoop:
        scenario = scenarios.load(scenarios.find("pl-479"))
        said = msgspec.convert(
            [{"phase": "implementation", "repository": "payk12/contacts", "turns": turns}],
            tuple[scenarios.Conversation, ...],
        )
        played = msgspec.structs.replace(scenario, conversations=said)
        listener, url = asgi_server.bind()
        with asgi_server.in_thread(create(played, api_keys=["sk-test"], pace=Pace.SIMULATED), listener):
            for fault in faults:
                httpx2.post(f"{url}/_sandbox/faults", json=fault, timeout=60).raise_for_status()
            return asyncio.run(self._hold(url))

    async def _hold(self, url: str) -> AgentLoop:
        async def note(request: httpx2.Request) -> None:
            self.requests.append(msgspec.json.decode(request.content))
            self.purposes.append(request.headers["x-bug-fix-purpose"])

        async def price(response: httpx2.Response) -> None:
            if self.cost is not None:
                response.headers["x-bug-fix-cost-usd"] = self.cost
            response.status_code = self.status or response.status_code

        hooks: Any = {"request": [note], "response": [price]}
        client = anthropic.AsyncAnthropic(
            api_key="sk-test",
            base_url=url,
            max_retries=self.retries,
            http_client=anthropic.DefaultAsyncHttpxClient(event_hooks=hooks),
        )
        async with client, self._toolbox() as toolbox:
            clock = {} if self.clock is None else {"clock": self.clock}
            agent = AgentLoop(
                client=client,
                toolbox=toolbox,
                transcript=Transcript(self.artifacts),
                cleaner=self.cleaner,
                log=self.log,
                **clock,
            )
            await agent.hold(
                Conversation(
                    phase=Phase.IMPLEMENTATION,
                    agent=AgentSpec(name="python-pro", model="claude-sonnet-5-5", limits=self.limits),
                    system=Prompts().system('{"repositories": []}'),
                    first_message="Phase: implementation\nIssue: PL-479\nIteration: 1\nRepository: payk12/contacts\n",
                    pictures=self.pictures,
                    submit=self.submit,
                )
            )
        return agent

    @asynccontextmanager
    async def _toolbox(self) -> AsyncIterator[Toolbox]:
        if self.results is not None:
            yield ScriptedToolbox(self.results)
            return
        self.launcher.users.give(self.folder, Role.WORK)
        home = self.launcher.home(Role.WORK)
        async with open_toolbox(self.launcher, self.folder, home=home, extra={}) as toolbox:
            yield toolbox

    @property
    def transcript(self) -> list[dict[str, Any]]:
        lines = (self.artifacts.folder / "transcript.jsonl").read_bytes().splitlines()
        return [msgspec.json.decode(line) for line in lines]

    def told(self) -> list[dict[str, Any]]:
        """Return the tool results that the model was given, in order."""
        users = [line for line in self.transcript if line.get("role") == "user"][1:]
        return [block for line in users for block in line["content"] if block["type"] == "tool_result"]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    root = make_root()
    launcher = Launcher(root=root, job_id=1000 + os.getpid() * 13 % 1900)
    yield Talk(launcher, tmp_path)
    launcher.end_all()
    shutil.rmtree(root)


@pytest.fixture
def working(talk: Talk) -> Talk:
    """Return a conversation with the real tools, in a process of their own."""
    talk.results = None
    return talk


def test_tools_work_in_the_work_folder_the_shell_stays_and_nothing_of_them_is_left(working: Talk) -> None:
    (working.folder / "a.txt").write_text("one\n")
    agent = working.hold(
        use("bash", command="cd /; export X=1"),
        use("bash", command="echo $X $PWD; id -u"),
        {"tool_use": [{"name": "read", "input": {"file_path": "a.txt"}}, {"name": "glob", "input": {"pattern": "*"}}]},
        use("bash", command="(setsid sleep 300 >/dev/null 2>&1 &); sleep 300 >/dev/null 2>&1 &"),
        use("bash", command="exit 3"),
        SUBMIT,
    )
    assert agent.turns == 6
    texts = [result["content"] for result in working.told()]
    uid = working.launcher.users.uid(Role.WORK)
    assert texts[1] == f"1 /\n{os.geteuid() if uid is None else uid}"
    assert texts[2] == "one\n"
    assert texts[3].endswith("/a.txt")
    assert working.told()[-1]["content"] == "Accepted."
    assert uid is None or not [process for process in process_tree.running() if process.uid == uid]


@pytest.mark.parametrize("disclosure", [Disclosure.OPEN, Disclosure.WITHHELD])
def test_a_log_that_may_not_tell_names_turns_and_tools_only(disclosure: Disclosure, talk: Talk) -> None:
    talk.log.disclose(disclosure)
    talk.answers.insert(0, Submitted(accepted=False, answer="src/search.py is not explained."))
    talk.hold(
        {"text": "The search is open to SQL injection.", **use("bash", command="grep -rn _literal src/search.py")},
        use("read", file_path="src/search.py"),
        use("submit_reproduction", reproduced=False, test_path="", symptom="", steps=[]),
        SUBMIT,
        SUBMIT,
    )
    said = talk.said.getvalue()
    for word in ("injection", "search", "grep", "_literal", "explained"):
        assert (word in said) is (disclosure is Disclosure.OPEN), word
    for plain in ("turn 1:", "  bash", "  read", "refused, not permitted", "submit_fix: not accepted", ": accepted"):
        assert plain in said, plain


def test_the_prefix_is_the_same_bytes_in_every_call_and_the_conversation_only_grows(talk: Talk) -> None:
    talk.hold(use("bash", command="true"), use("bash", command="true"), SUBMIT)
    first = talk.requests[0]
    assert all((one["system"], one["tools"]) == (first["system"], first["tools"]) for one in talk.requests)
    assert [len(one["messages"]) for one in talk.requests] == [1, 3, 5]
    assert all(set(one) == {"model", "max_tokens", "system", "tools", "messages"} for one in talk.requests)
    assert talk.purposes == ["context", "work", "work"]
    usage = [line["usage"] for line in talk.transcript if line.get("role") == "assistant"]
    assert usage[0]["cache_read_input_tokens"] == 0
    assert usage[1]["cache_read_input_tokens"] > 0


def test_a_tool_of_another_phase_is_refused_when_it_is_called(talk: Talk) -> None:
    no = {"reproduced": False, "test_path": "", "symptom": "", "steps": [], "existing_test": False, "question": ""}
    talk.hold(use("submit_reproduction", **no), SUBMIT)
    refused, accepted = talk.told()
    assert refused["is_error"]
    assert "not permitted in the implementation phase" in refused["content"]
    assert "is_error" not in accepted
    assert talk.submissions == [FIX]


def test_a_submission_that_is_not_accepted_can_be_corrected(talk: Talk) -> None:
    talk.answers.insert(0, Submitted(accepted=False, answer="The patch changes \u202enothing."))
    agent = talk.hold(SUBMIT, SUBMIT)
    assert agent.turns == 2
    assert talk.told()[0] == {
        "type": "tool_result",
        "tool_use_id": talk.told()[0]["tool_use_id"],
        "content": "The patch changes nothing.",
        "is_error": True,
    }
    assert talk.cleaner.stripped == 1


def test_invisible_characters_in_tool_output_do_not_reach_the_model(talk: Talk) -> None:
    talk.results = {"read": ToolResult(content="see\u200b\u202ethis")}
    talk.hold(use("read", file_path="a.txt"), SUBMIT)
    assert talk.told()[0]["content"] == "seethis"
    assert talk.cleaner.stripped == 2


def test_long_output_is_cut_in_the_middle(talk: Talk) -> None:
    talk.results = {"bash": ToolResult(content="\n".join(map(str, range(100_000))))}
    talk.hold(use("bash", command="seq 1 100000"), SUBMIT)
    content = talk.told()[0]["content"]
    assert len(content) < 31_000
    assert "characters left out" in content


@pytest.mark.parametrize(
    ("limits", "cost", "words"),
    [
        (Limits(max_turns=2), None, "all of its 2 turns"),
        (Limits(max_cost_usd=Decimal("0.03")), "0.02", r"\$0.04 of \$0.03"),
    ],
)
def test_limits_end_the_conversation_before_the_next_call(
    talk: Talk, limits: Limits, cost: str | None, words: str
) -> None:
    talk.limits, talk.cost = limits, cost
    with pytest.raises(AgentError, match=words) as caught:
        talk.hold(*[use("bash", command="true")] * 4)
    assert caught.value.ended_by is EndedBy.LIMITS
    assert len(talk.requests) == 2
    assert talk.transcript[-1]["type"] == "end"
    assert "without a result" in talk.transcript[-1]["reason"]


def test_wall_time_ends_a_tool_that_does_not(working: Talk) -> None:
    begun = working.folder / "begun"
    working.clock = lambda: 55.0 if begun.exists() else 0.0
    with pytest.raises(JobError, match=r"did not end within the time that is left \(5 s\)") as caught:
        working.hold(use("bash", command="touch begun"), use("bash", command="sleep 500", timeout_ms=500_000))
    assert caught.value.ended_by is EndedBy.LIMITS
    assert working.transcript[-1]["type"] == "end"


def test_a_model_that_stops_is_asked_to_go_on_a_few_times(talk: Talk) -> None:
    talk.hold({"text": "I am done."}, SUBMIT)
    assert "submit_fix is accepted" in str(talk.requests[1]["messages"][-1])
    with pytest.raises(AgentError, match="without calling submit_fix") as caught:
        talk.hold(*[{"text": "I am done."}] * 6)
    assert caught.value.ended_by is EndedBy.PHASE


def test_an_overloaded_model_is_asked_again(talk: Talk) -> None:
    talk.hold(SUBMIT, faults=({"kind": 529, "times": 2},))
    assert len(talk.requests) == 3


@pytest.mark.parametrize(
    ("status", "ended_by"),
    [
        (400, EndedBy.NOT_PERMITTED),
        (401, EndedBy.NOT_PERMITTED),
        (402, EndedBy.BUDGET),
        (403, EndedBy.NOT_PERMITTED),
        (413, EndedBy.LENGTH),
        (429, EndedBy.UNAVAILABLE),
        (503, EndedBy.UNAVAILABLE),
    ],
)
def test_a_call_that_is_not_answered_ends_the_phase_for_its_own_reason(
    talk: Talk, status: int, ended_by: EndedBy
) -> None:
    talk.status, talk.retries = status, 0
    with pytest.raises(AgentError, match=f"({status})") as caught:
        talk.hold(SUBMIT)
    assert caught.value.ended_by is ended_by


def test_what_the_gateway_says_of_a_budget_is_told_once_and_as_it_is() -> None:
    sentence = "The run's budget of $0.60 can't fund this call. Raise policy.budget_usd.run in bug-fix.yml."
    response = httpx2.Response(402, request=httpx2.Request("POST", "http://gateway.example"))
    error = anthropic.APIStatusError("402", response=response, body={"error": {"message": sentence}})
    assert model_call._said(error) == sentence


def test_a_tool_that_kills_its_own_toolbox_is_named(working: Talk) -> None:
    with pytest.raises(JobError, match="may have killed it"):
        working.hold(use("bash", command="kill -9 $PPID"))


REFUSED = {"kind": 400}
"""As the API says it of a picture that it can't read."""


def test_a_picture_that_the_api_can_not_read_is_left_out_and_the_model_is_told(talk: Talk) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "aWNoYmlu"}
    talk.pictures = [{"type": "text", "text": "Picture 1"}, {"type": "image", "source": source}]
    agent = talk.hold(SUBMIT, faults=(REFUSED,))
    assert agent.turns == 1
    first, second = (one["messages"][0]["content"] for one in talk.requests)
    assert [block["type"] for block in first] == ["text", "text", "image"]
    assert [block["type"] for block in second] == ["text", "text", "text"]
    assert [one["text"] for one in second[:2]] == [one["text"] for one in first[:2]]
    assert "It is not shown: the API could not read it" in second[2]["text"]
    assert [line for line in talk.transcript if "It is not shown" in str(line)]


def test_a_document_of_the_repository_that_the_api_can_not_read_is_left_out_too(working: Talk) -> None:
    (working.folder / "manual.pdf").write_bytes(b"%PDF-1.7 broken")
    agent = working.hold(use("read", file_path="manual.pdf"), SUBMIT, faults=({**REFUSED, "skip": 1},))
    assert agent.turns == 2
    refused, asked_again = (one["messages"][-1]["content"][0]["content"] for one in working.requests[1:])
    assert [block["type"] for block in refused] == ["document"]
    assert [block["type"] for block in asked_again] == ["text"]


@pytest.mark.parametrize(
    ("pictures", "faults"),
    [
        (1, ({**REFUSED, "times": 2},)),
        (0, (REFUSED,)),
    ],
)
def test_pictures_are_left_out_once_only(talk: Talk, pictures: int, faults: tuple[dict[str, Any], ...]) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "aWNoYmlu"}
    talk.pictures = [{"type": "image", "source": source}] * pictures
    with pytest.raises(AgentError, match="Could not process image"):
        talk.hold(SUBMIT, faults=faults)
    assert len(talk.requests) == 1 + pictures


def test_a_picture_reaches_the_model_and_leaves_only_its_size_in_the_transcript(talk: Talk) -> None:
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 50_000).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    talk.pictures = [{"type": "text", "text": "Picture 1"}, {"type": "image", "source": source}]
    talk.hold(SUBMIT)
    first = next(line for line in talk.transcript if line.get("role") == "user")
    assert first["content"][1:] == [
        {"type": "text", "text": "Picture 1"},
        {"type": "image", "media_type": "image/png", "base64_characters": len(data)},
    ]
    assert talk.requests[0]["messages"][0]["content"][2]["source"] == source
