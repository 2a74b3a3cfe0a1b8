"""Who somebody is, and what they may do with a run, as Jira or GitLab said when they were asked. Data only."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NewType

from msgspec import Struct

AccountId = NewType("AccountId", str)
"""Jira's account id (Cloud) or user key (Data Center), or GitLab's user id as text."""


class Directory(StrEnum):
    """Where an account is. Accounts of the two are never taken for one person: names and addresses can be chosen."""

    JIRA = "jira"
    GITLAB = "gitlab"
    OPERATOR = "operator"
    """Nowhere: whoever can use the database, at a terminal."""


class Right(StrEnum):
    """What makes somebody's word count."""

    START = "start"
    """Named in `jira.start.allowed`, by account or group."""
    REPORTER = "reporter"
    """Reported the ticket."""
    DEVELOP = "develop"
    """At least Developer in the merge request's project."""
    MAINTAIN = "maintain"
    """At least Maintainer in the merge request's project."""


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who set a label or wrote a comment, with the rights of that moment."""

    directory: Directory
    account: AccountId
    name: str = ""
    rights: tuple[Right, ...] = ()
    level: int = 0
    """GitLab's access level in the merge request's project; 0: none, or somebody in Jira."""
    groups: tuple[str, ...] = ()
    """Jira's, as far as bug-fix.yml names groups."""
    unknown_because: str = ""
    """What the directory said instead of the rights; nothing is allowed then."""

    @property
    def called(self) -> str:
        """Display name, or the account id if there is no name."""
        return self.name or self.account or "Somebody"

    def has_any(self, rights: Iterable[Right]) -> bool:
        """Return whether the person has at least one of these rights."""
        return not self.unknown_because and not set(rights).isdisjoint(self.rights)
