"""What a job's processes can see of its tokens: nothing, in no way that another process could read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.environment import KEPT, JobSettings, Secrets, read_settings
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.python_runtime import shared_runtime
from pipelines.job.isolation.role_users import Role
from pipelines.language import Phase

GIVEN = {
    "BUG_FIX_RUN": "0123456789abcdef",
    "BUG_FIX_ITERATION": "2",
    "BUG_FIX_RECEIVER": "http://receiver",
    "CI_PROJECT_DIR": "/builds/x",
    "CI_JOB_ID": "17",
}

HIDDEN = b"hidden"


def test_settings_come_from_gitlabs_variables() -> None:
    found = read_settings("prepare", GIVEN | {"REPOSITORY": "payk12/contacts"})
    assert found == JobSettings(
        phase=Phase.PREPARE,
        run="0123456789abcdef",  # type: ignore[arg-type]
        iteration=2,
        receiver="http://receiver",
        project_dir="/builds/x",
        repository="payk12/contacts",  # type: ignore[arg-type]
        job_id=17,
    )


@pytest.mark.parametrize("name", ["BUG_FIX_RUN", "BUG_FIX_ITERATION", "BUG_FIX_RECEIVER", "CI_PROJECT_DIR"])
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(JobError, match=name):
        read_settings("generate", {key: value for key, value in GIVEN.items() if key != name})


def test_a_variable_of_the_wrong_kind_is_named() -> None:
    with pytest.raises(JobError, match="iteration"):
        read_settings("generate", GIVEN | {"BUG_FIX_ITERATION": "two"})


def test_no_token_is_kept_by_name_or_shown() -> None:
    assert not any(word in name for name in KEPT for word in ("TOKEN", "PASSWORD", "REPOSITORY_URL", "JWT", "SECRET"))
    assert "tok" not in repr(Secrets(id_token="tok-1", job_token="tok-2"))


HARDENED = """
import ctypes, resource
from pipelines.job.isolation.environment import harden_process
harden_process()
libc, found = ctypes.CDLL(None), ctypes.c_int()
get_dumpable, get_child_subreaper, get_no_new_privileges = 3, 37, 39  # linux/prctl.h
libc.prctl(get_child_subreaper, ctypes.byref(found), 0, 0, 0)
flags = [libc.prctl(option, 0, 0, 0, 0) for option in (get_dumpable, get_no_new_privileges)]
print(*flags, found.value, *resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_hardened_process_is_not_dumpable_gains_no_rights_and_inherits_orphans() -> None:
    """Asked of the kernel, so it shows with any user: of a dumpable process others of its user read the memory."""
    done = subprocess.run([sys.executable, "-c", HARDENED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1", "1", "0", "0"]


READER = """
import subprocess, sys
program = "from pipelines.job.isolation.environment import harden_process; import sys; HARDEN; "
program += "print(flush=True); sys.stdin.read()"
for harden in ("pass", "harden_process()"):
    run = [sys.executable, "-c", program.replace("HARDEN", harden)]
    with subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            open(f"/proc/{process.pid}/environ", "rb").read()
            open(f"/proc/{process.pid}/mem", "rb").close()
            print("read")
        except PermissionError:
            print("refused")
        process.stdin.close()
"""


@pytest.mark.integration
def test_a_hardened_process_shows_its_memory_to_no_other_process_of_its_user(launcher: Launcher) -> None:
    done = launcher.run([launcher.runtime.python, "-c", READER], role=Role.WORK, cwd=launcher.root, timeout_s=60)
    assert done.output.split() == ["read", "refused"]


@pytest.mark.integration
def test_the_process_that_works_has_no_token_in_its_environment(
    receiver: Any, project_dir: Path, job_environment: Callable[[Phase], dict[str, str]]
) -> None:
    seen: list[bytes] = []
    environment = job_environment(Phase.GENERATE)
    started: list[subprocess.Popen[bytes]] = []

    def look() -> None:
        try:
            seen.append(Path(f"/proc/{started[0].pid}/environ").read_bytes())
        except PermissionError:  # a hardened process hides its environment from everybody but root
            seen.append(HIDDEN)

    receiver.at_spec = look
    command = [sys.executable, "-m", "pipelines", "generate"]
    receiver.refusals.append(("/api/jobs/spec", 425, {"retry-after": "0.2"}))  # so that its process id is known by then
    with subprocess.Popen(command, env=environment, cwd=project_dir, stdout=subprocess.PIPE) as process:
        started.append(process)
        assert process.stdout is not None
        log = process.stdout.read()
    assert len(seen) == 1
    assert b"BUG_FIX_RUN=" in seen[0] or (seen == [HIDDEN] and os.geteuid() != 0)
    for secret in (environment["BUG_FIX_ID_TOKEN"], environment["CI_JOB_TOKEN"]):
        assert secret.encode() not in seen[0]
        assert secret.encode() not in log


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a job to another user")
def test_a_runner_without_root_works_and_says_what_that_means(
    receiver: Any, launcher: Launcher, job_environment: Callable[[Phase], dict[str, str]]
) -> None:
    launcher.root.chmod(0o755)
    runtime = shared_runtime(launcher.root / "shared")
    folder = launcher.home(Role.WORK) / "builds"
    folder.mkdir()
    launcher.users.give(folder, Role.WORK)
    uid = launcher.users.uid(Role.WORK)
    for place in (receiver.repository, *receiver.repository.parents):  # where it is cloned from, by that user
        if place.stat().st_uid == 0 and len(place.parts) > 2:
            place.chmod(0o755)
    environment = job_environment(Phase.PREPARE) | {"CI_PROJECT_DIR": str(folder), "HOME": str(folder)}
    environment |= {"PATH": f"{runtime.path[0]}:/usr/bin:/bin", "LD_LIBRARY_PATH": runtime.library_path or ""}
    environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    done = subprocess.run(
        [runtime.python, "-m", "pipelines", "prepare"],
        env=environment,
        cwd=folder,
        user=uid,
        group=uid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        "WARNING: untrusted code runs under the supervisor's own user, because the runner's user is not root"
        in done.stdout
    )
    assert launcher.users.are_apart
    assert receiver.reports, done.stdout + done.stderr
