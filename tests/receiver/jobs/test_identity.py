"""Who a job is."""

import pytest
from msgspec.structs import replace

from receiver.jobs.identity import Claims, Expected, ForeignProjectError, IdentityError, check, check_starter

CLAIMS = Claims(
    jti="j",
    project_id="7",
    project_path="payk12/bug-fix",
    user_id="42",
    pipeline_id="100",
    pipeline_source="api",
    job_id="1000",
    ref="main",
    ref_type="branch",
    ref_protected="true",
    exp=2_000_000_000,
)
OURS = Expected(project_id=7, ref="main")


@pytest.mark.parametrize("source", ["api", "trigger", "parent_pipeline"])
def test_a_job_of_our_pipeline_passes(source: str) -> None:
    check(replace(CLAIMS, pipeline_source=source), OURS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"project_id": "8"}, "project"),
        ({"project_id": "07"}, "project"),
        ({"ref": "evil"}, "branch"),
        ({"ref_type": "tag"}, "branch"),
        ({"ref_protected": "false"}, "protected"),
        ({"ref_protected": "True"}, "protected"),
        ({"pipeline_source": "push"}, "not started"),
        ({"pipeline_source": "merge_request_event"}, "not started"),
        ({"pipeline_source": "schedule"}, "not started"),
        ({"job_id": "../1"}, "numbers"),
        ({"pipeline_id": "../1"}, "numbers"),
        ({"jti": ""}, "no id"),
    ],
)
def test_each_claim_that_does_not_fit_has_its_own_sentence(change: dict[str, str], says: str) -> None:
    with pytest.raises((ForeignProjectError, IdentityError), match=says):
        check(replace(CLAIMS, **change), OURS)


def test_only_whoever_started_the_pipeline_starts_its_jobs() -> None:
    check_starter(CLAIMS, 42)
    for user, starter in (("7", 42), ("42", None), ("", None), ("042", 42), ("None", None)):
        with pytest.raises(IdentityError, match="set it again"):
            check_starter(replace(CLAIMS, user_id=user), starter)
