"""Find who reviews a merge request: who the catalogue names, then who owns the changed files by CODEOWNERS.

Who can't review is left out, with a sentence that says why; nobody is mentioned, and nobody is named who is no member
of the project. Only reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from receiver import limits
from receiver.outbound.effects.code_owners import PLACES, Owners, owners_of
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.members import DEVELOPER, User, Users
from receiver.outbound.gitlab.repositories_api import Project, Repositories

LARGEST: Final = 1024 * 1024
"""Bytes of CODEOWNERS that are read."""


ROLES: Final = {"developer": 30, "maintainer": 40, "owner": 50}
"""Roles that may own code; GitLab takes them in the plural too."""


class Reviewers(Struct, frozen=True, kw_only=True):
    """Who is asked, and who is not."""

    people: tuple[User, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    """Members of the project who are not asked, and why."""
    unknown: int = 0
    """How many names mean nobody who is a member of the project, whether or not they mean somebody elsewhere."""
    failed: int = 0
    """How many names could not be looked up."""
    remark: str = ""
    """What people should know of the file."""


def find(desk: Desk, project: Project, *, configured: Iterable[str], paths: Iterable[str]) -> Reviewers:
    """Return the reviewers of a change of these files."""
    repositories = desk.repositories
    owners = _owners(desk.commits, project, paths)
    wanted = [*(f"@{name}" for name in configured), *owners.names]
    known = _Members(repositories.users, project)
    people: dict[int, User] = {}
    left_out: dict[str, str] = {}
    unknown = failed = 0
    for name in list(dict.fromkeys(wanted))[: limits.REVIEWER_NAMES]:
        try:
            members = list(known.named(name))
        except RefusedError:
            failed += 1
            continue
        unknown += not members
        for person, level in members:
            why = _why_not(repositories, person, level)
            if why is not None:
                left_out[person.username] = why
            elif len(people) < limits.REVIEWERS:
                people.setdefault(person.id, person)
    return Reviewers(
        people=tuple(people.values()),
        left_out=tuple(left_out.items()),
        unknown=unknown,
        failed=failed,
        remark=owners.remark,
    )


def _owners(commits: Commits, project: Project, paths: Iterable[str]) -> Owners:
    for place in PLACES:
        content = commits.file(project.id, place, ref=project.default_branch)
        if content is not None:
            return owners_of(content[:LARGEST].decode("utf-8", "replace"), paths)
    return Owners(names=())


class _Members:
    """Who is a member of a project: asked for one by one, or once for all where a name means many."""

    def __init__(self, people: Users, project: Project) -> None:
        self._people = people
        self._project = project
        self._levels: dict[int, int] | None = None

    def named(self, name: str) -> Iterator[tuple[User, int]]:
        """Yield whom a name means, as far as they are members, with their access level.

        Our account may see people and groups that the project's readers can't: of others nothing is said.
        """
        found = self._who(name)
        for person in found:
            if level := self._level(person, is_one_of_many=len(found) > limits.REVIEWERS):
                yield person, level

    def _level(self, person: User, *, is_one_of_many: bool) -> int:
        if self._levels is None and is_one_of_many:
            self._levels = self._people.levels(self._project.id)
        if self._levels is not None:
            return self._levels.get(person.id, 0)
        return self._people.access(self._project.id, person.id)

    def _who(self, name: str) -> list[User]:
        """Return whom a name means; of a name that could be a user's and a group's, the user."""
        people = self._people
        if name.startswith("@@"):
            level = ROLES.get(name[2:].lower().removesuffix("s"))
            return people.of_project(self._project.id, level=level) if level else []
        if not name.startswith("@"):
            found = people.with_address(name)
            return found if len(found) == 1 else []  # several: a name that looks like an address
        if _USERNAME.fullmatch(name[1:]) and (found := people.named(name[1:])):
            return found
        return people.of_group(name[1:])


_USERNAME: Final = re.compile(r"[A-Za-z0-9_.-]+")


def _why_not(repositories: Repositories, person: User, level: int) -> str | None:
    checks = (
        (person.id == repositories.bot, "is our own account"),
        (person.state != "active", f"is {person.state}"),
        (level < DEVELOPER, "is no developer of the project"),
    )
    return next((why for is_so, why in checks if is_so), None)


def remark(reviewers: Reviewers, *, set_: Iterable[int]) -> str:
    """Return what people should know of the choice, empty when all went well. `set_`: reviewers as GitLab took them."""
    taken = set(set_)
    others = [person.username for person in reviewers.people if person.id not in taken]
    sentences = []
    if others:
        names = ", ".join(others)
        sentences.append(f"GitLab took one reviewer, as it does without a paid tier; these could review too: {names}.")
    told = [f"{name} {why}" for name, why in reviewers.left_out[: limits.REVIEWERS]]
    if (more := len(reviewers.left_out) - limits.REVIEWERS) > 0:
        told.append(f"{more} more members of the project")
    told += [f"{_names(reviewers.unknown)} that no member of the project has"] if reviewers.unknown else []
    told += [f"{_names(reviewers.failed)} that could not be looked up"] if reviewers.failed else []
    if told:
        sentences.append(f"Not asked to review: {'; '.join(told)}.")
    if reviewers.remark:
        sentences.append(reviewers.remark)
    return " ".join(sentences)


def _names(count: int) -> str:
    return "1 name" if count == 1 else f"{count} names"
