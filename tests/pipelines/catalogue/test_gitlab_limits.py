"""What GitLab would refuse at the first ticket is refused when the catalogue is read, with its line and the cure."""

import pytest

from pipelines.catalogue.file import CatalogueError, read

HEAD = """\
version: 1
automation: {project: riverside/bug-fix}
jira: {project: RV, start: {allowed: ["group:developers"]}}
repositories:
"""
LONG_PATH = "riverside-holding/research-and-development/platform/backend/services/ledger-and-invoices-of-the-group"
LONG_IMAGE = f"registry.riverside.example/platform/images/{'x' * 80}/python@sha256:{'a' * 64}"


def refused(text: str) -> str:
    try:
        read(text, source="bug-fix.yml")
    except CatalogueError as error:
        return str(error)
    return ""


def one(project: str = "riverside/pay", stack: str = "python", **keys: str) -> str:
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    return f"{HEAD}  pay: {{project: {project}, stack: {stack}{more}}}\n"


def test_a_job_name_that_gitlab_can_not_hold_is_refused() -> None:
    assert refused(one(LONG_PATH)) == ""
    assert refused(one(image=LONG_IMAGE)) == ""
    said = refused(one(LONG_PATH, image=LONG_IMAGE))
    assert said.startswith("bug-fix.yml:5: repositories.pay.image: the name of this repository's prepare job has ")
    assert "GitLab takes 255" in said
    for_all = HEAD.replace("repositories:", f"stacks: {{python: {{image: '{LONG_IMAGE}'}}}}\nrepositories:")
    assert "GitLab takes 255" in refused(f"{for_all}  pay: {{project: {LONG_PATH}, stack: python}}\n")


@pytest.mark.parametrize(("length", "is_refused"), [(100, False), (110, True)])
def test_the_longer_name_of_a_windows_job_counts(length: int, *, is_refused: bool) -> None:
    image = "r.example/" + "x" * 85
    said = refused(one("riverside/" + "p" * (length - 10), "dotnet-framework", image=image))
    assert bool(said) is is_refused


@pytest.mark.parametrize(("count", "is_refused"), [(200, False), (201, True), (350, True)])
def test_more_repositories_than_a_matrix_has_jobs_are_refused(count: int, *, is_refused: bool) -> None:
    many = "".join(f"  r{number}: {{project: riverside/r{number}, stack: python}}\n" for number in range(count))
    said = refused(HEAD + many)
    assert said.startswith(f"bug-fix.yml:4: repositories: {count} are more than the 200 jobs") is is_refused


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"timeout": "720h"}, ""),
        ({"timeout": "720h 1s"}, "longer than GitLab lets a job run"),
        ({"timeout": "9999h"}, "longer than GitLab lets a job run"),
        ({"tags": f"[{', '.join(f't{number}' for number in range(50))}]"}, ""),
        ({"tags": f"[{', '.join(f't{number}' for number in range(51))}]"}, "51 tags are more than GitLab takes"),
    ],
)
def test_other_limits_of_a_job_are_known(keys: dict[str, str], words: str) -> None:
    said = refused(one(**keys))
    assert words in said if words else said == ""
