"""What GitLab refuses for sure when a pipeline is made, said when the catalogue is read. Pure.

https://docs.gitlab.com/administration/cicd/limits/ and https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipelines.catalogue.prepare_entry import job_name
from pipelines.catalogue.yaml_lines import Path
from pipelines.language.catalogue import Catalogue
from pipelines.language.repository import Repository

JOB_NAME: Final = 255
"""Characters of a job's name."""
MATRIX: Final = 200
"""Jobs of a `parallel: matrix`."""
TAGS: Final = 50
"""Tags of a job."""
TIMEOUT_S: Final = 30 * 24 * 3600
"""Of one job: a month."""
_SECONDS: Final = {"h": 3600, "m": 60, "s": 1}


def past_limits(catalogue: Catalogue) -> Iterator[tuple[Path, str]]:
    """Yield what GitLab would refuse, with its place in the file."""
    if len(catalogue.repositories) > MATRIX:
        count = len(catalogue.repositories)
        sentence = f"{count} are more than the {MATRIX} jobs that GitLab makes of a matrix; use two automation projects"
        yield ("repositories",), sentence
    for repository in catalogue.repositories.values():
        yield from _of_one(repository)


def _of_one(repository: Repository) -> Iterator[tuple[Path, str]]:
    here, stack = ("repositories", repository.key), repository.stack
    name = job_name(repository.project, stack)
    if len(name) > JOB_NAME:
        sentence = f"the name of this repository's prepare job has {len(name)} characters, and GitLab takes {JOB_NAME}"
        yield (*here, "image"), f"{sentence}; give the image a shorter address"
    if len(stack.tags) > TAGS:
        yield (*here, "tags"), f"{len(stack.tags)} tags are more than GitLab takes for a job, {TAGS}"
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"([0-9]+)([hms])", stack.timeout))
    if seconds > TIMEOUT_S:
        yield (*here, "timeout"), f"{stack.timeout} is longer than GitLab lets a job run, a month (720h)"
