from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from pipelines.language import ProjectPath
from receiver import limits
from receiver.outbound.effects import reviewers
from receiver.outbound.effects.desk import Desk
from receiver.outbound.gitlab.repositories_api import Project

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")


@pytest.fixture
def project(desk: Desk) -> Project:
    return desk.repositories.project(CONTACTS)


@pytest.fixture
def owned(world: Any) -> Iterator[Any]:
    """Return a function that commits CODEOWNERS instead of the repository's own, which is back after the test."""
    place = ".gitlab/CODEOWNERS"
    before = world.contacts.files.get(place, ref="main").decode().decode()
    written = [place]

    def commit(**action: str) -> None:
        world.contacts.commits.create({"branch": "main", "commit_message": "Own it", "actions": [action]})

    def write(text: str, path: str = place) -> None:
        commit(action="update" if path in written else "create", file_path=path, content=text)
        written.append(path)

    commit(action="update", file_path=place, content="# nobody's\n")
    yield write
    commit(action="update", file_path=place, content=before)
    for path in set(written) - {place}:
        commit(action="delete", file_path=path)


def names(found: reviewers.Reviewers) -> list[str]:
    return [person.username for person in found.people]


def find(desk: Desk, project: Project, *configured: str, paths: tuple[str, ...] = ("src/a.py",)) -> Any:
    return reviewers.find(desk, project, configured=configured, paths=paths)


async def test_who_is_configured_comes_first_and_then_who_owns_the_code(
    desk: Desk, project: Project, owned: Any
) -> None:
    assert names(find(desk, project, "tomas")) == ["tomas"]
    assert names(find(desk, project)) == []
    owned("*.py @mara @tomas\n*.md @dana\n")
    assert names(find(desk, project, "tomas")) == ["tomas", "mara"]
    assert names(find(desk, project)) == ["mara", "tomas"]


async def test_the_file_in_the_root_counts_before_others(desk: Desk, project: Project, owned: Any) -> None:
    owned("* @tomas\n")
    owned("* @mara\n", "CODEOWNERS")
    assert names(find(desk, project)) == ["mara"]


async def test_owners_can_be_named_by_address_and_by_role(desk: Desk, project: Project, owned: Any, world: Any) -> None:
    owned("*.py tomas@sandbox.invalid sandbox.invalid@x\n*.md @@maintainer\n")
    assert names(find(desk, project)) == ["tomas"]
    maintainers = [one.username for one in world.contacts.members.list(get_all=True) if one.access_level == 40]
    assert names(find(desk, project, paths=("a.md",))) == maintainers


async def test_who_can_not_review_is_left_out_with_the_reason(desk: Desk, project: Project, owned: Any) -> None:
    owned("* @ghost @bug-fix-bot @bug-fix-starter @nobody/there @root\n")
    found = find(desk, project, "mara")
    assert names(found) == ["mara"]
    assert dict(found.left_out) == {
        "bug-fix-bot": "is our own account",
        "bug-fix-starter": "is no developer of the project",
    }
    assert reviewers.remark(found, set_=[person.id for person in found.people]) == (
        "Not asked to review: bug-fix-bot is our own account; bug-fix-starter is no developer of the project; "
        "3 names that no member of the project has."
    )


async def test_nobody_is_named_whom_only_our_account_sees(desk: Desk, project: Project, owned: Any) -> None:
    """A name of CODEOWNERS tells neither who somebody is, nor whether there is such a person or group."""
    owned("* @root root@sandbox.invalid @ghost\n")
    found = find(desk, project, "mara")
    assert (names(found), found.left_out) == (["mara"], ())
    said = reviewers.remark(found, set_=[person.id for person in found.people])
    assert said == "Not asked to review: 3 names that no member of the project has."


async def test_a_person_who_is_blocked_is_left_out(desk: Desk, project: Project, world: Any) -> None:
    (person,) = world.admin.users.list(username="tomas")
    person.block()
    try:
        assert dict(find(desk, project, "tomas").left_out) == {"tomas": "is blocked"}
    finally:
        person.unblock()


async def test_a_look_up_that_gitlab_refuses_leaves_one_out_and_stops_nothing(
    desk: Desk, project: Project, world: Any
) -> None:
    fault = {"method": "GET", "path": "/api/v4/users", "status": 403, "times": 1}
    httpx2.post(f"{world.gitlab_url}/_sandbox/faults", json={"requests": [fault]}, timeout=60).raise_for_status()
    found = find(desk, project, "mara", "tomas")
    assert (names(found), found.failed) == (["tomas"], 1)
    assert reviewers.remark(found, set_=[found.people[0].id]) == (
        "Not asked to review: 1 name that could not be looked up."
    )


async def test_only_so_many_are_asked_and_looked_up(desk: Desk, project: Project, owned: Any) -> None:
    owned("* " + " ".join(f"@ghost{number}" for number in range(200)))
    found = find(desk, project)
    assert found.unknown == limits.REVIEWER_NAMES
    assert reviewers.remark(found, set_=[]) == "Not asked to review: 20 names that no member of the project has."


async def test_a_line_of_the_file_that_is_too_long_is_told(desk: Desk, project: Project, owned: Any) -> None:
    owned(f"* @mara\n{'x' * 3_000} @tomas\n")
    found = find(desk, project)
    assert names(found) == ["mara"]
    assert "1 line skipped" in reviewers.remark(found, set_=[found.people[0].id])


async def test_what_gitlab_did_not_take_is_told(desk: Desk, project: Project) -> None:
    found = find(desk, project, "mara", "tomas")
    assert reviewers.remark(found, set_=[person.id for person in found.people]) == ""
    first = found.people[0].id
    assert reviewers.remark(found, set_=[first]) == (
        "GitLab took one reviewer, as it does without a paid tier; these could review too: tomas."
    )
