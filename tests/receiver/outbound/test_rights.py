"""What somebody may do, as GitLab says: the access level of that moment, and nothing where GitLab does not say."""

import pytest

from receiver.outbound.effects import rights
from receiver.outbound.errors import RefusedError, UnavailableError
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.members import Users
from receiver.workflow.person import Directory, Person, Right


class Answering(Users):
    """Users whose access level is known, or can't be asked."""

    def __init__(self, answer: int | Exception) -> None:
        super().__init__(Connection("http://gitlab.invalid", "token").api)
        self.answer = answer

    def usable_access(self, project_id: int, user: int) -> int:
        """Answer as prepared, about one project and user."""
        assert (project_id, user) == (3, 7)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def asked(answer: int | Exception) -> Person:
    return rights.in_project(Answering(answer), 7, name="Mara", project_id=3)


@pytest.mark.parametrize(
    ("level", "held"),
    [
        (0, ()),
        (20, ()),
        (29, ()),
        (30, (Right.DEVELOP,)),
        (40, (Right.DEVELOP, Right.MAINTAIN)),
        (50, (Right.DEVELOP, Right.MAINTAIN)),
    ],
)
def test_rights_follow_from_the_access_level(level: int, held: tuple[Right, ...]) -> None:
    person = asked(level)
    assert (person.directory, person.account, person.called, person.rights) == (Directory.GITLAB, "7", "Mara", held)


def test_who_can_not_be_checked_has_no_rights_and_the_reason_is_kept() -> None:
    person = asked(RefusedError("GitLab answered 403."))
    assert (person.rights, person.unknown_because) == ((), "GitLab answered 403.")
    assert not person.has_any(Right)


def test_a_gitlab_that_does_not_answer_now_is_asked_again() -> None:
    with pytest.raises(UnavailableError):
        asked(UnavailableError("GitLab answered 502."))
