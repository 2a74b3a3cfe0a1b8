"""A repository that fixes can touch, and how its jobs run: `repositories` and `stacks` of bug-fix.yml. Data only."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from pipelines.language import Framework, ProjectPath


class Commands(Struct, frozen=True, kw_only=True):
    """Shell commands of a repository, each run in its root; one that is not named is not run."""

    install: str | None = None
    """Fetches what the repository needs; run once in each job."""
    test: str | None = None
    """The unit tests; leaves a JUnit or TRX report."""
    integration: str | None = None
    """The integration tests; leaves a JUnit or TRX report."""
    lint: str | None = None
    """Linters and type checks; its exit code counts."""
    coverage: str | None = None
    """The unit tests with a Cobertura report; where it leaves a report of its tests too, `test` is not run as well."""
    format: str | None = None
    """The formatter, with what else mends lint by itself; run on a fix whose lint fails. See docs/healing.md."""
    generate: str | None = None
    """Makes the generated files that are committed; run on a fix for which one is missing or stale."""
    snapshots: str | None = None
    """The tests, taking new snapshots of what the fix changed; run where stale ones fail."""


class Serve(Struct, frozen=True, kw_only=True):
    """How to start the application for the reproduction."""

    run: str
    """Shell command that starts it and stays in the foreground; it listens at `$PORT`."""
    ready: str
    """URL that answers 2xx when the application is up."""
    with_: tuple[str, ...] = field(name="with", default=())
    """Keys of repositories that are started before it, at their base commits; `legacy-api` is at `$LEGACY_API_URL`."""


class Video(StrEnum):
    """Whether a reproduction is filmed."""

    NEVER = "never"
    ALWAYS = "always"


class Reproduction(Struct, frozen=True, kw_only=True):
    """How the bug is shown."""

    framework: Framework = Framework.PYTEST
    video: Video = Video.NEVER


class Stack(Struct, frozen=True, kw_only=True):
    """A preset resolved with the repository's overrides: how its jobs run."""

    preset: str
    image: str
    tags: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    cache_paths: tuple[str, ...] = ()
    timeout: str = "1h"
    variables: dict[str, str] = field(default_factory=dict)
    commands: Commands = field(default_factory=Commands)
    junit: tuple[str, ...] = ()
    """Where the test commands leave their reports, JUnit or TRX: paths or globs."""
    coverage_report: str | None = None
    """Where the coverage command leaves Cobertura reports: a path or a glob."""


class AllowedSecret(Struct, frozen=True, kw_only=True):
    """Something that looks like a secret and may be in a fix: all that is said here must hold."""

    reason: str
    """Why it gives nothing away, for people: at least a few words."""
    paths: tuple[str, ...] = ("**",)
    """Globs of the files that may hold it."""
    rule: str | None = None
    """The rule that finds it, as the refusal names it; left out: any."""
    sha256: (
        Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="a SHA-256 of 64 lower-case hexadecimal digits")]
        | None
    ) = None
    """Of the value itself, without quotes; left out: any value."""


class Repository(Struct, frozen=True, kw_only=True):
    """A repository that fixes can touch."""

    key: str
    project: ProjectPath
    agent: str
    stack: Stack
    serve: Serve | None = None
    reproduction: Reproduction = Reproduction()
    paths_allowed: tuple[str, ...] = ("**",)
    """Globs that a patch may touch."""
    paths_handwritten: tuple[str, ...] = ()
    """Globs of files that people write, though a folder's name or a mark says that a tool does."""
    secrets_allowed: tuple[AllowedSecret, ...] = ()
    """What looks like a secret and may be in a fix."""
    reviewers: tuple[str, ...] = ()
    """GitLab usernames of who is asked to review a fix here, before those whom CODEOWNERS names."""
