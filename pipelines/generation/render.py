"""ChildPipeline → the text of a GitLab CI file. Pure; built as data and dumped, the same bytes for the same value.

What goes in: project paths, enums, the issue key, run and receiver, and the catalogue's stacks. No text of ticket,
plan or model. Run, iteration and the receiver's URL stand in the file as inputs of the included templates: GitLab
passes a trigger job's `variables` on as pipeline variables, which projects may forbid
(`ci_pipeline_variables_minimum_override_role`).
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from pipelines.catalogue.prepare_entry import cache_key
from pipelines.generation.graph import ChildPipeline, Ending
from pipelines.generation.job_keywords import job_keywords, repository_template
from pipelines.language import ProjectPath
from pipelines.language.repository import Stack

TEMPLATES: Final = "templates/ci/phases.yml"
_HEADER: Final = "# Generated from the plan of {key}, {pipeline}. Hidden jobs: {templates}.\n"
_SAID: Final[dict[Ending, str]] = {
    Ending.NEEDS_INFORMATION: "Analysis has a question. It stands on the ticket; the answer starts a new iteration.",
    Ending.AWAITING_APPROVAL: "The plan waits for approval. It stands on the ticket; approving it starts a new "
    "iteration.",
    Ending.NOT_A_BUG: "Analysis found that this is not a bug. The reason stands on the ticket.",
    Ending.DUPLICATE: "Analysis found that another ticket is about the same. It is named on this one.",
    Ending.TOO_LARGE: "Analysis found that this is too large for an automatic fix. The reason stands on the ticket.",
    Ending.FEATURE_REQUEST: "Analysis found that the ticket asks for something new. The reason stands on the ticket.",
    Ending.INFRASTRUCTURE: "Analysis found the cause outside of the code. The reason stands on the ticket.",
    Ending.HANDED_OVER: "People take this ticket over. What is to be done stands in the story of the run.",
}
"""What the only job of a pipeline without a fix says. No text of ticket or model is among it."""


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]  # chosen at import
    """Quotes what another YAML reader could take for a number: GitLab's reads `12e4` as one, PyYAML does not."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if re.match(r"[-+]?\.?[0-9]|[-+]?\.(inf|nan)", text, re.IGNORECASE) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


class _Quoted(str):
    """A text in quotes, whatever it is: a run's id may look like a number or not, and the file's shape may not vary."""

    __slots__ = ()


def _quoted(dumper: yaml.SafeDumper, text: _Quoted) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="'")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_Quoted, _quoted)


def render(child: ChildPipeline) -> str:
    """Return the file."""
    origin = child.origin
    document: dict[str, Any] = {
        "include": [
            {
                "local": TEMPLATES,
                "inputs": {
                    "run": _Quoted(origin.run),
                    "kind": str(origin.pipeline.kind),
                    "iteration": origin.pipeline.number,
                    "receiver": origin.receiver,
                },
            }
        ],
        "workflow": {
            "name": f"{origin.issue_key} · {origin.pipeline} · {_title(child)}",
            "auto_cancel": {"on_new_commit": "none"},
        },
    }
    if child.jobs:
        document["stages"] = [str(stage) for stage in child.stages]
        restricted = {"artifacts": {"access": "maintainer"}} if child.confidential else {}
        document |= {
            repository_template(path): _settings(path, stack) | restricted for path, stack in child.stacks.items()
        }
        document |= {job.name: job_keywords(job, child.stacks) for job in child.jobs}
    else:
        document["stages"] = ["outcome"]
        ending = _ending(child)
        document[f"outcome: {ending.value}"] = {"extends": ".outcome", "script": [f"echo '{_SAID[ending]}'"]}
    header = _HEADER.format(key=origin.issue_key, pipeline=origin.pipeline, templates=TEMPLATES)
    return header + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120
    )


def _title(child: ChildPipeline) -> str:
    return "child" if child.jobs else _ending(child).value


def _ending(child: ChildPipeline) -> Ending:
    if child.ending is None:
        raise ValueError("A child pipeline without jobs has an ending.")
    return child.ending


def _settings(path: ProjectPath, stack: Stack) -> dict[str, Any]:
    """Return what all jobs of a repository share."""
    out: dict[str, Any] = {"image": stack.image}
    if stack.tags:
        out["tags"] = list(stack.tags)
    if stack.services:
        out["services"] = list(stack.services)
    out["timeout"] = stack.timeout
    if stack.cache_paths:
        out["cache"] = {"key": cache_key(path, stack), "paths": list(stack.cache_paths), "policy": "pull"}
    out["variables"] = {
        "BUG_FIX_REPOSITORY": path,
        **{name: _variable(value) for name, value in stack.variables.items()},
    }
    return out


def _variable(value: str) -> str | dict[str, object]:
    """Keep GitLab from expanding a value, unless it is a path below `$CI_PROJECT_DIR/`."""
    if "$" not in value.removeprefix("$CI_PROJECT_DIR/"):
        return value
    return {"value": value, "expand": False}
