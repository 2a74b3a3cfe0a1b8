"""Who may what: asked of Jira when it is acted on, never before. Who can't be checked may nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from pipelines.language.catalogue import Catalogue
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.workflow.events import Standing


class Place(Struct, frozen=True, kw_only=True):
    """What somebody may do with a run."""

    standing: Standing
    unknown_because: str = ""


def may_start(catalogue: Catalogue, actor: str, groups_of: Callable[[str], frozenset[str]]) -> bool:
    """Return whether a person may start runs; groups are asked for only when the account isn't named."""
    rules = [rule.partition(":") for rule in catalogue.jira.start.allowed]
    if any(kind == "account" and name == actor for kind, _, name in rules):
        return True
    groups = {name for kind, _, name in rules if kind == "group"}
    return bool(groups) and not groups.isdisjoint(groups_of(actor))


async def standing(desk: Desk, actor: str, *, reporter: str) -> Place:
    """Ask what a person may do. Raises UnavailableError when Jira can't be asked now."""
    try:
        allowed = await asyncio.to_thread(may_start, desk.catalogue(), actor, desk.jira.groups_of)
    except RefusedError as error:
        return Place(standing=Standing.UNKNOWN, unknown_because=str(error))
    if allowed:
        return Place(standing=Standing.ALLOWED)
    return Place(standing=Standing.REPORTER if actor and actor == reporter else Standing.OTHER)
