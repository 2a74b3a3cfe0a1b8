"""Render the prompts in templates/prompts. Untrusted text gets in as JSON documents only; decides nothing.

`StrictUndefined`: a template that names what it isn't given fails here and not in front of the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipelines.agents import pictures
from pipelines.agents.untrusted import Cleaner
from pipelines.catalogue.agent_profiles import DEFAULT
from pipelines.job.communication.errors import JobError
from pipelines.language import Diagnosis
from pipelines.language.diagnosis import sentence
from pipelines.language.remedy import Remedy
from pipelines.language.wire import AgentSpec, RunSpec
from pipelines.resources import TEMPLATES

PROMPTS: Final = TEMPLATES / "prompts"

_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,19}-[1-9][0-9]{0,9}")
_PROJECT = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+")
_AGENT = re.compile(r"[a-z0-9][a-z0-9-]*")


class Prompts:
    """The templates of a folder."""

    def __init__(self, folder: Path = PROMPTS) -> None:
        self._folder = folder
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,  # prompts are Markdown; untrusted text is JSON before it gets here
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def system(self, context: str) -> list[dict[str, Any]]:
        """Return the system prompt of every phase: how we work, then the context, which ends the cached prefix."""
        document = self._render("context.md.j2", context=context)
        return [
            {"type": "text", "text": self._render("system.md.j2")},
            {"type": "text", "text": document, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ]

    def first_message(self, spec: RunSpec, cleaner: Cleaner, values: Mapping[str, object] | None = None) -> str:
        """Return the first user message of a phase: marker lines, profile, instructions, documents."""
        facts: dict[str, object] = {
            "phase": spec.phase.value,
            "issue_key": _checked(_ISSUE_KEY, spec.ticket.key, "issue key"),
            "repository": None if spec.repository is None else _checked(_PROJECT, spec.repository, "project path"),
        }
        return self._render(
            f"{spec.phase}.md.j2",
            **facts,
            iteration=spec.iteration,
            is_continued=spec.previous_patch is not None,
            profile=self._profile(spec.agent, facts | {"stack": _stack(spec)}),
            ticket=cleaner.document(pictures.named(spec.ticket)),
            plan=None if spec.plan is None else cleaner.document(spec.plan),
            diagnoses=cleaner.document([_described(one) for one in spec.diagnoses]) if spec.diagnoses else None,
            remedy=None if spec.remedy is None else cleaner.document(_known(spec.remedy)),
            **dict(values or {}),
        )

    def _profile(self, agent: AgentSpec | None, facts: Mapping[str, object]) -> str:
        """Return who the agent is: the team's template if the receiver sent one, else the client's own."""
        if agent is not None and agent.profile:
            return self._environment.from_string(agent.profile).render(facts).strip()
        name = DEFAULT if agent is None else agent.prompt or agent.name
        template = f"agents/{_checked(_AGENT, name, 'agent name')}.md.j2"
        if not (self._folder / template).exists():
            raise JobError(
                f"This job client has no template for the agent {name}; use the client of the receiver's version."
            )
        return self._render(template, **facts).strip()

    def _render(self, name: str, **values: object) -> str:
        return self._environment.get_template(name).render(values)


def _known(remedy: Remedy) -> dict[str, str]:
    """Return a remedy for the agent that makes it."""
    return {"wrong": remedy.title, "remedy": remedy.remedy}


def _described(diagnosis: Diagnosis) -> dict[str, object]:
    """Return a diagnosis for an agent: its sentence, then its data."""
    data: dict[str, object] = msgspec.to_builtins(diagnosis)
    return {"diagnosis": sentence(diagnosis)} | data


def _stack(spec: RunSpec) -> str | None:
    repository = None if spec.repository is None else spec.catalogue.repositories.get(spec.repository)
    return None if repository is None else repository.stack.preset


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    """Return a value that stands outside of any document, alone on its line, if it is what it is called."""
    if not pattern.fullmatch(value):
        raise JobError(f"{value[:80]!r} is not a valid {what}.")
    return value
