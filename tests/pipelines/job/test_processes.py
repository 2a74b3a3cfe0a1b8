"""Untrusted commands: what they see, what they reach, and that they end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation import confinement, process_tree
from pipelines.job.isolation.confinement import Means, View
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.python_runtime import shared_runtime
from pipelines.job.isolation.role_users import Role
from pipelines.job.isolation.shared_folders import Shared

pytestmark = pytest.mark.integration

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run commands as other users")


def shell(launcher: Launcher, command: str, role: Role = Role.WORK, *, timeout_s: float = 20.0) -> str:
    done = launcher.run(["/bin/bash", "-c", command], role=role, cwd=launcher.root, timeout_s=timeout_s)
    return done.output


def test_a_command_sees_only_the_environment_that_is_named(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_TOKEN", "tok-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "tok-2")
    seen = {line.split("=", 1)[0] for line in shell(launcher, "env").splitlines()}
    own = {"PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "LANG", "CI", "LD_LIBRARY_PATH", "LC_ALL", "TZ"}
    own |= {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PWD", "SHLVL", "_", "OLDPWD"}
    network = {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}
    assert {name for name in seen - own - network if "proxy" not in name.lower()} == set()


@as_root
def test_roles_are_users_that_see_nothing_of_each_other_or_of_us(launcher: Launcher) -> None:
    assert launcher.users.are_apart
    secret = launcher.home(Role.BROWSER) / "secret"
    secret.write_text("of the browser")
    launcher.users.give(launcher.home(Role.BROWSER), Role.BROWSER)
    out = shell(
        launcher, f"cat {secret} /proc/{os.getpid()}/environ; ls {launcher.root}; id -u; id -G; kill -0 {os.getpid()}"
    )
    assert "of the browser" not in out
    assert out.count("Permission denied") == 3
    assert "Operation not permitted" in out
    uid = str(launcher.users.uid(Role.WORK))
    assert out.split().count(uid) == 2


@as_root
def test_every_process_of_a_role_ends_also_those_that_hide(launcher: Launcher) -> None:
    shell(
        launcher,
        "(setsid sleep 300 &); (setsid bash -c 'trap \"\" TERM HUP; sleep 301 & sleep 302' &); nohup sleep 303 &",
    )
    uid = launcher.users.uid(Role.WORK)
    assert uid is not None
    assert any(process.uid == uid for process in process_tree.running())
    launcher.end(Role.WORK)
    assert not any(process.uid == uid for process in process_tree.running())


@as_root
def test_a_renewed_role_finds_nothing_of_what_it_left(launcher: Launcher) -> None:
    place = Path("/dev/shm") / f"left-{os.getpid()}"  # noqa: S108 - that is the point
    shell(launcher, f"echo 1 > $HOME/count; echo 1 > {place}")
    assert place.exists()
    launcher.renew(Role.WORK)
    assert not place.exists()
    assert "No such file" in shell(launcher, "cat $HOME/count")


def test_a_program_that_a_role_installed_for_itself_stands_in_no_other_ones_way(launcher: Launcher) -> None:
    planted = "mkdir -p $HOME/.local/bin; cp /bin/true $HOME/.local/bin/git; cp /bin/true $HOME/.local/bin/own-tool"
    shell(launcher, planted)
    found = shell(launcher, "command -v git own-tool").splitlines()
    assert found == [launcher.located("git"), f"{launcher.home(Role.WORK)}/.local/bin/own-tool"]
    done = launcher.run(["git", "--version"], role=Role.WORK, cwd=launcher.root, timeout_s=60)
    assert done.output.startswith("git version")


def test_a_command_that_does_not_end_is_ended(launcher: Launcher) -> None:
    done = launcher.run(["/bin/bash", "-c", "echo begun; sleep 300"], role=Role.WORK, cwd=launcher.root, timeout_s=3.0)
    assert done.timed_out
    assert done.exit_code == -9
    assert done.output == "begun\n"


def test_a_child_that_keeps_the_output_open_does_not_keep_us(launcher: Launcher) -> None:
    done = launcher.run(["/bin/bash", "-c", "sleep 300 & echo done"], role=Role.WORK, cwd=launcher.root, timeout_s=60)
    assert done.exit_code == 0
    assert done.output == "done\n"
    assert done.seconds < 30


def test_a_command_gets_what_it_is_given_and_keeps_its_exit_code(launcher: Launcher) -> None:
    done = launcher.run(["/bin/bash", "-c", "cat; exit 7"], role=Role.WORK, cwd=launcher.root, timeout_s=60, given=b"x")
    assert (done.output, done.exit_code, done.timed_out) == ("x", 7, False)


@as_root
def test_python_and_our_packages_work_for_a_user_who_can_not_enter_where_they_are(launcher: Launcher) -> None:
    launcher.environment(Role.WORK)
    runtime = shared_runtime(launcher.root / "copy")
    uid = launcher.users.uid(Role.WORK)
    code = "import pytest, playwright.sync_api, anthropic, ssl, pipelines.language; print('works')"
    done = subprocess.run(
        [runtime.python, "-I", "-c", code],
        env={"LD_LIBRARY_PATH": runtime.library_path or ""},
        user=uid,
        group=uid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "works\n", done.stderr


@as_root
def test_a_clean_up_that_fails_or_takes_too_long_keeps_no_other_role_from_being_cleaned_up(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [launcher.users.uid(role) for role in Role]
    left = [Path(f"/tmp/bug-fix-left-{launcher.root.name}-{role}") for role in Role]  # noqa: S108 - what a role leaves
    for role, path in zip(Role, left, strict=True):
        shell(launcher, f"touch {path}; (setsid sleep 300 &)", role)
    slow, real = users[0], subprocess.run

    def run(command: list[str], **arguments: Any) -> Any:
        if arguments.get("user") == slow:
            raise subprocess.TimeoutExpired(command, arguments["timeout"])
        return real(command, **arguments)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RunnerError, match="longer than 60 s to clean up after the work user"):
        launcher.end_all()
    assert not any(path.exists() for path in left)
    assert {process.uid for process in process_tree.running()}.isdisjoint(users[1:])
    monkeypatch.undo()


class Breaking(Shared):
    """Folders in which something can't be removed."""

    def remove_owned(self, uid: int) -> None:
        raise RecursionError(uid)


@as_root
def test_of_what_a_role_left_the_rest_is_removed_where_something_resists(launcher: Launcher) -> None:
    shell(launcher, "ipcmk --queue >/dev/null", Role.WORK)
    uid = launcher.users.uid(Role.WORK)
    assert queues(uid) == 1
    launcher.__dict__["_shared"] = Breaking(folders=())
    with pytest.raises(RecursionError):
        launcher.renew(Role.WORK)
    del launcher.__dict__["_shared"]
    assert queues(uid) == 0


def queues(uid: int | None) -> int:
    """Return how many message queues of System V a user has."""
    rows = [row.split() for row in Path("/proc/sysvipc/msg").read_text().splitlines()[1:]]
    return sum(row[7] == str(uid) for row in rows)


@pytest.fixture
def confining(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> Callable[[Means], Launcher]:
    """Let the launcher confine commands by one means, or skip the test where this machine has it not."""

    def by(means: Means) -> Launcher:
        monkeypatch.setattr(launcher, "_means", {means})
        if launcher.confinement.means is not means:
            pytest.skip(f"{means} can't confine here")
        return launcher

    return by


@pytest.mark.parametrize("means", Means)
def test_a_confined_command_can_not_look_like_one_that_was_not_confined(
    confining: Callable[[Means], Launcher], means: Means
) -> None:
    launcher = confining(means)
    home = launcher.home(Role.BROWSER)
    ask = "ls -l /proc/self/fd /proc/$PPID/fd | grep -c pipe: ; exit 113"
    done = launcher.run(
        ["/bin/bash", "-c", ask], role=Role.BROWSER, cwd=home, timeout_s=20, view=View(writable=(home,))
    )
    assert done.exit_code == 113
    assert int(done.output.split()[-1]) <= 6  # output and error of the shell's, and of those that it waits for


@pytest.mark.parametrize("means", [Means.NAMESPACES, Means.LANDLOCK])
def test_a_command_that_can_not_be_confined_is_the_runners_failure(
    confining: Callable[[Means], Launcher], means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = confining(means)
    home = launcher.home(Role.BROWSER)
    view = View(writable=(home,))
    failing = launcher.root / "failing.py"
    source = confinement.SCRIPT.read_text()
    failing.write_text(source.replace("os.umask(0o077)", 'raise OSError("no such mount")'))
    monkeypatch.setattr(confinement, "SCRIPT", failing)
    with pytest.raises(RunnerError, match="can't be confined on this runner: no such mount"):
        launcher.run(["/bin/true"], role=Role.BROWSER, cwd=home, timeout_s=20, view=view)
    failing.write_text("raise SystemExit(0)")
    with pytest.raises(RunnerError, match="it ended without a word"):
        launcher.run(["/bin/true"], role=Role.BROWSER, cwd=home, timeout_s=20, view=view)
