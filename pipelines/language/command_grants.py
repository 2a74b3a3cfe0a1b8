"""Who may say which command: `commands` of bug-fix.yml. Data only."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Grant = Annotated[
    str,
    Meta(
        pattern=r"^(gitlab:(guest|reporter|developer|maintainer|owner)|jira:(start|reporter|user)|(account|group):\S(.*\S)?)$",
        description="`gitlab:LEVEL`, `jira:start`, `jira:reporter`, `jira:user`, `account:ID` or `group:NAME`",
        examples=["gitlab:developer", "group:payk12-developers"],
    ),
]


class CommandGrants(Struct, frozen=True, kw_only=True):
    """Who may say a command, by its word; without an entry those whom docs/steering.md names.

    `gitlab:LEVEL` is a member of the merge request's project with at least that access level. `jira:start` is who may
    start runs, `jira:reporter` who reported the ticket, `jira:user` everybody who is no customer; accounts and groups
    are Jira's. An empty list: nobody.
    """

    start: tuple[Grant, ...] | None = None
    """Who may begin a bug fix."""
    retry: tuple[Grant, ...] | None = None
    """Who may have another attempt made."""
    revise: tuple[Grant, ...] | None = None
    """Who may have the fix made anew."""
    escalate: tuple[Grant, ...] | None = None
    """Who may hand a bug fix to people."""
    cancel: tuple[Grant, ...] | None = None
    """Who may stop one for good."""
    approve: tuple[Grant, ...] | None = None
    """Who may approve a plan."""
    reject: tuple[Grant, ...] | None = None
    """Who may have another plan made."""
    ci: tuple[Grant, ...] | None = None
    """Who may start the repository's own pipeline."""
    pause: tuple[Grant, ...] | None = None
    """Who may stop one for now."""
    resume: tuple[Grant, ...] | None = None
    """Who may let it go on."""
    budget: tuple[Grant, ...] | None = None
    """Who may let it cost more, up to `policy.budget_usd.most`."""
    status: tuple[Grant, ...] | None = None
    """Who may ask where it is."""
    cost: tuple[Grant, ...] | None = None
    """Who may ask what it cost."""
    explain: tuple[Grant, ...] | None = None
    """Who may ask what was decided."""
    help: tuple[Grant, ...] | None = None
    """Who may ask for the list."""
