"""What doctor says of the right to merge: a fault where the bot may not, a remark where it can't be seen."""

import pytest

from pipelines.language import ProjectPath
from receiver.cli.merge_rights import faults
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.repositories_api import Project

HERE = ProjectPath("payk12/contacts")


class Told:
    """Answers as GitLab would."""

    def __init__(self, level: int, *, protected: bool, developers: bool = False, seen: bool = True) -> None:
        self.level, self.protected, self.developers, self.seen = level, protected, developers, seen

    def project(self, path: ProjectPath) -> Project:
        if not self.seen:
            raise RefusedError("GitLab answered 404.")
        return Project(id=1, path=path, default_branch="main", url="")

    def protection(self, _project: int, _branch: str) -> tuple[bool, bool]:
        return self.protected, self.developers

    def own_level(self, _project: int) -> int:
        return self.level


@pytest.mark.parametrize(
    "told",
    [Told(40, protected=True), Told(30, protected=False), Told(30, protected=True, developers=True)],
)
def test_a_bot_that_may_merge_has_no_fault(told: Told) -> None:
    assert faults(told, (HERE,)) == {}


@pytest.mark.parametrize(
    ("told", "said"),
    [(Told(30, protected=True), "Protected branches"), (Told(20, protected=False), "invite it")],
)
def test_a_bot_that_may_not_is_told_what_to_do(told: Told, said: str) -> None:
    assert said in str(faults(told, (HERE,))[HERE])


def test_a_project_that_cannot_be_read_is_a_remark() -> None:
    assert isinstance(faults(Told(40, protected=True, seen=False), (HERE,))[HERE], RefusedError)
