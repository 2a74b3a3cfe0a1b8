"""Read bug-fix.yml: text in, `Catalogue` out, presets resolved. Opens no file.

Every error names file, line and key and says what to do; as many as can be told are reported at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pipelines.catalogue.agent_profiles import ALL_TOOLS, BUILT_IN, DEFAULT
from pipelines.catalogue.format import AgentEntry, CatalogueFile, RepositoryEntry, StackEntry
from pipelines.catalogue.future_keys import future_keys, is_below
from pipelines.catalogue.gitlab_limits import past_limits
from pipelines.catalogue.remedy_files import limit_faults
from pipelines.catalogue.stack_presets import FRAMEWORKS, PRESETS
from pipelines.catalogue.structure import problems as structural
from pipelines.catalogue.validation import Fault, faults
from pipelines.catalogue.yaml_lines import Document, FileProblem, parse
from pipelines.language import Limits, ProjectPath
from pipelines.language.catalogue import Agent, Catalogue, Deploy
from pipelines.language.remedy import Healing, Remedy
from pipelines.language.repository import Commands, Repository, Reproduction, Stack
from pipelines.language.wire import encode, sha256

DEFAULT_MODEL: Final = "claude-sonnet-5-5"
"""What agents use when the catalogue names no model."""


class CatalogueError(Exception):
    """The catalogue can't be used; each line says where it is wrong and what to do."""

    def __init__(self, source: str, problems: tuple[FileProblem, ...]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(_line(source, problem) for problem in self.problems))


def _line(source: str, problem: FileProblem) -> str:
    where = f"{problem.key}: " if problem.path else ""
    return f"{source}:{problem.line}: {where}{problem.sentence}"


def read(
    text: str, *, source: str, templates: Mapping[str, str] | None = None, remedies: tuple[Remedy, ...] = ()
) -> Catalogue:
    """Return the catalogue written in `text`; `source` is the file's name for people. Raises `CatalogueError`.

    `templates` are the texts of the team's own agents by template name; they are frozen with the catalogue, as the
    `remedies` are.
    """
    templates = templates or {}
    document = parse(text)
    found = document.problems + tuple(future_keys(document))
    if document.value is not None or not document.problems:
        found += tuple(problem for problem in structural(document, CatalogueFile) if not is_below(problem.path, found))
    if found:
        raise CatalogueError(source, found)
    file = msgspec.convert(document.value, CatalogueFile)
    _raise_if([*faults(file, templates=templates), *limit_faults(file.healing, remedies)], document, source)
    healing = Healing(remedies=remedies, at_least=file.healing)
    catalogue = _resolved(file, templates, healing, digest=_digest(text, templates, remedies))
    _raise_if(past_limits(catalogue), document, source)
    return catalogue


def _raise_if(found: Iterable[Fault], document: Document, source: str) -> None:
    problems = tuple(FileProblem(line=document.line(path), path=path, sentence=sentence) for path, sentence in found)
    if problems:
        raise CatalogueError(source, problems)


def _digest(text: str, templates: Mapping[str, str], remedies: tuple[Remedy, ...]) -> str:
    """Return what names this version: of the file alone, or of the file and the team's templates and remedies."""
    parts = [text, *(part for item in sorted(templates.items()) for part in item)]
    parts += [encode(one).decode() for one in remedies if one.is_own]
    return sha256("\0".join(parts).encode())


def _resolved(file: CatalogueFile, templates: Mapping[str, str], healing: Healing, *, digest: str) -> Catalogue:
    built_in = Agent(name=DEFAULT, model=DEFAULT_MODEL)
    default = _agent(DEFAULT, file.agents.get(DEFAULT, AgentEntry()), built_in, templates)
    names = [*BUILT_IN, *(name for name in file.agents if name not in BUILT_IN)]
    repositories = {
        ProjectPath(entry.project): _repository(key, entry, file) for key, entry in file.repositories.items()
    }
    return Catalogue(
        automation_project=ProjectPath(file.automation.project),
        automation_ref=file.automation.ref,
        automation_image=file.automation.image,
        jira=file.jira,
        policy=file.policy,
        agents={name: _agent(name, file.agents.get(name, AgentEntry()), default, templates) for name in names},
        repositories=repositories,
        commands=file.commands,
        deploy=Deploy(order=file.deploy.order),
        healing=healing,
        sha256=digest,
    )


def _agent(name: str, entry: AgentEntry, default: Agent, templates: Mapping[str, str]) -> Agent:
    """Return a profile: model and limits as `default` has them, tools and stacks as the built-in of this name has."""
    profile = BUILT_IN.get(name)
    limits = Limits(
        max_turns=entry.max_turns or default.limits.max_turns,
        max_cost_usd=entry.max_cost_usd or default.limits.max_cost_usd,
        max_seconds=entry.max_seconds or default.limits.max_seconds,
    )
    stacks = entry.stacks if entry.stacks is not None else profile.stacks if profile else ()
    return Agent(
        name=name,
        model=entry.model or default.model,
        limits=limits,
        prompt=entry.prompt or "",
        profile=templates.get(entry.prompt or name, ""),
        tools=entry.tools or (profile.tools if profile else ALL_TOOLS),
        stacks=tuple(stack.value for stack in stacks),
    )


def _repository(key: str, entry: RepositoryEntry, file: CatalogueFile) -> Repository:
    stack = _stack(PRESETS[entry.stack], file.stacks.get(entry.stack, StackEntry()))
    return Repository(
        key=key,
        project=ProjectPath(entry.project),
        agent=entry.agent,
        stack=_stack(stack, entry),
        serve=entry.serve,
        reproduction=Reproduction(
            framework=entry.reproduction.framework or FRAMEWORKS[entry.stack], video=entry.reproduction.video
        ),
        paths_allowed=entry.paths_allowed,
        paths_handwritten=entry.paths_handwritten,
        secrets_allowed=entry.secrets_allowed,
        reviewers=entry.reviewers,
    )


def _stack(base: Stack, over: StackEntry) -> Stack:
    return Stack(
        preset=base.preset,
        image=over.image or base.image,
        tags=base.tags if over.tags is None else over.tags,
        services=base.services if over.services is None else over.services,
        cache_paths=base.cache_paths if over.cache is None else over.cache,
        timeout=over.timeout or base.timeout,
        variables={**base.variables, **over.variables},
        commands=_commands(base.commands, over.commands),
        junit=base.junit if over.reports.junit is None else over.reports.junit,
        coverage_report=over.reports.coverage or base.coverage_report,
    )


def _commands(base: Commands, over: Commands) -> Commands:
    return Commands(
        **{name: getattr(over, name) or getattr(base, name) for name in Commands.__struct_fields__},
    )
