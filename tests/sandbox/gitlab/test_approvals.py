"""Approvals through the real python-gitlab client, as the free tier has them."""

from typing import Any

import gitlab
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def request_of_bot(emulated: Any) -> Any:
    project = emulated.client().projects.get("payk12/contacts")
    project.commits.create(
        {
            "branch": "fix",
            "start_branch": "main",
            "commit_message": "Fix it",
            "actions": [{"action": "update", "file_path": "src/contacts.py", "content": "fixed\\n"}],
        }
    )
    return project.mergerequests.create({"source_branch": "fix", "target_branch": "main", "title": "Fix it"})


def as_seen_by(emulated: Any, who: str, request: Any) -> Any:
    return emulated.client(who).projects.get("payk12/contacts").mergerequests.get(request.iid)


def test_a_developer_approves_once_and_takes_it_back(emulated: Any, request_of_bot: Any) -> None:
    as_seen_by(emulated, "mara", request_of_bot).approve(sha=request_of_bot.sha)
    told = emulated.receiver.wait_for("Merge Request Hook", 2)[-1].json()
    assert (told["object_attributes"]["action"], told["user"]["username"]) == ("approved", "mara")
    approvals = request_of_bot.approvals.get()
    assert [one["user"]["username"] for one in approvals.approved_by] == ["mara"]
    assert approvals.approved is True
    with pytest.raises(gitlab.GitlabAuthenticationError):
        as_seen_by(emulated, "mara", request_of_bot).approve()
    as_seen_by(emulated, "mara", request_of_bot).unapprove()
    assert request_of_bot.approvals.get().approved_by == []
    assert emulated.receiver.wait_for("Merge Request Hook", 3)[-1].json()["object_attributes"]["action"] == "unapproved"


def test_another_head_than_the_one_that_was_seen_is_not_approved(emulated: Any, request_of_bot: Any) -> None:
    with pytest.raises(gitlab.GitlabMRApprovalError) as refused:
        as_seen_by(emulated, "mara", request_of_bot).approve(sha="f" * 40)
    assert refused.value.response_code == 409


def test_who_is_no_developer_does_not_approve(emulated: Any, request_of_bot: Any) -> None:
    with pytest.raises(gitlab.GitlabAuthenticationError):
        as_seen_by(emulated, "starter", request_of_bot).approve()


def test_the_free_tier_takes_one_reviewer_and_a_paid_one_all(emulated: Any, request_of_bot: Any) -> None:
    ids = [one.id for one in emulated.client("root").users.list(get_all=True)][:3]
    manager = emulated.client().projects.get("payk12/contacts").mergerequests

    def reviewers() -> list[int]:
        manager.update(request_of_bot.iid, {"reviewer_ids": ids})
        return [one["id"] for one in manager.get(request_of_bot.iid).reviewers]

    assert reviewers() == ids[:1]
    emulated.state.tier = type(emulated.state.tier).PREMIUM
    assert reviewers() == ids


def test_each_head_of_a_merge_request_is_listed_newest_first_and_an_approval_stays(
    emulated: Any, request_of_bot: Any
) -> None:
    as_seen_by(emulated, "mara", request_of_bot).approve()
    pushed = (
        emulated.client()
        .projects.get("payk12/contacts")
        .commits.create(
            {
                "branch": "fix",
                "commit_message": "Fix it again",
                "actions": [{"action": "update", "file_path": "src/contacts.py", "content": "again\\n"}],
            }
        )
    )
    versions = request_of_bot.diffs.list(get_all=True)
    assert [one.head_commit_sha for one in versions] == [pushed.id, request_of_bot.sha]
    assert versions[0].created_at > versions[1].created_at
    assert request_of_bot.approvals.get().approved is True
