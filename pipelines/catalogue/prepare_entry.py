"""A repository's `prepare` job: its entry in the parent pipeline's matrix, its name, the cache that it fills. Pure.

GitLab names a job of a matrix after all values of its entry.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from pipelines.catalogue.stack_presets import PRESETS, Preset
from pipelines.language import ProjectPath
from pipelines.language.repository import Stack

_DIGITS: Final = 12
"""Hexadecimal digits by which caches are told apart."""


def entry(path: ProjectPath, stack: Stack) -> dict[str, str]:
    """Return a repository's entry; `IMAGE` is there only when it differs from the preset's, for a shorter name."""
    found = {"REPOSITORY": path, "STACK": str(stack.preset), "CACHE": _cache(path, stack)}
    if stack.image != PRESETS[Preset(stack.preset)].image:
        found["IMAGE"] = stack.image
    return found


def job_name(path: ProjectPath, stack: Stack) -> str:
    """Return the name that GitLab gives to a repository's job."""
    base = "prepare windows" if Preset(stack.preset) is Preset.DOTNET_FRAMEWORK else "prepare"
    return f"{base}: [{', '.join(entry(path, stack).values())}]"


def cache_key(path: ProjectPath, stack: Stack) -> str:
    """Return the key of a repository's cache, as templates/ci/phases.yml writes it: `$CI_JOB_NAME_SLUG-$CACHE`.

    The slug is for people: it is cut at 63 characters and has a dash for every other sign than letters and digits
    (lib/gitlab/utils.rb, slugify), so that repositories have the same. The hash tells them apart.
    """
    slug = re.sub(r"[^a-z0-9]", "-", job_name(path, stack).lower())[:63].strip("-")
    return f"{slug}-{_cache(path, stack)}"


def _cache(path: ProjectPath, stack: Stack) -> str:
    """Return what no other repository has; a path in another case is the same project."""
    meant = "\0".join([path.casefold(), str(stack.preset), stack.image])
    return hashlib.sha256(meant.encode()).hexdigest()[:_DIGITS]
