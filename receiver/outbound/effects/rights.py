"""Ask Jira or GitLab what somebody may do, at the moment when it counts. Nothing is allowed that can't be checked.

Both raise UnavailableError when the question can be asked again; a refusal is in the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from pipelines.language.catalogue import Catalogue
from pipelines.language.command_grants import CommandGrants
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.members import DEVELOPER, MAINTAINER, Users
from receiver.workflow.person import AccountId, Directory, Person, Right

LEVELS: Final = {Right.DEVELOP: DEVELOPER, Right.MAINTAIN: MAINTAINER}
"""GitLab's access level from which somebody has each right."""


def _granted_groups(catalogue: Catalogue) -> frozenset[str]:
    """Return Jira's groups that `commands` in bug-fix.yml names."""
    grants = (one for word in CommandGrants.__struct_fields__ for one in getattr(catalogue.commands, word) or ())
    return frozenset(one.removeprefix("group:") for one in grants if one.startswith("group:"))


def may_start(catalogue: Catalogue, actor: str, groups_of: Callable[[str], frozenset[str]]) -> bool:
    """Return whether a person may start runs; groups are asked for only when the account isn't named."""
    rules = [rule.partition(":") for rule in catalogue.jira.start.allowed]
    if any(kind == "account" and name == actor for kind, _, name in rules):
        return True
    groups = {name for kind, _, name in rules if kind == "group"}
    return bool(groups) and not groups.isdisjoint(groups_of(actor))


async def on_ticket(desk: Desk, account: AccountId, *, name: str = "", reporter: str) -> Person:
    """Return a Jira account with its rights on a ticket that `reporter` reported."""
    found, catalogue = Person(directory=Directory.JIRA, account=account, name=name), desk.catalogue()
    granted = _granted_groups(catalogue)
    groups = frozenset[str]()
    try:
        starts = await asyncio.to_thread(may_start, catalogue, account, desk.jira.groups_of)
        if granted:
            groups = granted & await asyncio.to_thread(desk.jira.groups_of, account)
    except RefusedError as error:
        return replace(found, unknown_because=str(error))
    held = {Right.START: starts, Right.REPORTER: bool(account) and account == reporter}
    return replace(
        found,
        rights=tuple(right for right, holds in held.items() if holds),
        groups=tuple(sorted(groups)),
    )


def in_project(users: Users, user: int, *, name: str = "", project_id: int) -> Person:
    """Return a GitLab user with the rights of a member of a project, inherited ones too."""
    found = Person(directory=Directory.GITLAB, account=AccountId(str(user)), name=name)
    try:
        level = users.usable_access(project_id, user)
    except RefusedError as error:
        return replace(found, unknown_because=str(error))
    held = tuple(right for right, least in LEVELS.items() if level >= least)
    return replace(found, rights=held, level=level)
