"""The `prepare` jobs of the parent pipeline: its matrix, their names, the cache that each fills. Pure."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from pipelines.catalogue.stack_presets import PRESETS, Preset
from pipelines.language import ProjectPath
from pipelines.language.catalogue import Catalogue, Stack

NONE: Final = ({"REPOSITORY": "none", "STACK": "none"},)
"""The input of a parent pipeline that prepares nothing: GitLab takes no empty matrix, and no rule fits this entry."""


def matrix(catalogue: Catalogue, *, readable: Container[ProjectPath]) -> list[dict[str, str]]:
    """Return the `prepare` input of the parent pipeline, in the catalogue's order: of repositories that can be read.

    `IMAGE` is there only when it differs from the preset's, because GitLab names a job after all of its entry's values.
    """
    found = [_entry(path, one.stack) for path, one in catalogue.repositories.items() if path in readable]
    return found or list(NONE)


def _entry(path: ProjectPath, stack: Stack) -> dict[str, str]:
    entry = {"REPOSITORY": path, "STACK": str(stack.preset)}
    if stack.image != PRESETS[Preset(stack.preset)].image:
        entry["IMAGE"] = stack.image
    return entry


def job_name(path: ProjectPath, stack: Stack) -> str:
    """Return the name that GitLab gives to a repository's job."""
    base = "prepare windows" if Preset(stack.preset) is Preset.DOTNET_FRAMEWORK else "prepare"
    return f"{base}: [{', '.join(_entry(path, stack).values())}]"


def cache_key(path: ProjectPath, stack: Stack) -> str:
    """Return the key of the cache that a repository's `prepare` job writes: its `CI_JOB_NAME_SLUG`.

    Lowercase, all but letters and digits a dash, 63 characters, no dash at either end (lib/gitlab/utils.rb, slugify).
    """
    return re.sub(r"[^a-z0-9]", "-", job_name(path, stack).lower())[:63].strip("-")
