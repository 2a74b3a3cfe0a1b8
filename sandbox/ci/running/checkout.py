"""Bring the repository into a build folder: fetched by git with the job token."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from sandbox.ci.errors import CiError
from sandbox.ci.running.job_log import JobLog


class CheckoutFailed(CiError):  # noqa: N818 - named for what happened
    """The sources could not be fetched; the job's log says why."""


class GitSources(msgspec.Struct, frozen=True, kw_only=True):
    """A repository to fetch."""

    url: str
    """With the job token in it, as GitLab's runner has it."""
    ref: str
    sha: str
    depth: int = 20
    """0 fetches all history."""


class NoSources(msgspec.Struct, frozen=True, kw_only=True):
    """`GIT_STRATEGY: none` or `empty`."""


Sources = GitSources | NoSources

_HELPER: Final = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$FETCH_AS" "$FETCH_WITH"; }; f'
"""Gives git the token: in a URL everybody on the machine would read it on git's command line."""


async def fetch(sources: Sources, target: Path, *, environment: Mapping[str, str], log: JobLog) -> None:
    """Fill the build folder."""
    await asyncio.to_thread(target.mkdir, parents=True)
    match sources:
        case NoSources():
            log.note("Skipping Git repository setup")
        case GitSources():
            await _fetch(sources, target, environment=environment, log=log)


async def _fetch(sources: GitSources, target: Path, *, environment: Mapping[str, str], log: JobLog) -> None:
    log.section(f"Fetching changes with git depth set to {sources.depth}...")
    depth = [f"--depth={sources.depth}"] if sources.depth else []
    tracking = f"refs/remotes/origin/{sources.ref}"
    given = urlsplit(sources.url)
    bare = urlunsplit(given._replace(netloc=given.netloc.rpartition("@")[2]))
    credentials = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": _HELPER,
        "FETCH_AS": given.username or "",
        "FETCH_WITH": given.password or "",
    }
    for arguments in (
        ["init", "--quiet", f"--initial-branch={sources.ref}"],
        ["fetch", "--quiet", "--no-tags", *depth, bare, f"+{sources.sha}:{tracking}"],
        ["checkout", "--quiet", "--force", "--detach", sources.sha],
    ):
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=target,
            env={
                "PATH": environment["PATH"],
                "HOME": environment["HOME"],
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                **credentials,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        log.write(output)
        if process.returncode:
            raise CheckoutFailed(f"git {arguments[0]} ended with exit code {process.returncode}")
    with (target / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(f'[remote "origin"]\n\turl = {sources.url}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n')
    log.note(f"Checking out {sources.sha[:8]} as detached HEAD (ref is {sources.ref})...")
