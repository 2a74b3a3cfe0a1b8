"""What must be true of a catalogue beyond its shape: names that exist, no duplicates, sensible bounds. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator
from typing import Final

from pipelines.catalogue.agent_profiles import BUILT_IN, unfit
from pipelines.catalogue.format import AgentEntry, CatalogueFile, RepositoryEntry
from pipelines.catalogue.served_order import CircleError, address_variable, start_order
from pipelines.catalogue.structure import suggestion
from pipelines.catalogue.yaml_lines import Path
from pipelines.language.catalogue import AgentTool

MAX_ITERATIONS: Final = 10
MAX_APPROVALS: Final = 10

Fault = tuple[Path, str]


def faults(file: CatalogueFile, *, templates: Container[str] = ()) -> Iterator[Fault]:
    """Yield what is wrong, with its place. `templates` are those of agents that stand beside the file, by name."""
    yield from _jira(file)
    yield from _policy(file)
    yield from _patches(file)
    yield from _days(file)
    yield from _concurrency(file)
    yield from _agents(file, templates)
    yield from _repositories(file)
    yield from _order(file)


def _jira(file: CatalogueFile) -> Iterator[Fault]:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]+", file.jira.project):
        yield ("jira", "project"), f'"{file.jira.project}" is not a Jira project\'s key; write it as PL'
    if re.search(r"\s", file.jira.start.label):
        yield ("jira", "start", "label"), "a Jira label has no spaces; choose another"
    if not file.jira.start.allowed:
        yield ("jira", "start", "allowed"), 'nobody may start a run; name people: ["account:ID", "group:NAME"]'
    for index, name in enumerate(file.jira.start.allowed):
        if not re.fullmatch(r"(account|group):\S(.*\S)?", name):
            yield (
                ("jira", "start", "allowed", index),
                f'"{name}" says nobody; write "account:ID" with a Jira account id, or "group:NAME"',
            )
    confidential = file.jira.confidential
    if confidential is not None and bool(confidential.role) == bool(confidential.group):
        yield ("jira", "confidential"), "name a role or a group of Jira, and only one of them"


def _days(file: CatalogueFile) -> Iterator[Fault]:
    """Yield the periods of days that are out of bounds."""
    for name, most in (("remind_after", 90), ("close_after", 365)):
        days = getattr(file.policy, name)
        if not 0 <= days <= most:
            yield ("policy", name), f"{days} is not between 0 and {most}; these are days, and 0 is never"


def _policy(file: CatalogueFile) -> Iterator[Fault]:
    policy = file.policy
    for name, most, usual in (("iterations", MAX_ITERATIONS, 3), ("approvals", MAX_APPROVALS, 1)):
        if not 1 <= (count := getattr(policy, name)) <= most:
            yield ("policy", name), f"{count} is not between 1 and {most}; {usual} is usual"
    if policy.budget_usd.run <= 0:
        yield ("policy", "budget_usd", "run"), "with this budget no run can work; write dollars, such as 6.00"
    elif policy.budget_usd.day < policy.budget_usd.run:
        yield ("policy", "budget_usd", "day"), "a day's budget is smaller than a run's; raise it, or lower the run's"
    if policy.budget_usd.most is not None and policy.budget_usd.most < policy.budget_usd.run:
        yield ("policy", "budget_usd", "most"), "people can raise no run's budget to less than it has; write more"
    for name in ("coverage_tolerance_pp", "changed_coverage_min"):
        if not 0 <= getattr(policy, name) <= 100:
            yield ("policy", name), f"{getattr(policy, name)} is not between 0 and 100; it is about percent"
    if not 0 <= policy.proof_minutes <= 240:
        yield ("policy", "proof_minutes"), f"{policy.proof_minutes} is not between 0 and 240; 10 is usual, 0 is never"


def _patches(file: CatalogueFile) -> Iterator[Fault]:
    for name in ("max_patch_lines", "max_patch_files"):
        if getattr(file.policy, name) < 1:
            yield ("policy", name), "with this limit no patch is accepted; write at least 1"


def _concurrency(file: CatalogueFile) -> Iterator[Fault]:
    for name in ("all", "project", "person"):
        if getattr(file.policy.concurrency, name) < 1:
            yield ("policy", "concurrency", name), "with this limit no run ever begins; write at least 1"


def _agents(file: CatalogueFile, templates: Container[str]) -> Iterator[Fault]:
    for name, agent in file.agents.items():
        template = agent.prompt or name
        if template not in BUILT_IN and template not in templates:
            where = ("agents", name, "prompt") if agent.prompt else ("agents", name)
            yield (
                where,
                f"the template of this agent is missing; write templates/prompts/agents/{template}.md.j2 beside it",
            )
        if agent.tools == ():
            yield ("agents", name, "tools"), "without tools the agent can't work; name some, such as [read, glob, grep]"
        if agent.max_cost_usd is not None and agent.max_cost_usd <= 0:
            yield ("agents", name, "max_cost_usd"), "with this limit the agent can't work; write dollars, such as 3.00"


def _repositories(file: CatalogueFile) -> Iterator[Fault]:
    agents = [*BUILT_IN, *(name for name in file.agents if name not in BUILT_IN)]
    seen = {file.automation.project.casefold(): "the automation project"}  # GitLab tells paths apart without case
    for key, entry in file.repositories.items():
        here = ("repositories", key)
        path = entry.project.casefold()
        if path in seen:
            yield (*here, "project"), f"{entry.project} is {seen[path]} already; name another, or take this out"
        seen.setdefault(path, f'the project of "{key}"')
        if entry.agent not in agents:
            yield (*here, "agent"), f'there is no agent "{entry.agent}"; {suggestion(entry.agent, agents)}'
        elif why := _unfit(entry, file.agents.get(entry.agent, AgentEntry())):
            yield (*here, "agent"), f"{why}; name another agent, or widen its section below `agents`"
        for index, folder in enumerate(entry.cache or ()):
            if not folder.startswith(".cache/"):
                yield (*here, "cache", index), f'"{folder}" is not kept; caches lie below .cache/, such as .cache/npm'
        yield from _secrets_allowed(key, entry)
        yield from _serve(key, entry, file)
    for preset, stack in file.stacks.items():
        for index, folder in enumerate(stack.cache or ()):
            if not folder.startswith(".cache/"):
                yield ("stacks", preset, "cache", index), f'"{folder}" is not kept; caches lie below .cache/'


def _secrets_allowed(key: str, entry: RepositoryEntry) -> Iterator[Fault]:
    for index, one in enumerate(entry.secrets_allowed):
        here = ("repositories", key, "secrets_allowed", index)
        if len(one.reason.split()) < 3:
            yield (*here, "reason"), f'"{one.reason}" does not say why this gives nothing away; write a sentence'
        if not one.sha256 and (not one.paths or "**" in one.paths):
            yield here, "this allows secrets in every file; name `paths`, or the `sha256` of the value"


def _unfit(entry: RepositoryEntry, agent: AgentEntry) -> str | None:
    profile = BUILT_IN.get(entry.agent)
    stacks = agent.stacks if agent.stacks is not None else profile.stacks if profile else ()
    tools = agent.tools or (profile.tools if profile else tuple(AgentTool))
    return unfit(entry.agent, stacks=stacks, tools=tools, stack=entry.stack)


def _serve(key: str, entry: RepositoryEntry, file: CatalogueFile) -> Iterator[Fault]:
    if entry.serve is None:
        return
    here = ("repositories", key, "serve")
    if not re.fullmatch(r"https?://\S+", entry.serve.ready):
        yield (*here, "ready"), f'"{entry.serve.ready}" is not an address; write it as http://127.0.0.1:$PORT/health'
    for index, other in enumerate(entry.serve.with_):
        if other not in file.repositories or other == key:
            rest = [one for one in file.repositories if one != key]
            yield (*here, "with", index), f'there is no other repository "{other}"; {suggestion(other, rest)}'
        elif file.repositories[other].serve is None:
            yield (*here, "with", index), f'"{other}" has no `serve`; say there how it is started'
    variables = Counter(map(address_variable, set(entry.serve.with_)))
    for variable in (name for name, count in variables.items() if count > 1):
        yield (*here, "with"), f"two of them would be found at ${variable}; rename one of the repositories"
    needs = {name: one.serve.with_ for name, one in file.repositories.items() if one.serve is not None}
    try:
        start_order(key, needs)
    except CircleError as error:
        yield (*here, "with"), f"none of {error} can be the first to start; take one out"


def _order(file: CatalogueFile) -> Iterator[Fault]:
    known = list(file.repositories)
    seen: set[str] = set()
    for wave, names in enumerate(file.deploy.order):
        for index, name in enumerate(names):
            here = ("deploy", "order", wave, index)
            if name not in file.repositories:
                yield here, f'there is no repository "{name}"; {suggestion(name, known)}'
            elif name in seen:
                yield here, f'"{name}" stands in the order twice; keep one'
            seen.add(name)
    if file.deploy.order and (missing := [name for name in known if name not in seen]):
        yield ("deploy", "order"), f"the order leaves out {', '.join(missing)}; add them, or leave the order out"
