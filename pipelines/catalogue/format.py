"""The shape of bug-fix.yml as a team writes it, and its JSON Schema. Reads nothing, decides nothing.

Sections that need no resolving (`jira`, `policy`, `serve`, `commands`) are the Structs of
`pipelines.language.catalogue` itself.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from pipelines.catalogue.stack_presets import Preset
from pipelines.language import Framework
from pipelines.language.catalogue import AgentTool, Jira
from pipelines.language.command_grants import CommandGrants
from pipelines.language.policy import Policy
from pipelines.language.remedy import Action
from pipelines.language.repository import AllowedSecret, Commands, Serve, Video

Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="a short name of letters, digits, dots, dashes and underscores",
        examples=["frontend"],
    ),
]
AgentName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}$",
        description="an agent's name of lower-case letters, digits and dashes",
        examples=["dotnet-pro"],
    ),
]
Project = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$",
        max_length=110,  # a job is named after it, and GitLab allows needed names of 128 characters
        description="a GitLab project's full path of at most 110 characters",
        examples=["payk12/api"],
    ),
]
Image = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$",
        description="an image with its tag or digest, written out without variables",
        examples=["python:3.11", "registry.example.com/python@sha256:…"],
    ),
]
Tag = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,254}$",
        description="a runner's tag, written out without variables",
        examples=["windows"],
    ),
]
Path = Annotated[
    str,
    Meta(
        pattern=r"^(?!/)(?!(.*/)?\.\.(/|$))[A-Za-z0-9_.*@+{},/ -]+$",
        description="a path or glob relative to its folder, without variables and without `..`",
        examples=["reports/junit.xml"],
    ),
]
Duration = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,3}[hms]( [1-9][0-9]{0,3}[ms]){0,2}$",
        description="a duration of hours, minutes and seconds",
        examples=["1h 30m", "45m"],
    ),
]
VariableName = Annotated[
    str,
    Meta(
        pattern=r"^(?!CI$|CI_|GITLAB_|BUG_FIX_|PATH$|HOME$|LD_|PYTHON(HOME|PATH)$)[A-Za-z_][A-Za-z0-9_]*$",
        description="a variable's name that neither GitLab nor the job needs for itself",
        examples=["NEXT_TELEMETRY_DISABLED"],
    ),
]
VariableValue = Annotated[str, Meta(min_length=0, description="text, which may be empty", examples=["debug"])]
Model = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="a model's id",
        examples=["claude-sonnet-5-5"],
    ),
]
Username = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$",
        description="a GitLab username, without the @",
        examples=["mara"],
    ),
]
Positive = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number of at least 1", examples=["40"])]
Ref = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$",
        description="a branch's name",
        examples=["main"],
    ),
]


class Automation(Struct, frozen=True, kw_only=True):
    """The GitLab project whose pipelines do the work: the one that holds this file."""

    project: Project
    """Its full path."""
    ref: Ref = "main"
    """Its protected branch, on which pipelines are started."""
    image: Image = "python:3.11"
    """Image of the jobs that belong to no repository; the job client has to be in it, see docs/job-client.md."""


class AgentEntry(Struct, frozen=True, kw_only=True):
    """An agent: what is different from `default`, or from the built-in one of this name."""

    model: Model | None = None
    """Model id; else that of `default`."""
    max_turns: Positive | None = None
    """Turns of one conversation."""
    max_cost_usd: Decimal | None = None
    """Dollars that one conversation may cost."""
    max_seconds: Positive | None = None
    """Seconds that one conversation may take."""
    tools: tuple[AgentTool, ...] | None = None
    """What it may use of what a phase permits; never more than that."""
    stacks: tuple[Preset, ...] | None = None
    """Stacks of the repositories that it implements in; left out: all."""
    prompt: AgentName | None = None
    """Its template, `templates/prompts/agents/NAME.md.j2` beside this file; left out: the one of its own name."""


class Reports(Struct, frozen=True, kw_only=True):
    """Where the repository's commands leave their reports."""

    junit: tuple[Path, ...] | None = None
    """JUnit or TRX files, or globs, that the test commands write."""
    coverage: Path | None = None
    """Cobertura file or glob that the coverage command writes."""


class StackEntry(Struct, frozen=True, kw_only=True):
    """What is different from a preset. Lists replace the preset's, `variables` and `commands` are merged into it."""

    image: Image | None = None
    """Image with the job client; pin it by digest."""
    tags: tuple[Tag, ...] | None = None
    """Tags of the runners that take the jobs."""
    services: tuple[Image, ...] | None = None
    """Images that run beside the jobs."""
    cache: tuple[Path, ...] | None = None
    """Folders below `.cache/` that `prepare` fills and the other jobs read."""
    timeout: Duration | None = None
    """Of one job."""
    variables: dict[VariableName, VariableValue] = field(default_factory=dict)
    """Environment of the commands; of GitLab's variables only a leading `$CI_PROJECT_DIR/` is expanded."""
    commands: Commands = field(default_factory=Commands)
    reports: Reports = Reports()


class ReproductionEntry(Struct, frozen=True, kw_only=True):
    """How the bug is shown."""

    framework: Framework | None = None
    """What runs it: pytest with Playwright, or the repository's own `@playwright/test`. By default the preset's."""
    video: Video = Video.NEVER
    """Whether it is filmed; needs the ffmpeg that `playwright install ffmpeg` brings."""


class RepositoryEntry(StackEntry, frozen=True, kw_only=True):
    """A repository that fixes may touch: a preset, and what is different here."""

    project: Project
    """Its full path in GitLab."""
    stack: Preset
    """The preset that it is like."""
    agent: Name = "default"
    """Who implements here, unless the plan says otherwise."""
    serve: Serve | None = None
    reproduction: ReproductionEntry = ReproductionEntry()
    paths_allowed: tuple[Path, ...] = ("**",)
    """Globs that a patch may touch."""
    paths_handwritten: tuple[Path, ...] = ()
    """Globs of files that people write, though a folder's name (`vendor/`, `dist/`) or a mark says that a tool does."""
    secrets_allowed: tuple[AllowedSecret, ...] = ()
    """What looks like a secret and may be in a fix; a fix with any other is refused."""
    reviewers: tuple[Username, ...] = ()
    """GitLab usernames of who is asked to review a fix here; then those whom the repository's CODEOWNERS names."""


class DeployEntry(Struct, frozen=True, kw_only=True):
    """In which order people merge and deploy the fixes of a run."""

    order: tuple[tuple[Name, ...], ...] = ()
    """Waves of repository keys; those of one wave go together."""


class CatalogueFile(Struct, frozen=True, kw_only=True):
    """bug-fix.yml."""

    version: Annotated[int, Meta(ge=1, le=1, description="1, the only version there is", examples=["1"])]
    """Of this format."""
    automation: Automation
    jira: Jira
    repositories: Annotated[dict[Name, RepositoryEntry], Meta(min_length=1)]
    """By a short name."""
    policy: Policy = Policy()
    commands: CommandGrants = CommandGrants()
    agents: dict[AgentName, AgentEntry] = field(default_factory=dict)
    """By name; model and limits of `default` hold for all of them."""
    stacks: dict[Preset, StackEntry] = field(default_factory=dict)
    """Changes to a preset for every repository that uses it, for example a pinned image."""
    deploy: DeployEntry = DeployEntry()
    healing: dict[Name, Action] = field(default_factory=dict)
    """By remedy (docs/healing.md): the freest action that is allowed; never freer than what the remedy declares."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of bug-fix.yml: closed, so that editors mark unknown keys."""
    document = msgspec.json.schema(CatalogueFile)
    for definition in document["$defs"].values():
        if definition.get("type") == "object":
            definition["additionalProperties"] = False
            for name, one in definition["properties"].items():
                definition["properties"][name] = _with_numbers(one)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bug-fix.yml", **document}


def _with_numbers(node: dict[str, Any]) -> dict[str, Any]:
    """Decimals are numbers in YAML, money is more than 0; the defaults of sections are left out."""
    if node.get("format") == "decimal":
        return {"type": "number", "minimum": 0} if "description" in node else {"type": "number", "exclusiveMinimum": 0}
    out = {key: value for key, value in node.items() if key != "default" or not isinstance(value, dict)}
    if "anyOf" in node:
        out["anyOf"] = [_with_numbers(one) for one in node["anyOf"]]
    return out
