"""Find who reviews a merge request: who the catalogue names, then who owns the changed files by CODEOWNERS.

Who can't review is left out, with a sentence that says why; nobody is mentioned. Only reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from receiver.outbound.code_owners import PLACES, owners_of
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab_people import People, Person
from receiver.outbound.gitlab_repositories import Project, Repositories

MOST: Final = 5
"""Reviewers of one merge request: more of them, and nobody feels asked."""

MOST_NAMES: Final = 20
"""Names that are looked up."""

LARGEST: Final = 1024 * 1024
"""Bytes of CODEOWNERS that are read."""

DEVELOPER: Final = 30
"""GitLab's access level from which people may approve and merge (doc/api/access_requests.md)."""

ROLES: Final = {"developer": 30, "maintainer": 40, "owner": 50}
"""Roles that may own code; GitLab takes them in the plural too."""


class Reviewers(Struct, frozen=True, kw_only=True):
    """Who is asked, and who is not."""

    people: tuple[Person, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    """Names as written, and why."""


def find(repositories: Repositories, project: Project, *, configured: Iterable[str], paths: Iterable[str]) -> Reviewers:
    """Return the reviewers of a change of these files."""
    wanted = [*(f"@{name}" for name in configured), *_owners(repositories, project, paths)]
    people: dict[int, Person] = {}
    left_out: dict[str, str] = {}
    for name in list(dict.fromkeys(wanted))[:MOST_NAMES]:
        try:
            found = list(_named(repositories.people, project, name))
        except RefusedError:
            left_out[name] = "could not be looked up"
            continue
        if not found:
            left_out[name] = "is nobody here"
        for person in found:
            why = _why_not(repositories, project, person)
            if why is not None:
                left_out[person.username] = why
            elif len(people) < MOST:
                people.setdefault(person.id, person)
    return Reviewers(people=tuple(people.values()), left_out=tuple(left_out.items()))


def _owners(repositories: Repositories, project: Project, paths: Iterable[str]) -> tuple[str, ...]:
    for place in PLACES:
        content = repositories.file_if_any(project.id, place, ref=project.default_branch)
        if content is not None:
            return owners_of(content[:LARGEST].decode("utf-8", "replace"), paths).names
    return ()


def _named(people: People, project: Project, name: str) -> Iterator[Person]:
    """Yield whom a name means; of a name that could be a user's and a group's, the user."""
    if name.startswith("@@"):
        level = ROLES.get(name[2:].lower().removesuffix("s"))
        yield from people.of_project(project.id, level=level) if level else ()
    elif not name.startswith("@"):
        found = people.with_address(name)
        yield from found if len(found) == 1 else ()  # several: a name that looks like an address
    elif _USERNAME.fullmatch(name[1:]):
        yield from people.named(name[1:]) or people.of_group(name[1:])
    else:
        yield from people.of_group(name[1:])


_USERNAME: Final = re.compile(r"[A-Za-z0-9_.-]+")


def _why_not(repositories: Repositories, project: Project, person: Person) -> str | None:
    checks: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: person.id == repositories.bot, "is our own account"),
        (lambda: person.state != "active", f"is {person.state}"),
        (lambda: repositories.people.access(project.id, person.id) < DEVELOPER, "is no developer of the project"),
    )
    try:
        return next((why for is_so, why in checks if is_so()), None)
    except RefusedError:
        return "could not be looked up"


def remark(reviewers: Reviewers, *, set_: Iterable[int]) -> str:
    """Return what people should know of the choice, empty when all went well. `set_`: reviewers as GitLab took them."""
    taken = set(set_)
    others = [person.username for person in reviewers.people if person.id not in taken]
    sentences = []
    if others:
        names = ", ".join(others)
        sentences.append(f"GitLab took one reviewer, as it does without a paid tier; these could review too: {names}.")
    if reviewers.left_out:
        told = "; ".join(f"{name} {why}" for name, why in reviewers.left_out[:MOST])
        more = f", and {len(reviewers.left_out) - MOST} more" if len(reviewers.left_out) > MOST else ""
        sentences.append(f"Not asked to review: {told}{more}.")
    return " ".join(sentences)
