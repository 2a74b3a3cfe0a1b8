"""The look at the hooks themselves, with a Maintainer's token; without one, what no hook tells is found all the same.

A hook that GitLab switched off is tested, which switches it on. What a hook failed to deliver is sent again, and comes
through the inbox as any delivery.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import structlog

from pipelines.language import ProjectPath
from receiver import limits
from receiver.hooks.gitlab import KINDS
from receiver.outbound.errors import OutboundError
from receiver.outbound.gitlab.hooks_api import SENT, Hook, Hooks
from receiver.store.deliveries import cursors
from receiver.worker.effect_task import Workshop
from receiver.worker.searches import Search

log = structlog.get_logger()


async def _look(workshop: Workshop, _: datetime | None) -> tuple[int, datetime]:
    """Look at the hooks of each project. Returns how many deliveries came again."""
    now, hooks, catalogue = workshop.setting.clock(), workshop.hooks, workshop.setting.catalogue
    found = 0
    if hooks is None:
        return found, now
    for project in (catalogue.automation_project, *catalogue.repositories):
        try:
            found += await _look_at(workshop, hooks, project, now=now)
        except OutboundError as error:  # one project's hooks must not hide those of others
            log.warning("hooks.not_mended", project=project, reason=str(error))
    return found, now


async def _look_at(workshop: Workshop, hooks: Hooks, project: ProjectPath, *, now: datetime) -> int:
    """Mend a project's hooks; GitLab's limit of five a minute is for all of them."""
    came = 0
    for hook in await asyncio.to_thread(hooks.of, project, public_url=workshop.desk.public_url):
        if hook.status != SENT:
            await asyncio.to_thread(hooks.enable, hook)
            log.warning("hook.enabled", project=project, hook=hook.id, was=hook.status)
        came += await _resend(workshop, hooks, hook, most=limits.HOOKS_RESENT - came, now=now)
    return came


async def _resend(workshop: Workshop, hooks: Hooks, hook: Hook, *, most: int, now: datetime) -> int:
    """Have each delivery sent again once, until one fails again: GitLab lists that anew, for the next time.

    What failed before the first look is left alone.
    """
    cursor, came = f"hook:{hook.id}", 0
    failed = await asyncio.to_thread(hooks.failed, hook)
    async with workshop.database.begin() as session:
        seen = await cursors.number(session, cursor)
        if seen is None:
            seen = max((one.id for one in failed), default=0)
            await cursors.move(session, cursor, to=now, number=seen)
    for one in [one for one in failed if one.id > seen and one.kind in KINDS][:most]:
        async with workshop.database.begin() as session:
            await cursors.move(session, cursor, to=now, number=one.id)
        if not await asyncio.to_thread(hooks.resend, hook, one):
            break
        came += 1
    return came


HOOKS: Final = Search(name=lambda _: "hooks", look=_look)
