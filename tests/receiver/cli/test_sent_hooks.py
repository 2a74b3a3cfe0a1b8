"""What doctor says of hooks: faults where they are known, remarks where it may not look."""

import pytest

from pipelines.language import ProjectPath
from receiver.cli.doctor import Health, sent_hooks
from receiver.outbound.errors import RefusedError

pytestmark = pytest.mark.anyio


class Told:
    """Answers by project; a group's hooks can't be seen, as in GitLab."""

    def __init__(self, **answers: str | Exception | None) -> None:
        self._answers = answers

    def fault(self, project: ProjectPath, *, public_url: str) -> str | None:
        assert public_url == "https://bug-fix.example.com"
        answer = self._answers[project]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def found(hooks: Told, *paths: str) -> list[tuple[Health, str]]:
    projects = [ProjectPath(path) for path in paths]
    told = sent_hooks(hooks, projects, public_url="https://bug-fix.example.com")
    return [(one.health, one.what) async for one in told]


async def test_projects_whose_group_has_the_hook_are_remarks_and_no_faults() -> None:
    assert await found(Told(a=None, b=None), "a", "b") == [(Health.UNKNOWN, "a hook"), (Health.UNKNOWN, "b hook")]


async def test_a_project_that_cannot_be_read_does_not_end_the_check() -> None:
    hooks = Told(a=RefusedError("GitLab answered 403."), b="GitLab sends its hook no more", c="")
    assert await found(hooks, "a", "b", "c") == [
        (Health.UNKNOWN, "a hook"),
        (Health.BAD, "b hook"),
        (Health.GOOD, "GitLab hook status"),
    ]
