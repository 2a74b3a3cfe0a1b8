"""What the model says in a scenario: the files of `turns/`."""

from typing import Annotated, Any

import msgspec

from sandbox.scenario_format.fields import IssueKey, ProjectPath, Word


class ToolUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool call of the model."""

    name: Word
    input: dict[str, Any]


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One assistant message: thinking, text and tool calls, in that order."""

    text: str | None = None
    thinking: str | None = None
    tool_use: tuple[ToolUse, ...] = ()
    """Empty: the model ends its turn (`stop_reason: end_turn`), else it waits for the results (`tool_use`)."""
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    """Seconds before the answer begins."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model says in one phase, one file of `turns/`; the four first keys select it."""

    phase: Word
    turns: Annotated[tuple[Turn, ...], msgspec.Meta(min_length=1)]
    issue: IssueKey | None = None
    """None: whichever issue."""
    repository: ProjectPath | None = None
    """None: whichever repository, and the phases that have none."""
    iteration: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """None: every iteration."""

    def answers(self, *, phase: str, issue: str, repository: str | None, iteration: int) -> bool:
        """Whether this conversation may be played for that job."""
        return (
            self.phase == phase
            and self.issue in {None, issue}
            and self.repository in {None, repository}
            and self.iteration in {None, iteration}
        )

    def precision(self) -> tuple[bool, bool, bool]:
        """Sort key: a repository counts more than an iteration, that more than an issue."""
        return (self.repository is not None, self.iteration is not None, self.issue is not None)
