"""Choose the scripted turn that answers a request: by the lines in its first user message, and by how far it has come.

Refuses loudly where the scenario has nothing to say, or says what the request doesn't allow. Counts and bills nothing.
"""

import re
from typing import Final

import msgspec

from sandbox.anthropic import wire
from sandbox.anthropic.conform import misfit
from sandbox.anthropic.errors import invalid
from sandbox.scenario_format import Scenario, Turn

_LINE: Final = re.compile(r"^(Phase|Issue|Iteration|Repository): (\S+)[ \t]*$", re.MULTILINE)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation is about, as its first message says."""

    phase: str
    issue: str
    iteration: int
    repository: str | None = None
    turn: int = 0
    """Assistant messages so far."""

    def __str__(self) -> str:
        return (
            f"phase {self.phase}, issue {self.issue}, iteration {self.iteration}, "
            f"repository {self.repository or '(none)'}, turn {self.turn + 1}"
        )


def subject(request: wire.CreateRequest) -> Subject:
    """Read the lines `Phase:`, `Issue:`, `Iteration:` and `Repository:`; the first of each counts."""
    found: dict[str, str] = {}
    for name, value in _LINE.findall(_text(request.messages[0])):
        found.setdefault(name.lower(), value)
    missing = [name for name in ("phase", "issue", "iteration") if name not in found]
    if missing or not found["iteration"].isdecimal():
        raise invalid(
            "This sandbox plays scripted turns: the first user message must hold the lines 'Phase: …', 'Issue: …' and "
            f"'Iteration: …' (a number), each alone on its line; not found: {', '.join(missing) or 'a number'}"
        )
    return Subject(
        phase=found["phase"],
        issue=found["issue"],
        iteration=int(found["iteration"]),
        repository=found.get("repository"),
        turn=sum(isinstance(message, wire.AssistantMessage) for message in request.messages),
    )


def choose(scenario: Scenario, about: Subject, request: wire.CreateRequest) -> Turn:
    """Return the turn to play."""
    conversation = scenario.conversation(
        phase=about.phase, issue=about.issue, repository=about.repository, iteration=about.iteration
    )
    if conversation is None:
        there = ", ".join(
            f"{known.phase}/{known.issue or '*'}/{known.repository or '*'}/{known.iteration or '*'}"
            for known in scenario.conversations
        )
        raise invalid(f"No scripted turn in scenario {scenario.name!r} for {about}. Conversations: {there or 'none'}")
    if about.turn >= len(conversation.turns):
        raise invalid(
            f"No scripted turn in scenario {scenario.name!r} for {about}: the conversation has "
            f"{len(conversation.turns)} turns"
        )
    turn = conversation.turns[about.turn]
    _check_allowed(turn, request, about)
    return turn


def _check_allowed(turn: Turn, request: wire.CreateRequest, about: Subject) -> None:
    """Refuse a turn that no model could take: a tool that was not offered, or against `tool_choice`."""
    offered = {tool.name for tool in request.tools}
    called = [use.name for use in turn.tool_use]
    choice = request.tool_choice
    problem = ""
    if unknown := [name for name in called if name not in offered]:
        problem = f"it calls {unknown[0]!r}, which is not among the request's tools ({', '.join(sorted(offered))})"
    elif called and isinstance(choice, wire.ChooseNone):
        problem = "it calls a tool, and tool_choice is none"
    elif not called and isinstance(choice, wire.ChooseAny | wire.ChooseTool):
        problem = "it calls no tool, and tool_choice demands one"
    elif isinstance(choice, wire.ChooseTool) and set(called) != {choice.name}:
        problem = f"it does not call {choice.name!r}, which tool_choice demands"
    elif len(called) > 1 and not isinstance(choice, wire.ChooseNone) and choice.disable_parallel_tool_use:
        problem = "it calls several tools, and disable_parallel_tool_use is set"
    else:
        problem = _strict_misfit(turn, request) or ""
    if problem:
        raise invalid(f"The scripted turn can't be played for {about}: {problem}")


def _strict_misfit(turn: Turn, request: wire.CreateRequest) -> str | None:
    schemas = {tool.name: tool.input_schema for tool in request.tools if tool.strict}
    for use in turn.tool_use:
        if use.name in schemas and (problem := misfit(use.input, schemas[use.name])):
            return f"{use.name} is strict, and {problem}"
    return None


def _text(message: wire.Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(block.text for block in message.content if isinstance(block, wire.Text))
