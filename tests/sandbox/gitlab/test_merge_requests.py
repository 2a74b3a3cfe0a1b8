"""Branches, commits and merge requests through the real python-gitlab client."""

import base64
import hashlib
import subprocess
from pathlib import Path
from typing import Any

import gitlab
import pytest

pytestmark = pytest.mark.integration


def change(project: Any, branch: str = "bug-fix/PL-479-x", content: str = "fixed\n") -> Any:
    return project.commits.create(
        {
            "branch": branch,
            "start_branch": "main",
            "commit_message": "Fix it\n\nBecause.",
            "author_name": "Bug-Fix",
            "author_email": "bug-fix@example.org",
            "actions": [{"action": "update", "file_path": "src/contacts.py", "content": content}],
        }
    )


@pytest.fixture
def project(emulated: Any) -> Any:
    return emulated.client().projects.get("payk12/contacts")


def test_the_client_reads_user_and_project(emulated: Any) -> None:
    client = emulated.client()
    client.auth()
    assert client.user.username == "bug-fix-bot"
    project = client.projects.get("payk12/contacts")
    assert client.projects.get(project.id).path_with_namespace == "payk12/contacts"
    assert [one.username for one in client.users.list(username="mara")] == ["mara"]


def test_a_commit_by_the_api_is_a_real_commit_on_a_new_branch(project: Any) -> None:
    commit = change(project)
    assert commit.title == "Fix it"
    assert commit.author_email == "bug-fix@example.org"
    assert commit.stats == {"additions": 1, "deletions": 2, "total": 3}
    branch = project.branches.get("bug-fix/PL-479-x")
    assert branch.commit["id"] == commit.id
    assert branch.protected is False
    assert project.files.get("src/contacts.py", ref="bug-fix/PL-479-x").decode() == b"fixed\n"
    assert project.files.raw("src/contacts.py", ref="main").startswith(b"def save")


def test_all_actions_make_the_tree_they_say(project: Any) -> None:
    binary = bytes(range(256))
    project.commits.create(
        {
            "branch": "all",
            "start_branch": "main",
            "commit_message": "All",
            "actions": [
                {
                    "action": "create",
                    "file_path": "a/b.bin",
                    "content": base64.b64encode(binary).decode(),
                    "encoding": "base64",
                },
                {"action": "move", "file_path": "lib/contacts.py", "previous_path": "src/contacts.py"},
                {"action": "chmod", "file_path": "run.sh", "execute_filemode": False},
            ],
        }
    )
    assert project.files.raw("a/b.bin", ref="all") == binary
    tree = {one["path"]: one["mode"] for one in project.repository_tree(ref="all", recursive=True, get_all=True)}
    assert "src/contacts.py" not in tree
    assert tree["lib/contacts.py"] == "100644"
    assert tree["run.sh"] == "100644"
    project.commits.create(
        {"branch": "all", "commit_message": "No", "actions": [{"action": "delete", "file_path": "a/b.bin"}]}
    )
    with pytest.raises(gitlab.GitlabGetError, match="404 File Not Found"):
        project.files.get("a/b.bin", ref="all")


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ({"action": "create", "file_path": "run.sh", "content": ""}, "already exists"),
        ({"action": "update", "file_path": "nope", "content": ""}, "doesn't exist"),
        ({"action": "delete", "file_path": "nope"}, "doesn't exist"),
        ({"action": "create", "file_path": "../x", "content": ""}, "invalid path"),
        ({"action": "create", "file_path": ".git/config", "content": ""}, "invalid path"),
        ({"action": "create", "file_path": "x", "content": "!", "encoding": "base64"}, "base64"),
        ({"action": "explode", "file_path": "x"}, "Invalid enum value"),
        ({"action": "chmod", "file_path": "run.sh"}, "execute_filemode"),
        ({"action": "create", "file_path": "x", "content": "", "execute_filemode": True}, "execute_filemode"),
        ({"action": "update", "file_path": "run.sh", "content": "", "execute_filemode": False}, "execute_filemode"),
    ],
)
def test_an_impossible_action_changes_nothing(project: Any, action: dict[str, Any], sentence: str) -> None:
    data = {"branch": "no", "start_branch": "main", "commit_message": "No", "actions": [action]}
    with pytest.raises(gitlab.GitlabCreateError, match=sentence):
        project.commits.create(data)
    assert [one.name for one in project.branches.list(get_all=True)] == ["main"]


def test_an_action_finds_what_the_actions_before_it_left(project: Any) -> None:
    actions = [
        {"action": "create", "file_path": "new.sh", "content": "x"},
        {"action": "chmod", "file_path": "new.sh", "execute_filemode": True},
        {"action": "delete", "file_path": "run.sh"},
        {"action": "create", "file_path": "run.sh", "content": "y"},
    ]
    project.commits.create({"branch": "held", "start_branch": "main", "commit_message": "In turn", "actions": actions})
    found = {one["path"]: one["mode"] for one in project.repository_tree(ref="held", get_all=True)}
    assert (found["new.sh"], found["run.sh"]) == ("100755", "100644")


def test_without_a_start_a_commit_is_made_on_whatever_the_branch_stands_on(project: Any) -> None:
    """No head that is expected can be given; only the answer's parents say onto what the commit was made."""
    first = change(project)
    action = {"action": "create", "file_path": "theirs", "content": ""}
    theirs = project.commits.create({"branch": "bug-fix/PL-479-x", "commit_message": "Theirs", "actions": [action]})
    actions = [{"action": "update", "file_path": "src/contacts.py", "content": "better\n"}]
    ours = project.commits.create({"branch": "bug-fix/PL-479-x", "commit_message": "Ours", "actions": actions})
    assert (theirs.parent_ids, ours.parent_ids) == ([first.id], [theirs.id])
    with pytest.raises(gitlab.GitlabCreateError, match="already exists"):
        change(project)


def test_a_file_that_changed_since_the_commit_that_a_client_names_is_not_touched(project: Any) -> None:
    first = change(project)
    assert project.files.get("src/contacts.py", ref="bug-fix/PL-479-x").last_commit_id == first.id
    before = project.files.get("run.sh", ref="bug-fix/PL-479-x").last_commit_id
    data = {"branch": "bug-fix/PL-479-x", "commit_message": "Twice"}
    update = {"action": "update", "file_path": "src/contacts.py", "content": "x", "last_commit_id": first.id}
    project.commits.create({**data, "actions": [update]})
    mode = {"action": "chmod", "file_path": "run.sh", "execute_filemode": False, "last_commit_id": before}
    for action in (update, {**update, "action": "delete"}):
        with pytest.raises(gitlab.GitlabCreateError, match=r"changed since you started editing it: src/contacts\.py"):
            project.commits.create({**data, "actions": [mode, action]})
    project.commits.create({**data, "actions": [mode]})


def test_a_commit_without_actions_is_made_only_when_it_is_asked_for(project: Any) -> None:
    first = change(project)
    data = {"branch": "bug-fix/PL-479-x", "commit_message": "Nothing", "actions": []}
    with pytest.raises(gitlab.GitlabCreateError, match="set allow_empty to true"):
        project.commits.create(data)
    empty = project.commits.create({**data, "allow_empty": True})
    assert (empty.parent_ids, empty.diff(get_all=True)) == ([first.id], [])


def test_an_update_keeps_the_mode_and_a_symbolic_link_stays_one(emulated: Any, project: Any) -> None:
    entries = {one["path"]: one["mode"] for one in project.repository_tree(ref="main", get_all=True)}
    assert entries["run.sh"] == "100755"
    actions = [{"action": "update", "file_path": name, "content": "x"} for name in ("run.sh", "latest")]
    repository = emulated.state.projects[project.id].repository
    link(repository)
    data = {"branch": "held", "start_branch": "main", "commit_message": "Update", "actions": actions}
    project.commits.create(data)
    found = {one["path"]: (one["mode"], one["id"]) for one in project.repository_tree(ref="held", get_all=True)}
    blob = hashlib.sha1(b"blob 1\0x", usedforsecurity=False).hexdigest()
    assert (found["run.sh"], found["latest"]) == (("100755", blob), ("120000", blob))


def link(repository: Path) -> None:
    """Commit a symbolic link named `latest` to main."""

    def git(*arguments: str, given: str = "") -> str:
        command = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, input=given).stdout.strip()

    target = git("hash-object", "-w", "--stdin", given="README.md")
    tree = git("mktree", given=f"{git('ls-tree', 'main')}\n120000 blob {target}\tlatest\n")
    git("update-ref", "refs/heads/main", git("commit-tree", tree, "-p", "main", "-m", "Link"))


def test_large_commits_are_slowed_down(project: Any) -> None:
    content = "x" * 20_000_001
    action = {"action": "create", "file_path": "large", "content": content}
    data = {"start_branch": "main", "commit_message": "Large", "actions": [action]}
    for number in range(3):
        project.commits.create({**data, "branch": f"large-{number}"})
    with pytest.raises(gitlab.GitlabHttpError) as refused:
        project.manager.gitlab.http_post(
            f"/projects/{project.id}/repository/commits", post_data={**data, "branch": "large-3"}, max_retries=0
        )
    assert refused.value.response_code == 429


def test_a_second_open_merge_request_of_a_branch_is_refused(project: Any) -> None:
    change(project)
    data = {"source_branch": "bug-fix/PL-479-x", "target_branch": "main", "title": "PL-479: Fix", "labels": "bug-fix,a"}
    mr = project.mergerequests.create(data)
    assert (mr.iid, mr.state, mr.labels) == (1, "opened", ["bug-fix", "a"])
    known = project.mergerequests.get(1)
    assert (known.changes_count, known.diff_refs["head_sha"]) == ("1", mr.sha)
    with pytest.raises(gitlab.GitlabCreateError, match="Another open merge request already exists") as caught:
        project.mergerequests.create(data)
    assert caught.value.response_code == 409
    found = project.mergerequests.list(source_branch="bug-fix/PL-479-x", state="opened", get_all=True)
    assert [one.iid for one in found] == [1]
    assert project.mergerequests.list(source_branch="other", get_all=True) == []


def test_a_closed_merge_request_makes_room_and_can_be_reopened(project: Any) -> None:
    change(project)
    data = {"source_branch": "bug-fix/PL-479-x", "target_branch": "main", "title": "PL-479: Fix"}
    first = project.mergerequests.create(data)
    first.state_event = "close"
    first.save()
    assert first.state == "closed"
    second = project.mergerequests.create(data)
    first.state_event = "reopen"
    with pytest.raises(gitlab.GitlabUpdateError, match="Another open merge request"):
        first.save()
    second.state_event = "close"
    second.save()
    first.save()
    assert project.mergerequests.get(1).state == "opened"


def test_merging_makes_a_merge_commit_and_removes_the_source_branch(emulated: Any, project: Any) -> None:
    commit = change(project)
    mr = project.mergerequests.create(
        {
            "source_branch": "bug-fix/PL-479-x",
            "target_branch": "main",
            "title": "PL-479: Fix",
            "remove_source_branch": True,
        }
    )
    with pytest.raises(gitlab.GitlabAuthenticationError):
        mr.merge()
    mine = emulated.client("mara").projects.get("payk12/contacts").mergerequests.get(1)
    with pytest.raises(gitlab.GitlabMRClosedError, match="SHA does not match"):
        mine.merge(sha="0" * 40)
    mine.merge(sha=commit.id)
    merged = project.mergerequests.get(1)
    assert merged.state == "merged"
    assert merged.merge_user["username"] == "mara"
    assert project.branches.get("main").commit["id"] == merged.merge_commit_sha
    assert project.commits.get(merged.merge_commit_sha).parent_ids[1] == commit.id
    assert [one.name for one in project.branches.list(get_all=True)] == ["main"]
    assert project.files.raw("src/contacts.py", ref="main") == b"fixed\n"


def test_a_new_commit_moves_the_head_of_the_open_merge_request(project: Any) -> None:
    first = change(project)
    project.mergerequests.create({"source_branch": "bug-fix/PL-479-x", "target_branch": "main", "title": "Fix"})
    second = project.commits.create(
        {
            "branch": "bug-fix/PL-479-x",
            "commit_message": "More",
            "actions": [{"action": "create", "file_path": "new.txt", "content": "x"}],
        }
    )
    mr = project.mergerequests.get(1)
    assert mr.sha == second.id != first.id
    notes = mr.notes.list(get_all=True, activity_filter="only_activity")
    assert [note.body for note in notes] == ["added 1 commit"]


def test_a_branch_can_be_created_and_deleted_but_not_a_protected_one(project: Any) -> None:
    change(project, "topic")
    with pytest.raises(gitlab.GitlabCreateError, match="already exists"):
        change(project, "topic")
    with pytest.raises(gitlab.GitlabCreateError, match="invalid"):
        change(project, "a..b")
    project.branches.delete("topic")
    with pytest.raises(gitlab.GitlabGetError, match="404 Branch Not Found"):
        project.branches.get("topic")
    with pytest.raises(gitlab.GitlabDeleteError, match="403"):
        project.branches.delete("main")


def test_the_commits_of_a_merge_request_come_from_git(project: Any) -> None:
    change(project)
    mr = project.mergerequests.create({"source_branch": "bug-fix/PL-479-x", "target_branch": "main", "title": "Fix"})
    assert [commit.title for commit in mr.commits(get_all=True)] == ["Fix it"]
