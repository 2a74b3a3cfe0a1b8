"""The users that untrusted code runs as: one for each role, where this process may switch to others."""

from __future__ import annotations

import os
import subprocess
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.user_ids import NoUidsError, UidBlock


class Role(StrEnum):
    """On whose behalf a command runs."""

    WORK = "work"
    APPLICATION = "application"
    BROWSER = "browser"
    NEIGHBOUR = "neighbour"
    """Repositories that the one under test needs running beside it: a patch to it can't reach into them."""


class RoleUsers:
    """A block of user ids, a role each; without the right to switch, all roles are this process's user."""

    def __init__(self, *, job_id: int = 0, may_switch: bool = True) -> None:
        self._preferred = job_id
        self._may_switch = may_switch

    @cached_property
    def _uids(self) -> dict[Role, int]:
        try:
            self._block = UidBlock(len(Role), preferred=self._preferred)  # held as long as this object lives
        except NoUidsError as error:
            raise RunnerError(f"Untrusted code can't be given users of its own: {error}") from error
        return {role: self._block.first + place for place, role in enumerate(Role)}

    @cached_property
    def are_apart(self) -> bool:
        """Whether each role is a user of its own; found out when it is first asked for."""
        if os.geteuid() != 0 or not self._may_switch:
            return False
        try:
            for uid in self._uids.values():
                subprocess.run(["/bin/true"], user=uid, group=uid, extra_groups=[], check=True, env={})
        except (OSError, ValueError, subprocess.CalledProcessError):
            return False
        return True

    def uid(self, role: Role) -> int | None:
        """Return the user id of a role; None: this process's own."""
        return self._uids[role] if self.are_apart else None

    def popen_arguments(self, role: Role) -> dict[str, object]:
        """Return what makes a child process belong to the role, for `subprocess` and `asyncio` alike."""
        uid = self.uid(role)
        if uid is None:
            return {"start_new_session": True}
        return {"start_new_session": True, "user": uid, "group": uid, "extra_groups": [], "umask": 0o077}

    def give(self, path: Path, role: Role) -> None:
        """Make a folder with all in it belong to a role, and to no other."""
        uid = self.uid(role)
        if uid is not None:
            file_trees.give(path, uid)
