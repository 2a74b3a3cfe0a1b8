"""Repositories in a job: fetched without a trace of the token, compared without running anything of theirs."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.context.builder import build
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.frameworks import declared
from pipelines.job.workspace.repositories import (
    LARGEST_FILE,
    Source,
    check_out,
    fetch,
    read_file,
    read_tree,
)
from pipelines.language import ProjectPath

pytestmark = pytest.mark.integration
TOKEN = "glcbt-64_secret-of-this-job"

Fetcher = Callable[[], Source]


@pytest.fixture
def source(launcher: Launcher, repository: Path) -> Source:
    return fetch(
        launcher.root,
        repository=ProjectPath("payk12/contacts"),
        base_sha=head(repository),
        url=f"file://{repository}",
        token="",
    )


@pytest.fixture
def folder(launcher: Launcher, source: Source) -> Path:
    place = launcher.root / "work" / "repository"
    check_out(source, place)
    launcher.users.give(place, Role.WORK)
    return place


def head(repository: Path) -> str:
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository, text=True).strip()


def work(launcher: Launcher, folder: Path, command: str) -> str:
    done = launcher.run(["/bin/bash", "-ec", command], role=Role.WORK, cwd=folder, timeout_s=60)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_base_commit_is_read_not_the_work_folder(launcher: Launcher, source: Source, folder: Path) -> None:
    work(launcher, folder, "echo changed > README.md; echo x > added.txt")
    assert "README.md" in read_tree(source)
    assert "added.txt" not in read_tree(source)
    assert b"changed" not in (read_file(source, "README.md") or b"")
    assert read_file(source, "no/such/file") is None


def test_a_package_file_that_is_nested_without_end_names_no_framework(launcher: Launcher, repository: Path) -> None:
    (repository / "package.json").write_bytes(b'{"x": ' + b"[" * 100_000)
    for command in (["add", "."], ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    url = f"file://{repository}"
    nested = fetch(launcher.root, repository=ProjectPath("payk12/n"), base_sha=head(repository), url=url, token="")
    assert declared(nested) is None


def test_a_file_that_is_large_only_when_it_is_unpacked_is_not_read_to_its_end(
    launcher: Launcher, repository: Path
) -> None:
    (repository / "README.md").write_bytes(b"#" * 64 * 1024 * 1024)
    for command in (
        ["add", "README.md"],
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)
    large = fetch(
        launcher.root,
        repository=ProjectPath("payk12/large"),
        base_sha=head(repository),
        url=f"file://{repository}",
        token="",
    )
    assert len(read_file(large, "README.md") or b"") == LARGEST_FILE
    assert read_file(large, "README.md", limit=10) == b"#" * 10
    assert len(build(large).readme) < 20_000


@pytest.fixture
def protected(repository: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the repository over git's smart HTTP to whoever has the token, and nobody else."""
    expected = "Basic " + base64.b64encode(f"gitlab-ci-token:{TOKEN}".encode()).decode()
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            asked.append(self.path)
            if self.headers.get("authorization") != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="GitLab"')
                self.send_header("content-length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(repository.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("content-type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            }
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=True)
            head_, _, content = done.stdout.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head_.decode().splitlines():
                name, _, value = line.partition(": ")
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = _serve  # noqa: N815 - the names that http.server calls
        do_POST = _serve  # noqa: N815 - ditto

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/{repository.name}/.git", asked
        http.shutdown()
        thread.join()


def test_the_job_token_opens_the_repository_and_is_nowhere_on_disk(
    launcher: Launcher, repository: Path, protected: tuple[str, list[str]]
) -> None:
    url, _ = protected
    fetched = fetch(launcher.root, repository=ProjectPath("a/b"), base_sha=head(repository), url=url, token=TOKEN)
    check_out(fetched, launcher.root / "work")
    assert (launcher.root / "work" / "README.md").exists()
    holding = [path for path in launcher.root.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert holding == []
    assert url.encode() not in (launcher.root / "work" / ".git" / "config").read_bytes()


def test_a_refused_clone_says_what_to_look_at(
    launcher: Launcher, repository: Path, protected: tuple[str, list[str]]
) -> None:
    url, _ = protected
    with pytest.raises(JobError, match="allowlist") as caught:
        fetch(launcher.root, repository=ProjectPath("a/b"), base_sha=head(repository), url=url, token="wrong")
    assert "wrong" not in str(caught.value)
