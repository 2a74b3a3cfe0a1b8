"""Merge trains through the real python-gitlab client, with real pipelines; each fact of GitLab's with its source."""

from collections.abc import Callable
from typing import Any

import gitlab
import httpx2
import pytest

from tests.sandbox.ci.conftest import Running

pytestmark = pytest.mark.integration

TOGETHER = "test ! -f a.txt || test ! -f b.txt"
"""Green for each of two changes, red for both."""
CONFIG = """
check:
  script: [%s]
  rules: [{when: always}]
"""
Start = Callable[..., Running]


class Trains:
    """A project with merge trains, in GitLab Premium."""

    def __init__(self, running: Running, **settings: Any) -> None:
        self.running = running
        tier = httpx2.put(f"{running.url}/_sandbox/tier", json={"tier": "premium"}, timeout=60)
        tier.raise_for_status()
        project = running.project("mara")
        for name, value in {"merge_pipelines_enabled": True, "merge_trains_enabled": True, **settings}.items():
            setattr(project, name, value)
        project.save()

    def project(self, who: str = "mara") -> Any:
        return self.running.project(who)

    def request(self, iid: int, who: str = "mara") -> Any:
        return self.project(who).mergerequests.get(iid)

    def commit(self, branch: str, path: str, content: str = "x\n", **more: Any) -> Any:
        action = {"action": more.pop("action", "create"), "file_path": path, "content": content}
        made = self.project().commits.create(
            {"branch": branch, "commit_message": f"Add {path}", "actions": [action], **more}
        )
        self.running.settled()
        return made

    def propose(self, name: str, content: str = "x\n", path: str = "") -> int:
        """Open a merge request that adds a file, and let its pipeline run."""
        self.commit(name, path or f"{name}.txt", content, start_branch="main")
        data = {"source_branch": name, "target_branch": "main", "title": f"Add {name}"}
        return int(self.project().mergerequests.create(data).iid)

    def board(self, iid: int, who: str = "mara", **how: Any) -> Any:
        url = f"/projects/payk12%2Fbug-fix/merge_trains/merge_requests/{iid}"
        return self.running.client(who).http_post(url, post_data=how)

    def car(self, iid: int) -> Any:
        return self.running.client("mara").http_get(f"/projects/payk12%2Fbug-fix/merge_trains/merge_requests/{iid}")

    def refused(self, iid: int, who: str = "mara", **how: Any) -> tuple[int | None, str]:
        with pytest.raises(gitlab.GitlabError) as caught:
            self.board(iid, who, **how)
        return caught.value.response_code, str(caught.value.error_message)

    def notes(self, iid: int) -> list[str]:
        found = self.request(iid).notes.list(get_all=True, sort="asc", activity_filter="only_activity")
        return [one.body for one in found if "train" in one.body]

    def pipelines(self, iid: int) -> list[Any]:
        """Give the pipelines of a merge request's train ref, newest first."""
        return list(self.project().pipelines.list(ref=f"refs/merge-requests/{iid}/train", get_all=True))

    def hold(self) -> None:
        self.running.switch("hold", pattern="check")

    def release(self) -> None:
        self.running.switch("release", pattern="check")
        self.running.settled()


@pytest.fixture
def trains(start: Start) -> Trains:
    return Trains(start(CONFIG % TOGETHER))


def test_a_car_comes_in_when_the_pipeline_of_its_train_has_succeeded(trains: Trains) -> None:
    """doc/api/merge_trains.md: the answer is the train; EE's MergeTrains::Car for the states."""
    iid = trains.propose("a")
    main = trains.project().branches.get("main").commit["id"]
    trains.hold()
    (car,) = trains.board(iid)
    assert (car["status"], car["pipeline"], car["merged_at"]) == ("idle", None, None)
    assert (car["merge_request"]["iid"], car["user"]["username"], car["target_branch"]) == (iid, "mara", "main")
    trains.running.settled()
    car = trains.car(iid)
    ref = f"refs/merge-requests/{iid}/train"
    assert (car["status"], car["pipeline"]["ref"], car["pipeline"]["source"]) == ("fresh", ref, "merge_request_event")
    request = trains.request(iid)
    assert (request.state, request.merge_when_pipeline_succeeds) == ("opened", True)
    assert (request.merge_user["username"], request.merged_by) == ("mara", None)
    tested = trains.project().commits.get(car["pipeline"]["sha"])
    assert tested.parent_ids == [main, request.sha]
    trains.release()
    assert trains.request(iid).state == "merged"
    assert (trains.car(iid)["status"], trains.car(iid)["merged_at"] is not None) == ("merged", True)
    assert trains.project().files.raw("a.txt", ref="main") == b"x\n"
    assert trains.notes(iid) == ["started a merge train"]


def test_the_head_pipeline_on_a_train_is_the_trains_and_has_another_sha_than_the_head(trains: Trains) -> None:
    """app/models/merge_request.rb: `find_actual_head_pipeline` takes pipelines by `source_sha` too."""
    iid = trains.propose("a")
    assert trains.request(iid).head_pipeline["sha"] == trains.request(iid).sha
    trains.hold()
    trains.board(iid)
    trains.running.settled()
    request = trains.request(iid)
    assert request.head_pipeline["id"] == trains.car(iid)["pipeline"]["id"]
    assert request.head_pipeline["sha"] != request.sha


def test_each_car_is_tested_with_those_in_front_and_one_that_fails_is_dropped(trains: Trains) -> None:
    """EE's RefreshMergeRequestService: `the pipeline did not succeed`; the car is destroyed, so there is none."""
    first, second = trains.propose("a"), trains.propose("b")
    trains.hold()
    trains.board(first)
    trains.running.settled()
    assert [car["merge_request"]["iid"] for car in trains.board(second)] == [first, second]
    trains.running.settled()
    trains.release()
    assert (trains.request(first).state, trains.request(second).state) == ("merged", "opened")
    page = f"{trains.running.url}/help/ci/pipelines/merge_trains.md#merge-request-dropped-from-the-merge-train"
    assert trains.notes(second) == [
        "added this merge request to the merge train at position 2",
        f"removed this merge request from the merge train because the pipeline did not succeed. [Learn more]({page}).",
    ]
    assert trains.request(second).merge_when_pipeline_succeeds is False
    with pytest.raises(gitlab.GitlabHttpError) as gone:
        trains.car(second)
    assert gone.value.error_message == "404 Merge Train Merge Request Not Found"


def test_those_behind_a_car_that_leaves_are_tested_anew_without_it(trains: Trains) -> None:
    """doc/ci/pipelines/merge_trains.md: the pipelines behind it restart; the old ones are canceled."""
    first, second = trains.propose("a"), trains.propose("b")
    trains.hold()
    for iid in (first, second):
        trains.board(iid)
        trains.running.settled()
    assert trains.request(first).cancel_merge_when_pipeline_succeeds() == {"status": "success"}
    trains.release()
    assert trains.notes(first)[-1] == "removed this merge request from the merge train"
    assert (trains.request(first).state, trains.request(second).state) == ("opened", "merged")
    assert [one.status for one in trains.pipelines(second)] == ["success", "canceled"]
    with pytest.raises(gitlab.GitlabMROnBuildSuccessError) as nothing:
        trains.request(first).cancel_merge_when_pipeline_succeeds()
    assert nothing.value.response_code == 406


def test_a_commit_to_the_target_that_came_by_no_train_has_all_cars_tested_anew(trains: Trains) -> None:
    """EE's MergeTrains::CheckStatusService."""
    iid = trains.propose("a")
    trains.hold()
    trains.board(iid)
    trains.running.settled()
    foreign = trains.commit("main", "foreign.txt")
    newest, old = trains.pipelines(iid)
    assert old.status == "canceled"
    assert trains.project().commits.get(newest.sha).parent_ids[0] == foreign.id
    trains.release()
    assert trains.request(iid).state == "merged"


def test_a_push_to_the_source_takes_a_merge_request_from_its_train(trains: Trains) -> None:
    """MergeRequests::RefreshService#abort_auto_merges."""
    iid = trains.propose("a")
    trains.hold()
    trains.board(iid)
    trains.running.settled()
    trains.commit("a", "more.txt")
    assert trains.notes(iid)[-1] == "removed this merge request from the merge train because source branch was updated"
    assert [one.status for one in trains.pipelines(iid)] == ["canceled"]


def test_a_draft_and_a_closed_one_leave_their_train(trains: Trains) -> None:
    """EE's RefreshMergeRequestService: `validate_merge_request!`."""
    for name, change, why in (
        ("a", {"title": "Draft: Add a"}, "the merge request is marked as draft."),
        ("c", {"state_event": "close"}, "the merge request is closed."),
    ):
        iid = trains.propose(name)
        trains.hold()
        trains.board(iid)
        trains.running.settled()
        request = trains.request(iid)
        for field, value in change.items():
            setattr(request, field, value)
        request.save()
        trains.release()
        assert why in trains.notes(iid)[-1]


def test_a_conflict_with_a_car_in_front_is_found_when_the_train_is_made(trains: Trains) -> None:
    """RefreshMergeRequestService#pipeline_creation_error, which frames what Gitaly says."""
    first, second = trains.propose("a", "one\n", "same.txt"), trains.propose("b", "two\n", "same.txt")
    trains.hold()
    for iid in (first, second):
        trains.board(iid)
        trains.running.settled()
    assert trains.car(first)["status"] == "fresh"
    assert "because the merge train pipeline could not be prepared: " in trains.notes(second)[-1]
    assert trains.request(second).detailed_merge_status == "mergeable"


def test_a_fast_forward_train_brings_the_very_commits_that_were_tested(start: Start) -> None:
    """RefreshMergeRequestService#merge_from_train_ref?: MergeStrategies::FromTrainRef for `ff` and `rebase_merge`."""
    trains = Trains(start(CONFIG % "echo fine"), merge_method="ff")
    first, second = trains.propose("a"), trains.propose("b")
    trains.hold()
    for iid in (first, second):
        trains.board(iid)
        trains.running.settled()
    tested = trains.car(second)["pipeline"]["sha"]
    trains.release()
    assert (trains.request(first).state, trains.request(second).state) == ("merged", "merged")
    assert trains.project().branches.get("main").commit["id"] == tested
    assert trains.request(second).merge_commit_sha is None
    assert [one.title for one in trains.project().commits.list(ref_name="main", get_all=True)][:2] == [
        "Add b.txt",
        "Add a.txt",
    ]


def test_a_semi_linear_train_rebases_and_merges(start: Start) -> None:
    """EE's CreateRefService: rebased onto what is in front, then a merge commit."""
    trains = Trains(start(CONFIG % "echo fine"), merge_method="rebase_merge")
    first, second = trains.propose("a"), trains.propose("b")
    trains.hold()
    for iid in (first, second):
        trains.board(iid)
        trains.running.settled()
    trains.release()
    commits = trains.project().commits
    merge = commits.get("main")
    front, rebased = (commits.get(one) for one in merge.parent_ids)
    assert (merge.title, front.title) == ("Merge branch 'b' into 'main'", "Merge branch 'a' into 'main'")
    assert (rebased.title, rebased.parent_ids) == ("Add b.txt", [front.id])


def test_who_may_and_when(trains: Trains) -> None:
    """ee/lib/api/merge_trains.rb and AddMergeRequestService: the order of refusals."""
    iid = trains.propose("a")
    head = trains.request(iid).sha
    wrong = "0" * 40
    assert trains.refused(iid, "tomas", sha=wrong) == (409, f"SHA does not match HEAD of source branch: {head}")
    assert trains.refused(iid, "tomas")[0] == 401
    trains.hold()
    trains.board(iid, sha=head)
    assert trains.refused(iid) == (409, "Merge request is already set to Auto-Merge")
    untested = trains.propose("b")
    assert trains.refused(untested) == (400, "400 Bad request - No available merge train strategy")
    project = trains.project()
    project.merge_trains_enabled = False
    project.save()
    assert trains.refused(untested) == (400, "400 Bad request - Merge trains are not enabled for this project")


def test_trains_are_premium(trains: Trains) -> None:
    """doc/ci/pipelines/merge_trains.md; the settings aren't told in the free tier."""
    iid = trains.propose("a")
    assert trains.project().merge_trains_enabled is True
    httpx2.put(f"{trains.running.url}/_sandbox/tier", json={"tier": "free"}, timeout=60).raise_for_status()
    assert not hasattr(trains.project(), "merge_trains_enabled")
    assert trains.refused(iid)[0] == 400


def test_cars_are_listed_by_train_and_by_whether_they_have_come_in(trains: Trains) -> None:
    """doc/api/merge_trains.md: `scope` is `active` or `complete`."""
    done = trains.propose("a")
    trains.board(done)
    trains.running.settled()
    waiting = trains.propose("c")
    trains.hold()
    trains.board(waiting)
    trains.running.settled()

    def iids(**how: str) -> list[int]:
        return [one.merge_request["iid"] for one in trains.project().merge_trains.list(get_all=True, **how)]

    assert (iids(), iids(sort="asc")) == ([waiting, done], [done, waiting])
    assert (iids(scope="active"), iids(scope="complete")) == ([waiting], [done])
    url = "/projects/payk12%2Fbug-fix/merge_trains/main"
    assert len(trains.running.client("mara").http_list(url, get_all=True)) == 2


def test_the_hook_of_a_trains_pipeline_names_the_source_branch_and_the_merge_request(trains: Trains) -> None:
    """lib/gitlab/data_builder/pipeline.rb: `ref: pipeline.source_ref`, `merge_request`."""
    iid = trains.propose("a")
    trains.board(iid)
    trains.running.settled()
    told = trains.running.events("pipeline")
    of_train = [one for one in told if one["object_attributes"]["source"] == "merge_request_event"]
    assert {one["object_attributes"]["ref"] for one in of_train} == {"a"}
    assert {one["merge_request"]["iid"] for one in of_train} == {iid}
    assert of_train[-1]["object_attributes"]["status"] == "success"


def test_jobs_see_the_merge_request_in_their_variables(start: Start) -> None:
    """doc/ci/variables/predefined_variables.md, for merge request pipelines."""
    names = "$CI_MERGE_REQUEST_IID $CI_MERGE_REQUEST_EVENT_TYPE $CI_COMMIT_REF_NAME [$CI_COMMIT_BRANCH]"
    trains = Trains(start(CONFIG % f'"echo seen {names}"'))
    iid = trains.propose("a")
    trains.board(iid)
    trains.running.settled()
    (pipeline,) = trains.pipelines(iid)
    (job,) = trains.project().pipelines.get(pipeline.id).jobs.list(get_all=True)
    log = trains.project().jobs.get(job.id).trace().decode()
    assert f"seen {iid} merge_train a []" in log


def test_jobs_without_rules_are_for_branches_and_tags_only(start: Start) -> None:
    """doc/ci/yaml: without `rules` a job has `only: [branches, tags]`, unless the workflow has rules."""
    trains = Trains(start("check: {script: ['true']}"))
    iid = trains.propose("a")
    trains.board(iid)
    trains.running.settled()
    assert trains.request(iid).state == "opened"
    assert "could not be prepared: Pipeline will not run for the selected trigger" in trains.notes(iid)[-1]
