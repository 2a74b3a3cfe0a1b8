"""Separate a job's secrets from its environment before anything else runs.

The process that GitLab's runner starts has the tokens in its environment, where `/proc/PID/environ` keeps them for
good. So it puts them into an anonymous memory file and executes itself again with only the variables named here.
Does not hide them from root, nor from processes of the same user that read the runner's own shell.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from pipelines.job.communication.errors import JobError
from pipelines.language import Phase, PipelineKind, ProjectPath, RunId

_SECRETS_FD = "BUG_FIX_SECRETS_FD"

KEPT = frozenset(
    {
        *("BUG_FIX_RUN", "BUG_FIX_KIND", "BUG_FIX_ITERATION", "BUG_FIX_RECEIVER", "BUG_FIX_REPOSITORY", "REPOSITORY"),
        *("BUG_FIX_BROWSER", "PLAYWRIGHT_BROWSERS_PATH"),
        *("CI", "GITLAB_CI", "CI_PROJECT_DIR", "CI_JOB_ID", "CI_JOB_NAME", "CI_PIPELINE_ID", "CI_SERVER_URL"),
        *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONUNBUFFERED", "PYTHONUTF8"),
        *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"),
    }
)
"""An allowlist, since GitLab keeps adding variables that hold tokens (CI_REPOSITORY_URL, CI_REGISTRY_PASSWORD, …)."""


class Secrets(Struct, frozen=True, kw_only=True):
    """The tokens of this job."""

    id_token: str
    job_token: str

    def __repr__(self) -> str:
        """Say nothing, so that no log or traceback does."""
        return "Secrets(…)"


class JobSettings(Struct, frozen=True, kw_only=True):
    """What GitLab tells this job; all of it is checked again by the receiver."""

    phase: Phase
    run: RunId
    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Number of the pipeline within its kind."""
    receiver: str
    """URL of the receiver."""
    project_dir: str
    """CI_PROJECT_DIR: artifacts are written below."""
    repository: ProjectPath | None = None
    job_id: int = 0


def separate_secrets(environ: Mapping[str, str]) -> Secrets:
    """Return the tokens; called in a process that still has them in its environment, execute it again without."""
    descriptor = environ.get(_SECRETS_FD)
    if descriptor is None:
        _execute_again(environ)
    number = int(descriptor)
    with open(number, "rb") as memory:
        memory.seek(0)
        secrets = msgspec.json.decode(memory.read(), type=Secrets)
    os.environ.pop(_SECRETS_FD, None)
    return secrets


def _execute_again(environ: Mapping[str, str]) -> NoReturn:
    secrets = Secrets(id_token=environ.get("BUG_FIX_ID_TOKEN", ""), job_token=environ.get("CI_JOB_TOKEN", ""))
    memory = os.memfd_create("bug-fix-job", flags=0)
    os.write(memory, msgspec.json.encode(secrets))
    clean = {name: value for name, value in environ.items() if name in KEPT} | {_SECRETS_FD: str(memory)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], clean)  # noqa: S606 - itself, without a shell


def harden_process() -> None:
    """Forbid this process and its descendants new privileges; hide its memory; inherit orphans so that none escape."""
    libc = ctypes.CDLL(None, use_errno=True)
    set_dumpable, set_child_subreaper, set_no_new_privileges = 4, 36, 38  # linux/prctl.h
    for option, value in ((set_no_new_privileges, 1), (set_dumpable, 0), (set_child_subreaper, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise JobError(f"The kernel refuses prctl option {option}; a runner on Linux >= 3.5 is needed.")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read_settings(phase: str, environ: Mapping[str, str]) -> JobSettings:
    """Return the settings of this job. Raises `JobError` that names the variable."""
    raw: dict[str, Any] = {
        "phase": phase,
        "run": environ.get("BUG_FIX_RUN"),
        "kind": environ.get("BUG_FIX_KIND", PipelineKind.FIX),
        "iteration": environ.get("BUG_FIX_ITERATION"),
        "receiver": environ.get("BUG_FIX_RECEIVER"),
        "project_dir": environ.get("CI_PROJECT_DIR"),
        "repository": environ.get("BUG_FIX_REPOSITORY") or environ.get("REPOSITORY"),
        "job_id": environ.get("CI_JOB_ID", "0"),
    }
    missing = [name for name, value in raw.items() if value in {None, ""} and name != "repository"]
    if missing:
        names = {"project_dir": "CI_PROJECT_DIR"}
        wanted = ", ".join(names.get(name, f"BUG_FIX_{name.upper()}") for name in missing)
        raise JobError(f"This job lacks {wanted}; it is meant to run in a pipeline that the receiver started.")
    try:
        return msgspec.convert(raw, type=JobSettings, strict=False)
    except msgspec.ValidationError as error:
        raise JobError(f"A variable of this job can't be used: {error}") from error
