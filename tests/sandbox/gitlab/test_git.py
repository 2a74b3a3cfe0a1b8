"""git over smart HTTP with the real git: who may clone, who may push, what a push causes."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sandbox.ci.running.checkout import GitSources, fetch
from sandbox.ci.running.job_log import JobLog
from sandbox.gitlab.model import JobSubject

pytestmark = pytest.mark.integration
Git = Callable[..., Any]


def remote(emulated: Any, who: str, project: str = "payk12/contacts", *, user: str = "oauth2") -> str:
    token = who if who in emulated.jobs else emulated.token(who)
    return emulated.url.replace("://", f"://{user}:{token}@") + f"/{project}.git"


def commit(git: Git, folder: Path, name: str = "new.txt") -> None:
    (folder / name).write_text("new\n")
    git("add", name, cwd=folder)
    git("commit", "-qm", f"Add {name}", cwd=folder)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("bot", None),
        ("starter", None),
        ("mara", None),
        ("root", None),
        ("gwen", "403"),
        ("nobody", "not found"),
    ],
)
def test_cloning_takes_reporter(emulated: Any, git: Git, tmp_path: Path, who: str, reason: str | None) -> None:
    done = git("clone", "-q", remote(emulated, who), "clone")
    if reason is None:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "clone" / "src" / "contacts.py").is_file()
        assert (tmp_path / "clone" / "run.sh").stat().st_mode & 0o111
    else:
        assert reason in done.stderr
        assert done.returncode != 0


def test_without_or_with_a_wrong_token_git_is_asked_for_one(emulated: Any, git: Git) -> None:
    assert "could not read Username" in git("clone", f"{emulated.url}/payk12/contacts.git", "x").stderr
    wrong = emulated.url.replace("://", "://oauth2:wrong@")
    assert "Authentication failed" in git("clone", f"{wrong}/payk12/contacts.git", "x").stderr
    answer = httpx2.get(f"{emulated.url}/payk12/contacts.git/info/refs?service=git-upload-pack", timeout=60)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="GitLab"')


def test_a_shallow_fetch_of_one_commit_works(emulated: Any, git: Git, tmp_path: Path) -> None:
    (branch,) = emulated.client().projects.get("payk12/contacts").branches.list(get_all=True)
    git("init", "-q", "job")
    job = tmp_path / "job"
    done = git("fetch", "-q", "--depth=1", remote(emulated, "bot"), branch.commit["id"], cwd=job)
    assert done.returncode == 0, done.stderr
    assert git("rev-parse", "FETCH_HEAD", cwd=job).stdout.strip() == branch.commit["id"]


def test_a_url_without_git_leads_to_the_repository(emulated: Any, git: Git) -> None:
    assert git("clone", "-q", remote(emulated, "bot").removesuffix(".git"), "clone").returncode == 0


def test_a_developer_pushes_a_branch_and_the_api_sees_it(emulated: Any, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", remote(emulated, "bot"), "clone")
    clone = tmp_path / "clone"
    commit(git, clone)
    done = git("push", "origin", "HEAD:refs/heads/topic", cwd=clone)
    assert done.returncode == 0, done.stderr
    project = emulated.client().projects.get("payk12/contacts")
    assert project.files.raw("new.txt", ref="topic") == b"new\n"
    (hook,) = emulated.receiver.wait_for("Push Hook")
    push = hook.json()
    assert (push["ref"], push["before"], push["user_username"]) == ("refs/heads/topic", "0" * 40, "bug-fix-bot")
    assert push["commits"][0]["added"] == ["new.txt"]
    assert git("push", "-q", "origin", ":topic", cwd=clone).returncode == 0
    assert [one.name for one in project.branches.list(get_all=True)] == ["main"]


@pytest.mark.parametrize(
    ("who", "target", "sentence"),
    [
        ("mara", "main", None),
        ("bot", "main", "not allowed to push code to protected branches"),
        ("tomas", "main", "not allowed to push code to protected branches"),
        ("starter", "topic", "403"),
        ("mara", ":main", "only delete protected branches using the web interface"),
    ],
)
def test_protected_branches_take_maintainers(
    emulated: Any, git: Git, tmp_path: Path, who: str, target: str, sentence: str | None
) -> None:
    git("clone", "-q", remote(emulated, who), "clone")
    clone = tmp_path / "clone"
    commit(git, clone)
    done = git("push", "origin", target if target.startswith(":") else f"HEAD:refs/heads/{target}", cwd=clone)
    assert (done.returncode == 0) == (sentence is None), done.stderr
    assert sentence is None or sentence in done.stderr
    branches = emulated.client().projects.get("payk12/contacts").branches
    assert (branches.get("main").commit["title"] == "Add new.txt") == (sentence is None)


@pytest.mark.parametrize(
    ("user", "origin", "target", "refusal"),
    [
        ("starter", "payk12/bug-fix", "payk12/bug-fix", None),
        ("starter", "payk12/bug-fix", "payk12/contacts", None),
        ("starter", "payk12/contacts", "payk12/other", "not found"),
        ("nobody", "payk12/bug-fix", "payk12/contacts", "not found"),
        ("gwen", "payk12/bug-fix", "payk12/contacts", "not found"),
    ],
)
def test_a_job_token_reaches_what_allowlist_and_user_reach(
    emulated: Any, git: Git, user: str, origin: str, target: str, refusal: str | None
) -> None:
    users = {"starter": "bug-fix-starter"}
    emulated.jobs["eyJob"] = JobSubject(
        user_id=emulated.state.user(users.get(user, user)).id,
        project_id=emulated.state.project(origin).id,
        job_id=1,
    )
    done = git("clone", "-q", remote(emulated, "eyJob", target, user="gitlab-ci-token"), "clone")
    assert (done.returncode == 0) == (refusal is None), done.stderr
    assert refusal is None or refusal in done.stderr


def test_a_job_token_never_pushes(emulated: Any, git: Git, tmp_path: Path) -> None:
    emulated.jobs["eyJob"] = JobSubject(
        user_id=emulated.state.user("mara").id, project_id=emulated.state.project("payk12/contacts").id, job_id=1
    )
    git("clone", "-q", remote(emulated, "eyJob", user="gitlab-ci-token"), "clone")
    clone = tmp_path / "clone"
    commit(git, clone)
    assert "403" in git("push", "origin", "HEAD:refs/heads/topic", cwd=clone).stderr


def test_a_finished_jobs_token_is_worth_nothing(emulated: Any, git: Git) -> None:
    url = emulated.url.replace("://", "://gitlab-ci-token:eyGone@") + "/payk12/contacts.git"
    assert "Authentication failed" in git("clone", "-q", url, "clone").stderr


@pytest.mark.anyio
async def test_the_runner_fetches_with_the_token_on_no_command_line(emulated: Any, tmp_path: Path) -> None:
    told, build = tmp_path / "told", tmp_path / "build"
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$@" >> {told}\nPATH={os.environ["PATH"]} exec git "$@"\n')
    shim.chmod(0o755)
    (branch,) = emulated.client().projects.get("payk12/contacts").branches.list(get_all=True)
    url = remote(emulated, "bot")
    with closing(JobLog(tmp_path / "log", [])) as log:
        await fetch(
            GitSources(url=url, ref="main", sha=branch.commit["id"]),
            build,
            environment={"PATH": f"{shim.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)},
            log=log,
        )
    assert (build / "run.sh").is_file()
    assert "fetch" in told.read_text()
    assert emulated.token("bot") not in told.read_text()
    assert url in (build / ".git" / "config").read_text()  # for the job's own git, as with GitLab's runner
