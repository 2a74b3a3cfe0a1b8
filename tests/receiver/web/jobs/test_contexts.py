"""What analysis says of a repository at a commit is kept once, for all jobs and runs that work on that commit."""

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.language import Phase, ProjectPath
from pipelines.language.repository_context import MAX_CONTEXT, RepositoryContext
from pipelines.language.wire import RunSpec, decode, encode

pytestmark = pytest.mark.integration

Jobs = Callable[..., Any]

CONTACTS = ProjectPath("payk12/contacts")


def a_context(**changes: Any) -> bytes:
    facts: dict[str, Any] = {
        "repository": CONTACTS,
        "commit": "a" * 40,
        "languages": {".py": 3},
        "tree": ["README.md"],
        "tree_left_out": 0,
        "readme": "# Contacts",
        "documents": {},
        "manifests": {},
        "outline": {},
        "test_setup": {},
        "tests": [],
    }
    return encode(RepositoryContext(**(facts | changes)))


def test_the_first_one_of_a_commit_stays_and_jobs_are_told_it(jobs: Jobs, desk: Any) -> None:
    analysis = jobs(Phase.ANALYSIS)
    assert decode(analysis.spec().content, RunSpec).contexts == {}
    assert analysis.context(a_context()).status_code == 201
    assert analysis.context(a_context(readme="changed")).status_code == 200
    told = decode(jobs(Phase.ANALYSIS).spec().content, RunSpec).contexts
    assert told[CONTACTS].readme == "# Contacts"
    assert desk.one("SELECT count(*) FROM contexts") == 1


def test_a_file_with_a_nul_in_it_is_told_without(jobs: Jobs) -> None:
    analysis = jobs(Phase.ANALYSIS)
    assert analysis.context(a_context(readme="a\0b", tree=["a\0b"])).status_code == 201
    told = decode(analysis.spec().content, RunSpec).contexts[CONTACTS]
    assert (told.readme, told.tree) == ("a\N{REPLACEMENT CHARACTER}b", ["a\N{REPLACEMENT CHARACTER}b"])


def test_a_document_that_another_version_built_is_not_told(jobs: Jobs) -> None:
    analysis = jobs(Phase.ANALYSIS)
    assert analysis.context(a_context(version=0)).status_code == 201
    assert decode(analysis.spec().content, RunSpec).contexts == {}


def test_a_job_without_an_agent_is_told_none(jobs: Jobs) -> None:
    jobs(Phase.ANALYSIS).context(a_context())
    assert decode(jobs(Phase.PREPARE).spec().content, RunSpec).contexts == {}


@pytest.mark.parametrize(
    ("phase", "changes"),
    [
        (Phase.PREPARE, {}),
        (Phase.REPRODUCTION, {}),
        (Phase.MERGE_REQUEST, {}),
        (Phase.ANALYSIS, {"repository": "payk12/other"}),
        (Phase.ANALYSIS, {"commit": "b" * 40}),
    ],
)
def test_only_analysis_may_say_it_and_only_of_the_runs_commits(
    phase: Phase, changes: dict[str, Any], jobs: Jobs, desk: Any
) -> None:
    assert jobs(phase).context(a_context(**changes)).status_code == 403
    assert desk.one("SELECT count(*) FROM contexts") == 0
    assert len(desk.refusals()) == 1


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b'{"repository": 1}', 400), (b" " * (MAX_CONTEXT + 1), 413)]
)
def test_what_is_no_context_is_refused(body: bytes, status: int, jobs: Jobs) -> None:
    assert jobs(Phase.ANALYSIS).context(body).status_code == status
