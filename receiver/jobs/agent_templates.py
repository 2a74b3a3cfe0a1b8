"""Read the templates of a team's own agents, which stand beside its bug-fix.yml, when the catalogue is read.

They are trusted as the catalogue is: both stand on the automation project's protected branch, and a job gets their text
from the receiver only. Checks what would fail in a job; renders nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipelines.resources import TEMPLATES

FOLDER: Final = Path("templates/prompts/agents")
"""Relative to the folder of bug-fix.yml; in a checkout of this product, where the built-in ones stand."""

BUILT_IN: Final = TEMPLATES / "prompts" / "agents"

VALUES: Final = frozenset({"phase", "issue_key", "repository", "stack"})
"""What a template may name. Outside of one repository, in analysis, the last two are none."""

LONGEST: Final = 8_000
"""Characters: a profile says who works, not how."""

SUFFIX: Final = ".md.j2"


class AgentTemplateError(ValueError):
    """A team's template can't be used; the message names the file and what to do."""


def read(catalogue: Path) -> dict[str, str]:
    """Return the templates beside a catalogue by name, without those that are the built-in ones to the byte."""
    found: dict[str, str] = {}
    for path in sorted((catalogue.parent / FOLDER).glob(f"*{SUFFIX}")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AgentTemplateError(f"{path} can't be read: {error}. Write it as UTF-8 text.") from error
        built_in = BUILT_IN / path.name
        if built_in.exists() and built_in.read_text(encoding="utf-8") == text:
            continue
        for sentence in _faults(path.name.removesuffix(SUFFIX), text):
            raise AgentTemplateError(f"{path}: {sentence}")
        found[path.name.removesuffix(SUFFIX)] = text
    return found


def _faults(name: str, text: str) -> Iterator[str]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        yield "an agent's name has lower-case letters, digits and dashes; rename the file."
    if not text.strip():
        yield "the template is empty; say in a few sentences who the agent is and what it pays attention to."
    if len(text) > LONGEST:
        yield f"the template has {len(text)} characters; a profile has at most {LONGEST}."
    try:
        environment = ImmutableSandboxedEnvironment()
        environment.compile(text)
        parsed = environment.parse(text)
    except TemplateSyntaxError as error:
        yield f"line {error.lineno} is not Jinja: {error.message}."
        return
    if unknown := sorted(meta.find_undeclared_variables(parsed) - VALUES):
        yield f"there is no value {', '.join(unknown)}; there are {', '.join(sorted(VALUES))}."
    if any(parsed.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))):
        yield "a profile stands alone; write out what it includes."
