"""The agent loop: ask, run the tools, ask again, until the phase's submit tool is accepted or a limit is reached.

A loop of our own over `messages.create` instead of the SDK's tool_runner: permission, limits and the transcript then
have one place each, and the whole request passes the gateway every time. Runs no tool itself; knows no phase's content.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import anthropic
from anthropic.types import Message
from msgspec import Struct

from pipelines.agents import pictures
from pipelines.agents.model_call import AgentError, ask
from pipelines.agents.toolbox import Call, ToolResult
from pipelines.agents.toolbox_client import Toolbox
from pipelines.agents.tools import SUBMITS, definitions, refusal
from pipelines.agents.transcript import Transcript
from pipelines.agents.untrusted import Cleaner
from pipelines.job.communication.errors import JobError
from pipelines.job.communication.job_log import JobLog
from pipelines.language import EndedBy, Phase
from pipelines.language.wire import AgentSpec

_TOOL_OUTPUT = 30_000
_NUDGES = 3


class Submitted(Struct, frozen=True, kw_only=True):
    """A submit tool was called: either it is accepted, or the model is told what to correct."""

    accepted: bool
    answer: str


class Conversation(Struct, frozen=True, kw_only=True):
    """What a conversation needs."""

    phase: Phase
    agent: AgentSpec
    system: Sequence[Mapping[str, Any]]
    first_message: str
    pictures: Sequence[dict[str, Any]] = ()
    """Blocks that follow the first message's text."""
    submit: Callable[[dict[str, Any]], Awaitable[Submitted]]
    """Called with the input of the phase's submit tool."""


class Ended(Struct, frozen=True, kw_only=True):
    """A conversation that ended with an accepted submission."""

    turns: int
    input_tokens: int
    output_tokens: int


class AgentLoop:
    """Holds one conversation."""

    def __init__(
        self,
        *,
        client: anthropic.AsyncAnthropic,
        toolbox: Toolbox,
        transcript: Transcript,
        cleaner: Cleaner,
        log: JobLog,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._toolbox = toolbox
        self._transcript = transcript
        self._cleaner = cleaner
        self._log = log
        self._clock = clock
        self.turns = 0
        self.refused = 0
        self._cost = Decimal(0)
        self._tokens = [0, 0]
        self._nudges = 0

    async def hold(self, conversation: Conversation) -> Ended:
        """Talk until the submission is accepted. Raises `AgentError`; the transcript is saved in any case."""
        begun = self._clock()
        first = [_text(conversation.first_message), *conversation.pictures]
        messages: list[dict[str, Any]] = [{"role": "user", "content": first}]
        agent = conversation.agent
        self._transcript.add(
            "start",
            phase=conversation.phase,
            agent=agent.name,
            model=agent.model,
            system=list(conversation.system),
            tools=[tool["name"] for tool in definitions()],
        )
        self._transcript.add("message", role="user", content=first)
        reason = "error"
        try:
            while True:
                left_s = self._check_limits(conversation, begun)
                with self._log.patiently("waiting for the model"):
                    answer = await self._asked(conversation, messages, left_s)
                messages.append({"role": "assistant", "content": [block.to_dict() for block in answer.content]})
                content, accepted = await self._react(conversation, answer, left_s)
                messages.append({"role": "user", "content": content})
                self._transcript.add("message", **messages[-1])
                self._transcript.save()
                if accepted:
                    reason = "submitted"
                    return Ended(turns=self.turns, input_tokens=self._tokens[0], output_tokens=self._tokens[1])
        except JobError as error:
            reason = str(error)
            raise
        finally:
            self._transcript.add("end", reason=reason)
            self._transcript.save()

    def _check_limits(self, conversation: Conversation, begun: float) -> float:
        """Check all limits, in this one place, before money is spent; return the seconds that are left."""
        limits = conversation.agent.limits
        left_s = limits.max_seconds - (self._clock() - begun)
        if self.turns >= limits.max_turns:
            raise AgentError(f"The agent used all of its {limits.max_turns} turns without a result.", EndedBy.LIMITS)
        if self._cost >= limits.max_cost_usd:
            sentence = f"The agent used ${self._cost:.2f} of ${limits.max_cost_usd:.2f} without a result."
            raise AgentError(sentence, EndedBy.LIMITS)
        if left_s <= 0:
            raise AgentError(f"The agent worked for {limits.max_seconds} s without a result.", EndedBy.LIMITS)
        return left_s

    async def _asked(self, conversation: Conversation, messages: list[dict[str, Any]], left_s: float) -> Message:
        """Ask; when that is refused for a picture or document that came last, ask once more without them."""
        newest = messages[-1]
        try:
            return await self._ask(conversation, messages, left_s)
        except AgentError as error:
            content = pictures.without(newest["content"])
            if content == newest["content"] or not _is_about_a_picture(error):
                raise
            self._log.say(f"asked again without what the API could not read: {error}")
        newest["content"] = content
        self._transcript.add("message", **newest)
        return await self._ask(conversation, messages, left_s)

    async def _ask(self, conversation: Conversation, messages: list[dict[str, Any]], left_s: float) -> Message:
        begun = self._clock()
        answered = await ask(
            self._client,
            model=conversation.agent.model,
            system=conversation.system,
            messages=messages,
            is_first=self.turns == 0,
            within_s=left_s,
        )
        answer, seconds = answered.message, self._clock() - begun
        self.turns += 1
        self._count(answer, answered.cost, seconds)
        self._transcript.add(
            "message",
            role="assistant",
            content=[block.to_dict() for block in answer.content],
            stop_reason=answer.stop_reason,
            usage=answer.usage.to_dict(),
            seconds=round(seconds, 3),
            cost_usd=None if answered.cost is None else str(answered.cost),
            request_id=answered.request_id,
        )
        self._transcript.save()
        return answer

    def _count(self, answer: Message, cost: Decimal | None, seconds: float) -> None:
        usage = answer.usage
        cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        self._tokens[0] += usage.input_tokens + cached + written
        self._tokens[1] += usage.output_tokens
        self._cost += cost or Decimal(0)
        price = "" if cost is None else f", ${cost:.4f}"
        self._log.state(
            f"turn {self.turns}: {seconds:.1f} s, {usage.input_tokens + written} new and {cached} cached tokens in, "
            f"{usage.output_tokens} out{price}"
        )

    async def _react(
        self, conversation: Conversation, answer: Message, left_s: float
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return the next user message for an answer and whether the submission was accepted."""
        if answer.stop_reason == "refusal":
            raise AgentError("The model declined to work on this ticket.", EndedBy.DECLINED)
        if answer.stop_reason == "model_context_window_exceeded":
            raise AgentError("The conversation grew larger than the model can read.", EndedBy.LENGTH)
        results: list[dict[str, Any]] = []
        accepted = False
        for block in answer.content:
            if block.type == "text" and block.text.strip():
                self._log.say(f"  {block.text.strip()}")
            elif block.type == "tool_use":
                result, done = await self._use(conversation, block.name, block.input, left_s)
                accepted = accepted or done
                results.append(_tool_result(block.id, result))
        return (results, accepted) if results else ([_text(self._nudge(conversation, answer))], False)

    async def _use(
        self, conversation: Conversation, name: str, given: object, left_s: float
    ) -> tuple[ToolResult, bool]:
        if (refused := refusal(name, conversation.phase, conversation.agent)) is not None:
            self.refused += 1
            why = f"refused, not permitted to {conversation.agent.name} in {conversation.phase}"
            self._log.say(f"  {name}: {why}", instead=f"  a tool: {why}")  # any name: the model made it up
            return ToolResult(content=refused, is_error=True), False
        if not isinstance(given, dict):
            return ToolResult(content=f"{name}: the input must be an object.", is_error=True), False
        if name in SUBMITS:
            submitted = await conversation.submit(given)
            self.refused += not submitted.accepted
            verdict = f"  {name}: {'accepted' if submitted.accepted else 'not accepted'}"
            self._log.say(verdict if submitted.accepted else f"{verdict}: {submitted.answer}", instead=verdict)
            said = ToolResult(content=submitted.answer, is_error=not submitted.accepted)
            return self._presentable(said), submitted.accepted  # it may name paths
        begun = self._clock()
        gist = _gist(given)
        with self._log.patiently(f"  {name}", detail=f" {gist}"):
            result = await self._toolbox.call(Call(name=name, input=given), timeout_s=max(left_s, 1.0))
        outcome = f"{'error' if result.is_error else 'ok'}, {self._clock() - begun:.1f} s"
        self._log.say(f"  {name} {gist}: {outcome}", instead=f"  {name}: {outcome}")
        return self._presentable(result), False

    def _presentable(self, result: ToolResult) -> ToolResult:
        if not isinstance(result.content, str):
            return ToolResult(content=[pictures.readable(block) for block in result.content], is_error=result.is_error)
        clean = self._cleaner.text(result.content, limit=_TOOL_OUTPUT)
        return ToolResult(content=clean or "(no output)", is_error=result.is_error)

    def _nudge(self, conversation: Conversation, answer: Message) -> str:
        self._nudges += 1
        submit = next(name for name, (phase, _, _) in SUBMITS.items() if phase is conversation.phase)
        if self._nudges > _NUDGES:
            raise AgentError(f"The agent stopped {self._nudges} times without calling {submit}.")
        if answer.stop_reason == "max_tokens":
            return "Your answer was cut off because it was too long. Go on in smaller steps."
        return f"The phase ends only when {submit} is accepted. Go on, or submit what you have."


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _is_about_a_picture(error: AgentError) -> bool:
    refused = error.__cause__
    return isinstance(refused, anthropic.BadRequestError) and pictures.are_refused(refused.body)


def _tool_result(identity: str, result: ToolResult) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": identity, "content": result.content}
    return block | {"is_error": True} if result.is_error else block


def _gist(given: Mapping[str, object]) -> str:
    for key in ("command", "file_path", "pattern"):
        if isinstance(value := given.get(key), str):
            return " ".join(value.split())[:100]
    return ""
