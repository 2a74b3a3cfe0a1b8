"""What GitLab does a moment after it has answered, and switches that make the moment as long as a test wants.

Without a hold each step is done at once. A held one waits until it is released; those that wait keep their order.
"""

from collections.abc import Awaitable, Callable
from enum import Enum

from sandbox.gitlab.model import Project

Work = Callable[[], Awaitable[None]]


class Step(Enum):
    """What can be held."""

    DIFF_RELOAD = "diff_reload"
    """After a push: the merge request's new diff, moved notes and suggestions, its hook."""
    PREPARATION = "preparation"
    """After a merge request was opened: its first diff, its hook, the first check."""
    MERGE_CHECK = "merge_check"
    """After a merge request with an unknown status was read: whether its branches merge."""
    REBASE = "rebase"
    """After a rebase was asked for."""
    HEAD_PIPELINE = "head_pipeline"
    """That a merge request takes notice of its head's newest pipeline."""
    APPROVAL_RESET = "approval_reset"
    """After a push, where the project resets approvals: that they are taken away."""


class Background:
    """The steps that are held, and the work that waits for them."""

    def __init__(self) -> None:
        self.held: set[Step] = set()
        self._waiting: list[tuple[Step, Project, Work]] = []

    async def run(self, step: Step, project: Project, work: Work) -> None:
        """Do the work now, the project being locked, or when its step is released."""
        if step in self.held:
            self._waiting.append((step, project, work))
        else:
            await work()

    async def release(self, step: Step) -> None:
        """Do what waits for a step, and hold it no longer."""
        self.held.discard(step)
        due = [one for one in self._waiting if one[0] is step]
        self._waiting = [one for one in self._waiting if one[0] is not step]
        for _, project, work in due:
            async with project.lock:
                await work()

    def waiting(self) -> list[str]:
        """Name the steps that wait, oldest first."""
        return [step.value for step, _, _ in self._waiting]
