"""Reverting commits and merges through the real python-gitlab client, each fact of GitLab's with its source."""

from typing import Any

import gitlab
import pytest

from tests.sandbox.gitlab.conftest import Proposal, lines

pytestmark = pytest.mark.integration


def revert(proposal: Proposal, sha: str, who: str = "mara", **how: Any) -> Any:
    return proposal.project(who).commits.get(sha).revert(**{"branch": "main", **how})


def post(proposal: Proposal, sha: str, who: str = "mara", **how: Any) -> Any:
    """Revert with parameters that python-gitlab's method doesn't have."""
    url = f"/projects/payk12%2Fcontacts/repository/commits/{sha}/revert"
    return proposal.emulated.client(who).http_post(url, post_data={"branch": "main", **how})


def refused(proposal: Proposal, sha: str, who: str = "mara", **how: Any) -> Any:
    with pytest.raises(gitlab.GitlabError) as caught:
        post(proposal, sha, who, **how)
    return caught.value


def merged(proposal: Proposal) -> str:
    proposal.seen_by("mara").merge()
    return str(proposal.seen_by().merge_commit_sha)


def test_reverting_a_merge_takes_back_all_that_it_brought_and_names_the_merge_request(proposal: Proposal) -> None:
    """app/models/commit.rb: `revert_message`; of a merge commit the first parent is what stays."""
    proposal.commit("x\n", path="x.txt", action="create")
    sha = merged(proposal)
    told = len(proposal.hooks("Push Hook"))
    made = revert(proposal, sha)
    title = "Revert \"Merge branch 'fix' into 'main'\""
    assert (made["title"], made["message"]) == (title, f"{title}\n\nThis reverts merge request !1")
    assert (made["parent_ids"], made["author_name"]) == ([sha], "Mara Lindqvist")
    assert proposal.project().files.raw(proposal.file, ref="main").decode() == lines()
    assert "x.txt" not in [one["name"] for one in proposal.project().repository_tree(ref="main", get_all=True)]
    (pushed,) = proposal.hooks("Push Hook")[told:]
    assert (pushed["ref"], pushed["after"]) == ("refs/heads/main", made["id"])


def test_reverting_a_commit_names_the_commit(proposal: Proposal) -> None:
    """app/models/commit.rb: `revert_description`."""
    commit = proposal.commit("x\n", who="mara", branch="main", path="x.txt", action="create")
    proposal.commit("y\n", who="mara", branch="main", path="y.txt", action="create")
    made = revert(proposal, commit.id)
    assert made["message"] == f'Revert "Change lines"\n\nThis reverts commit {commit.id}'
    names = [one["name"] for one in proposal.project().repository_tree(ref="main", get_all=True)]
    assert ("x.txt" in names, "y.txt" in names) == (False, True)


def test_a_merge_that_was_a_fast_forward_is_reverted_commit_by_commit(proposal: Proposal) -> None:
    """Commit#merged_merge_request looks for `merge_commit_sha`, which a fast-forward leaves empty."""
    project = proposal.project("mara")
    project.merge_method = "ff"
    project.save()
    proposal.seen_by("mara").merge()
    head = proposal.seen_by().sha
    assert revert(proposal, head)["message"].endswith(f"This reverts commit {head}")


def test_what_was_reverted_already_or_changed_since_cannot_be_reverted(proposal: Proposal) -> None:
    """Commits::ChangeService: one sentence for both, and `error_code` tells them apart."""
    sha = merged(proposal)
    revert(proposal, sha)
    sentence = (
        "Sorry, we cannot revert this {0} automatically. This {0} may already have been reverted, "
        "or a more recent commit may have updated some of its content."
    )
    again = refused(proposal, sha)
    assert (again.response_code, again.error_message) == (400, sentence.format("merge request"))
    assert b'"error_code":"empty"' in again.response_body
    commit = proposal.commit(lines(l3="drei"), who="mara", branch="main")
    proposal.commit(lines(l3="tres"), who="mara", branch="main")
    changed = refused(proposal, commit.id)
    assert changed.error_message == sentence.format("commit")
    assert b'"error_code":"conflict"' in changed.response_body


def test_a_dry_run_commits_nothing(proposal: Proposal) -> None:
    """lib/api/commits.rb: `dry_run` answers `success`, or `error` with the reason."""
    sha = merged(proposal)
    assert post(proposal, sha, dry_run=True) == {"dry_run": "success"}
    assert proposal.project().branches.get("main").commit["id"] == sha
    revert(proposal, sha)
    assert b'"dry_run":"error"' in refused(proposal, sha, dry_run=True).response_body


def test_who_may_revert_and_what_must_be_there(proposal: Proposal) -> None:
    """lib/api/commits.rb: `authorize_push_to_branch!`, then the commit, then the branch."""
    sha = merged(proposal)
    forbidden = refused(proposal, sha, "tomas")
    message = "403 Forbidden - You are not allowed to push into this branch"
    assert (forbidden.response_code, forbidden.error_message) == (403, message)
    assert refused(proposal, "0" * 40).error_message == "404 Commit Not Found"
    assert refused(proposal, sha, branch="nowhere").error_message == "404 Branch Not Found"
    assert post(proposal, proposal.seen_by().sha, "tomas", branch="fix")["title"] == 'Revert "Change lines"'
