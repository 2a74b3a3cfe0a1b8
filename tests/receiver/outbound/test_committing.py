"""A change set becomes one commit, byte for byte, and nothing but what was tested gets a merge request."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import pytest

from pipelines.language import ProjectPath, RunId
from pipelines.language.change_set import EXECUTABLE, SYMLINK, FileChange, blob_id
from receiver.outbound.effects.commit_actions import actions_of, fits, holds
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.errors import RefusedError
from receiver.store.run import runs
from receiver.workflow.effects import OpenMergeRequest
from tests.changes import change_set, file_change

CONTACTS = ProjectPath("payk12/contacts")
EFFECT = OpenMergeRequest(iteration=1, repository=CONTACTS)


def test_each_file_is_its_own_action_and_a_mode_one_more() -> None:
    change = change_set(
        file_change("gone", "x", None),
        file_change("mode", "x", "x", mode=EXECUTABLE),
        file_change("new", None, ""),
        file_change("new.sh", None, "x", mode=EXECUTABLE),
        file_change("old", "x", b"y\r\n"),
        file_change("plain", "x", "y", old_mode=EXECUTABLE),
    )
    found = [(one.action, one.path, one.content, one.executable) for one in actions_of(change)]
    assert found == [
        ("delete", "gone", None, None),
        ("chmod", "mode", None, True),
        ("create", "new", b"", None),
        ("create", "new.sh", b"x", None),
        ("chmod", "new.sh", None, True),
        ("update", "old", b"y\r\n", None),
        ("update", "plain", b"y", None),
        ("chmod", "plain", None, False),
    ]


def test_more_than_one_request_may_hold_is_a_persons_to_commit() -> None:
    half = file_change("a", None, "x" * 7_600_000)
    assert len(actions_of(change_set(half))) == 1
    with pytest.raises(RefusedError, match="A person has to make it"):
        actions_of(change_set(half, file_change("b", None, "x" * 7_600_000)))


@pytest.mark.integration
@pytest.mark.anyio
async def test_what_is_committed_is_what_was_tested_byte_for_byte(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    store = world.contacts.files.get("src/contacts/store.py", ref="main").decode()
    files = {
        "src/contacts/store.py": (store, None),
        "src/contacts/Store.py": (None, store),
        "crlf.txt": (None, b"a\r\nb\r\n"),
        "end.txt": (None, b"no newline at the end"),
        "empty.txt": (None, b""),
        "latin1.txt": (None, b"caf\xe9\n"),
    }
    changes = [file_change(path, before, after) for path, (before, after) in files.items()]
    changes += [
        file_change("odd dir/q é [1].txt", None, b"odd"),
        file_change("run.sh", None, "#!/bin/sh\n", mode=EXECUTABLE),
    ]
    await submit(run, *changes)
    (event,) = (await perform(desk, run, EFFECT)).events
    async with desk.database.begin() as session:
        branch = (await runs.facts(session, run)).branch
    tree = world.contacts.repository_tree(ref=branch, recursive=True, get_all=True)
    found = {one["path"]: (one["id"], one["mode"]) for one in tree}
    for one in changes:
        if one.after is None:
            assert one.path not in found
        else:
            assert found[one.path] == (blob_id(one.after.content), one.after.mode)
    assert event.head_sha == world.contacts.branches.get(branch).commit["id"]


@pytest.mark.integration
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (file_change("link", None, "/etc/passwd", mode=SYMLINK), "`link` is a symbolic link"),
        (file_change("README.md", "not this", "x"), "does not fit"),
        (file_change("README.md", None, "x"), "does not fit"),
        (file_change("nowhere.md", "x", None), "does not fit"),
        (file_change("SRC/Contacts/store.py", None, "x"), "would be one with `src/contacts/store.py`"),
    ],
)
async def test_a_change_that_is_no_plain_file_does_not_fit_or_clashes_is_not_committed(
    desk: Desk, run: RunId, submit: Any, file: FileChange, sentence: str
) -> None:
    await submit(run, file)
    with pytest.raises(RefusedError, match=sentence):
        await perform(desk, run, EFFECT)


@pytest.mark.integration
@pytest.mark.anyio
async def test_the_file_in_which_the_projects_ci_begins_is_not_committed(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    project = world.admin.projects.get("payk12/contacts")
    project.ci_config_path = "README.md@payk12/contacts"
    project.save()
    try:
        readme = project.files.get("README.md", ref="main").decode()
        await submit(run, file_change("README.md", readme, "x"))
        with pytest.raises(RefusedError, match=r"`README\.md` is the configuration of"):
            await perform(desk, run, EFFECT)
    finally:
        project.ci_config_path = ""
        project.save()


@pytest.mark.integration
@pytest.mark.anyio
async def test_a_mode_that_the_base_does_not_have_is_found_out(desk: Desk, run: RunId, submit: Any, world: Any) -> None:
    """`update` would leave a symbolic link one, and write the new text into it."""
    text = world.contacts.files.get("README.md", ref="main").decode()
    await submit(run, file_change("README.md", text, "x", mode=EXECUTABLE, old_mode=EXECUTABLE))
    with pytest.raises(RefusedError, match="made for other files than the commit holds"):
        await perform(desk, run, EFFECT)


@pytest.mark.integration
@pytest.mark.anyio
async def test_a_commit_that_is_not_the_change_is_found_out(desk: Desk, world: Any) -> None:
    project = world.contacts
    base = project.branches.get("main").commit["id"]
    readme = project.files.get("README.md", ref=base).decode()
    change = change_set(
        file_change("README.md", readme, "x"), file_change("run.sh", None, "y", mode=EXECUTABLE), base=base
    )
    assert fits(change, partial(desk.commits.folder, project.id, ref=base))
    whole = [
        {"action": "update", "file_path": "README.md", "content": "x"},
        {"action": "create", "file_path": "run.sh", "content": "y"},
        {"action": "chmod", "file_path": "run.sh", "execute_filemode": True},
    ]
    more = {
        "action": "create",
        "file_path": "more.txt",
        "content": base64.b64encode(b"z").decode(),
        "encoding": "base64",
    }
    cases = {
        "just that": (whole, True),
        "another text": ([{**whole[0], "content": "X"}, *whole[1:]], False),
        "another mode": (whole[:2], False),
        "one file more": ([*whole, more], False),
        "one file less": (whole[1:], False),
    }
    for number, (name, (actions, is_that)) in enumerate(cases.items()):
        data = {"branch": f"held-{number}", "start_sha": base, "commit_message": name, "actions": actions}
        made = project.commits.create(data)
        assert holds(desk.commits, project.id, change, sha=made.id) is is_that, name
        project.branches.delete(f"held-{number}")
    assert not fits(change, partial(desk.commits.folder, project.id, ref=made.id))
