"""What a role's user leaves on the runner outside of the job's folder: processes, files, IPC objects, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pipelines.job import limits
from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation import kernel_objects, process_tree
from pipelines.job.isolation.bounded_command import run_bounded
from pipelines.job.isolation.clean_up_steps import each
from pipelines.job.isolation.python_runtime import Runtime
from pipelines.job.isolation.role_users import Role, RoleUsers
from pipelines.job.isolation.shared_folders import Shared


class Leftovers:
    """Ends and removes them. What was there before this object was made stays."""

    def __init__(self, users: RoleUsers, *, runtime: Callable[[], Runtime], shared: Callable[[], Shared]) -> None:
        """`runtime` and `shared` are asked when they are first needed: finding them takes a while."""
        self._users = users
        self._runtime = runtime
        self._shared = shared
        self._kept_objects = kernel_objects.listed()

    def kill(self, role: Role, uid: int) -> None:
        """Kill every process of a role's user. Raises `RunnerError` where one does not end."""
        # Sent by the user itself to "all that I may signal": the kernel does it in one go, so no fork escapes.
        self._as_user(role, ["/bin/sh", "-c", "kill -KILL -1"])
        if not process_tree.wait_gone(uid=uid, timeout_s=5):
            raise RunnerError(f"Processes of the {role} user {uid} can't be ended; the runner's machine needs a look.")

    def remove(self, role: Role) -> None:
        """Remove files where everybody may write, IPC objects and keys of a role."""
        uid = self._users.uid(role)
        if uid is None:  # files of this user may be another job's; a confined command leaves none
            kernel_objects.remove(kept=self._kept_objects)
            return
        remove_objects = [self._runtime().python, "-I", "-S", str(kernel_objects.__file__), "[]"]
        shared = self._shared()
        each(
            partial(shared.remove_owned, uid),
            shared.restore_times,
            partial(self._as_user, role, remove_objects),
        )

    def _as_user(self, role: Role, command: Sequence[str]) -> None:
        library_path = self._runtime().library_path
        run_bounded(
            command,
            purpose=f"clean up after the {role} user",
            timeout_s=limits.USER_CLEAN_UP_S,
            env={} if library_path is None else {"LD_LIBRARY_PATH": library_path},
            cwd="/",
            **self._users.popen_arguments(role),
        )
