"""A hook is believed about its secret's projects; about an end, and what is new, only when GitLab says so too."""

import pytest
from msgspec.structs import replace

from pipelines.language import ProjectPath
from receiver.hooks.claims import Subject, doubted
from receiver.workflow import lifecycle
from receiver.workflow.effects import Confirm, SettleReports
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.pipeline_events import JobChanged, JobId, PipelineChanged, PipelineId
from receiver.workflow.lifecycle import WITHOUT_SESSION
from receiver.workflow.run import Verdict

AUTOMATION, CONTACTS = ProjectPath("payk12/bug-fix"), ProjectPath("payk12/contacts")
PIPELINE = PipelineChanged(
    project_id=1,
    project=CONTACTS,  # the sender's word
    pipeline=PipelineId(100),
    status="canceled",
    source="api",
    parent=None,
    url="",
    ref="main",
    sha="a" * 40,
    created_at=None,
    finished_at=None,
)
MERGED = MergeRequestChanged(
    project_id=2,
    project=CONTACTS,
    iid=1,
    action="merge",
    state="merged",
    source_branch="b",
    head_sha="e" * 40,
    actor_id=42,
    actor="mara",
    at=None,
)
JOB = JobChanged(
    project_id=1,
    project=CONTACTS,
    pipeline=PipelineId(101),
    job=JobId(7),
    name="testing: payk12/contacts",
    stage="testing",
    status="failed",
    allow_failure=False,
    failure_reason=None,
    queued_s=None,
    started_at=None,
    finished_at=None,
    duration_s=None,
)
OWN = Subject(project=AUTOMATION, state="running", iteration=2)
OPEN = Subject(project=CONTACTS, state="opened")


def test_a_hook_with_another_projects_secret_is_ignored_and_says_which_secret_is_missing() -> None:
    for status in ("running", "canceled"):
        decision = doubted(replace(PIPELINE, status=status), OWN, scopes=("payk12/contacts",))
        assert decision is not None
        assert (decision.verdict, decision.effects) == (Verdict.IGNORED, ())
        assert "about payk12/bug-fix, and its secret speaks for payk12/contacts only" in decision.reason


@pytest.mark.parametrize("status", lifecycle.STATUSES)
def test_an_end_of_a_pipeline_is_asked_for_and_all_else_is_believed(status: str) -> None:
    event = replace(PIPELINE, status=status)
    decision = doubted(event, OWN, scopes=("payk12",))
    assert (decision is not None) is lifecycle.is_over(status)
    assert decision is None or decision.effects == (Confirm(told=event),)


@pytest.mark.parametrize(
    ("told", "known", "asks"),
    [
        ("created", None, True),  # it could be any pipeline that names the run's as its parent
        ("canceled", None, True),
        ("canceled", "canceled", False),
        ("success", "failed", True),  # retried in GitLab
        ("failed", "success", False),  # late: it changes nothing
    ],
)
def test_a_pipeline_that_is_not_known_and_an_end_that_changes_something_are_asked_for(
    told: str, known: str | None, *, asks: bool
) -> None:
    decision = doubted(replace(PIPELINE, status=told), replace(OWN, state=known), scopes=("payk12",))
    assert (decision is not None) is asks


@pytest.mark.parametrize("status", lifecycle.STATUSES)
@pytest.mark.parametrize("known", [None, "running"])
def test_what_would_end_a_jobs_session_is_asked_for_with_the_reports_of_its_pipeline(
    status: str, known: str | None
) -> None:
    decision = doubted(replace(JOB, status=status), replace(OWN, state=known), scopes=("payk12",))
    assert (decision is not None) is (status in WITHOUT_SESSION)
    assert decision is None or decision.effects == (SettleReports(iteration=2, of_pipeline=(1, PipelineId(101))),)


def test_a_job_that_is_known_to_have_ended_is_not_asked_for_again() -> None:
    for status in WITHOUT_SESSION - {"success"}:
        assert doubted(replace(JOB, status=status), replace(OWN, state="success"), scopes=("payk12",)) is None


def test_a_repositorys_own_pipeline_ends_no_run() -> None:
    assert doubted(PIPELINE, Subject(project=CONTACTS, state="opened"), scopes=("payk12",)) is None


@pytest.mark.parametrize(
    ("state", "action", "known", "asks"),
    [
        ("merged", "merge", "opened", True),
        ("closed", "close", "opened", True),
        ("merged", "open", None, True),  # it is known by its branch only
        ("opened", "open", None, True),
        ("opened", "approved", None, True),
        ("merged", "update", "merged", False),
        ("merged", "merge", "closed", True),
        ("opened", "reopen", "closed", False),
        ("opened", "approved", "opened", False),
        ("locked", "update", "opened", False),
    ],
)
def test_a_merge_request_that_is_not_known_and_an_end_of_one_are_asked_for(
    state: str, action: str, known: str | None, *, asks: bool
) -> None:
    event = replace(MERGED, state=state, action=action)
    decision = doubted(event, replace(OPEN, state=known), scopes=("payk12/contacts",))
    assert (decision is not None) is asks
    assert decision is None or decision.effects == (Confirm(told=event),)


def test_a_delivery_of_an_older_version_speaks_for_all_but_not_for_an_end() -> None:
    assert doubted(replace(PIPELINE, status="running"), OWN, scopes=None) is None
    assert doubted(PIPELINE, OWN, scopes=None) is not None
