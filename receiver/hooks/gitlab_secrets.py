"""Secrets of GitLab's hooks, and for which projects each of them speaks. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

_SCOPED: Final = re.compile(r"([\w.][\w.\-]*(?:/[\w.][\w.\-]*)*):([^:\s][^:]*)", re.ASCII)
"""A path of a group or project, a colon, a secret: neither paths nor what `whsec_` tokens consist of have colons."""


class HookSecret(Struct, frozen=True, kw_only=True):
    """A secret and whose it is."""

    value: str
    scope: str
    """Path of the group or project for whose hooks it stands."""

    def __repr__(self) -> str:
        return f"HookSecret(scope={self.scope!r})"


class GitlabSecrets(Struct, frozen=True, kw_only=True):
    """Secrets of GitLab's hooks; several of each for several projects, and during a rotation."""

    tokens: tuple[HookSecret, ...] = ()
    """Secret tokens, sent as they are in `X-Gitlab-Token`."""
    signing_tokens: tuple[HookSecret, ...] = ()
    """`whsec_…` tokens whose key signs the request. A signed request is judged by its signature only."""

    def scopes(self) -> frozenset[str]:
        """Return all groups and projects for which some secret speaks."""
        return frozenset(secret.scope for secret in (*self.tokens, *self.signing_tokens))


def hook_secret(setting: str, *, home: str) -> HookSecret:
    """Return a secret as the settings write it: `group:secret`, `group/project:secret`, or without what it is for.

    Without, it stands for `home`: the group of the automation project. Raises ValueError, whose text shows no secret,
    for anything else with a colon: taken as a secret, `group/project:` before an unset variable could be guessed.
    """
    if ":" not in setting:
        return HookSecret(value=setting, scope=home)
    matched = _SCOPED.fullmatch(setting)
    if matched is None:
        raise ValueError("has nothing after its colon" if setting.endswith(":") else "has a colon in the wrong place")
    return HookSecret(value=matched[2], scope=matched[1])


def home_of(automation_project: str) -> str:
    """Return the group of the automation project, for which a secret speaks that names nothing else."""
    return automation_project.rpartition("/")[0] or automation_project


def speaks_for(scopes: Iterable[str], project: str) -> bool:
    """Say whether one of these groups and projects is the project, or holds it. Case makes no difference to GitLab."""
    path = project.casefold()
    return any(path == scope.casefold() or path.startswith(f"{scope.casefold()}/") for scope in scopes)


def unspoken_for(secrets: GitlabSecrets, projects: Sequence[str]) -> list[str]:
    """Return the projects whose hooks would change nothing, because no secret speaks for them."""
    scopes = secrets.scopes()
    return [project for project in projects if not speaks_for(scopes, project)]


def useless(secrets: GitlabSecrets, projects: Sequence[str]) -> list[str]:
    """Return groups and projects of secrets that speak for none of these projects: a slip, or a colon in a secret."""
    return [scope for scope in sorted(secrets.scopes()) if not any(speaks_for((scope,), one) for one in projects)]
