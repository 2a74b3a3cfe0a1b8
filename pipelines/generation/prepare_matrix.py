"""The matrix of the parent pipeline's `prepare` jobs. Pure."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from pipelines.catalogue.prepare_entry import entry
from pipelines.language import ProjectPath
from pipelines.language.catalogue import Catalogue

NONE: Final = ({"REPOSITORY": "none", "STACK": "none", "CACHE": "none"},)
"""The input of a parent pipeline that prepares nothing: GitLab takes no empty matrix, and no rule fits this entry."""


def matrix(catalogue: Catalogue, *, readable: Container[ProjectPath]) -> list[dict[str, str]]:
    """Return the `prepare` input of the parent pipeline, in the catalogue's order: of repositories that can be read."""
    found = [entry(path, one.stack) for path, one in catalogue.repositories.items() if path in readable]
    return found or list(NONE)
