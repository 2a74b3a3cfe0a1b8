"""Hostile scenarios, played once each, with everything that they left behind, to be searched for what must not be."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from rich.console import Console
from sqlalchemy import make_url

from sandbox.demo.play import Played, play
from sandbox.demo.terminal import PlainScreen
from sandbox.demo.world import CHECKOUT, READ_TOKEN, World
from sandbox.scenario_format import find, load

JOB_TOKEN = re.compile(rb"glcbt-[A-Za-z0-9_-]{16,}")
ID_TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}")
SESSION_LENGTH = 43
"""Characters of a session token: 32 bytes in URL-safe base 64."""
TOKEN_RUN = re.compile(rb"[A-Za-z0-9_-]{43,}")
LARGEST_RUN = 4000
"""Longer runs are pictures and fonts in base 64."""


class Aftermath:
    """A world in which a scenario was played; everything still answers."""

    def __init__(self, world: World, played: Played, project: str) -> None:
        assert world.vendors is not None
        self.world = world
        self.project = project
        self.played = played
        self.document = played.document
        self.vendors = world.vendors
        self._reader = httpx2.Client(
            base_url=world.receiver_url, headers={"Authorization": f"Bearer {READ_TOKEN}"}, timeout=30
        )

    def close(self) -> None:
        """Close all connections."""
        self._reader.close()

    @cached_property
    def gitlab(self) -> Any:
        """Everything that the emulated GitLab holds."""
        return httpx2.get(f"{self.vendors.gitlab['url']}/_sandbox/state", timeout=30).raise_for_status().json()

    @cached_property
    def jira(self) -> Any:
        """Everything that the emulated Jira holds."""
        return httpx2.get(f"{self.vendors.jira['url']}/_sandbox/state", timeout=30).raise_for_status().json()

    @cached_property
    def story(self) -> Any:
        """The run's story as the receiver tells it."""
        return self._reader.get(f"/api/runs/{self.document['run']['id']}").raise_for_status().json()

    @property
    def repository(self) -> Any:
        """The repository in the emulated GitLab."""
        return next(one for one in self.gitlab["projects"] if one["path_with_namespace"] == self.project)

    def report(self, phase: str) -> Any:
        """Return what the job of a phase reported."""
        return next(one for one in self.story["reports"] if one["phase"] == phase)

    def job_log(self, name: str) -> str:
        """Return the log of a job as GitLab keeps it."""
        number = next(job["id"] for one in self.gitlab["ci"]["pipelines"] for job in one["jobs"] if job["name"] == name)
        return (self.world.state / "sandbox" / "ci" / "logs" / f"{number}.log").read_text(errors="replace")

    def artifact(self, ending: str) -> bytes:
        """Return the one file of all jobs' artifacts whose path ends so."""
        [data] = [data for name, data in self.artifacts.items() if name.endswith(ending)]
        return data

    def conversation(self, phase: str) -> str:
        """Return a phase's transcript."""
        return self.artifact(f"/.bug-fix/{phase}/transcript.jsonl").decode()

    def command(self, *arguments: str) -> str:
        """Return what `bug-fix` prints, as an operator would see it."""
        told = subprocess.run(
            [sys.executable, "-m", "receiver", *arguments],
            env={"PATH": os.environ["PATH"], "COLUMNS": "400", **self.world.settings()},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return told.stdout

    @cached_property
    def artifacts(self) -> dict[str, bytes]:
        """Every file that a job left with GitLab, archives in archives included."""
        folder = self.world.state / "sandbox" / "ci" / "artifacts"
        return {
            f"artifacts/{archive.parent.name}/{name}": data
            for archive in sorted(folder.glob("*/*.zip"))
            for name, data in unpacked(archive.read_bytes())
        }

    @cached_property
    def everything(self) -> dict[str, bytes]:
        """All that people, programs or the next job could read: artifacts, logs, tables, states, pages, commands."""
        state, run = self.world.state, self.document["run"]["id"]
        logs = [*(state / "logs").glob("*.log"), *(state / "sandbox" / "ci" / "logs").glob("*.log")]
        request = f"{self.vendors.gitlab['url']}/{self.project}/-/merge_requests"
        return {
            **self.artifacts,
            **{f"log {file.name} in {file.parent.parent.name}": file.read_bytes() for file in logs},
            **self._tables(),
            "GitLab": json.dumps(self.gitlab, ensure_ascii=False).encode(),
            "Jira": json.dumps(self.jira, ensure_ascii=False).encode(),
            "story": self._reader.get(f"/api/runs/{run}").content,
            "page of the run": self._reader.get(f"/runs/{run}").content,
            "page of all runs": self._reader.get("/").content,
            "merge requests": httpx2.get(request, timeout=30).content,
            "explain": self.command("explain", run, "--all").encode(),
            "session": self.command("session", run, "--all").encode(),
        }

    def holding(self, *words: str | bytes) -> list[str]:
        """Return where any of these stands; empty: nowhere."""
        wanted = [word.encode() if isinstance(word, str) else word for word in words]
        return [name for name, data in self.everything.items() if any(word in data for word in wanted)]

    def leaks(self) -> list[str]:
        """Return where a token stands that jobs or people hold; never the token itself."""
        return [f"{name}: {kind}" for name, data in self.everything.items() for kind in self.tokens_in(data)]

    def tokens_in(self, data: bytes) -> Iterator[str]:
        """Return the kinds of tokens in some bytes."""
        if JOB_TOKEN.search(data):
            yield "a job token"
        if ID_TOKEN.search(data):
            yield "an ID token"
        yield from (kind for kind, token in self._secrets.items() if token in data)
        if any(sha256(text).hexdigest() in self.sessions for text in windows(data)):
            yield "a session token"

    @cached_property
    def sessions(self) -> frozenset[str]:
        """Hashes of all session tokens: the tokens themselves are stored nowhere."""
        with psycopg.connect(self._database) as connection:
            return frozenset(one for (one,) in connection.execute("SELECT token_sha256 FROM sessions"))

    @cached_property
    def _secrets(self) -> dict[str, bytes]:
        groups = {"GitLab": self.vendors.gitlab, "Jira": self.vendors.jira, "Anthropic": self.vendors.anthropic}
        return {
            f"{vendor}'s {name}": value.encode()
            for vendor, facts in groups.items()
            for name, value in facts.items()
            if any(word in name for word in ("token", "secret", "api_key"))
        }

    @property
    def _database(self) -> str:
        address = make_url(self.world.database_url).set(drivername="postgresql")
        return address.render_as_string(hide_password=False)

    def _tables(self) -> dict[str, bytes]:
        with psycopg.connect(self._database) as connection:
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            return {
                f"table {name}": b"\n".join(
                    value if isinstance(value, bytes) else str(value).encode()
                    for row in connection.execute(SQL("SELECT * FROM {}").format(Identifier(name)))
                    for value in row
                )
                for (name,) in names
            }


def unpacked(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Return the files of an archive, and those of archives in it."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for name in opened.namelist():
            data = opened.read(name)
            yield name, data
            if data.startswith(b"PK\x03\x04"):
                yield from ((f"{name}/{inner}", kept) for inner, kept in unpacked(data))


def windows(data: bytes) -> Iterator[bytes]:
    """Return all that could be a session token."""
    for run in {found.group() for found in TOKEN_RUN.finditer(data)}:
        if len(run) <= LARGEST_RUN:
            for start in range(len(run) - SESSION_LENGTH + 1):
                yield run[start : start + SESSION_LENGTH]


@contextmanager
def staged(name: str) -> Iterator[Aftermath]:
    """Play a scenario with real processes and keep its world until the end of the block."""
    scenario = load(find(name))
    state = Path(tempfile.mkdtemp(prefix="bug-fix-hostile-"))  # where the users of untrusted code get to
    screen = PlainScreen(Console(file=io.StringIO()))
    try:
        with World(scenario=str(scenario.folder), state=state, catalogue=scenario.folder / "bug-fix.yml") as world:
            world.start_postgres()
            world.start_sandbox()
            world.start_receiver()
            world.start_worker()
            played = play(world, scenario, screen, evidence=state / "evidence", timeout_s=900)
            with closing(Aftermath(world, played, next(iter(scenario.repositories)))) as aftermath:
                yield aftermath
    finally:
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def stage() -> Callable[[str], AbstractContextManager[Aftermath]]:
    """Play a scenario."""
    return staged
