"""The guards let every fix of the scenarios pass: changes as engineers make them raise no alarm."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.language.catalogue import Policy
from pipelines.patch import Examination
from sandbox.scenario import Conversation, Scenario, find, load, names

FIXES = [
    (story, conversation)
    for story in (load(find(name)) for name in names() if name != "hostile-model")
    for conversation in story.conversations
    if conversation.phase == "implementation" and conversation.iteration in {None, 1}
]


def edited(folder: Path, conversation: Conversation) -> dict[str, str]:
    """Return the files that a conversation writes and edits, as they are afterwards."""
    after: dict[str, str] = {}
    for use in (use for turn in conversation.turns for use in turn.tool_use):
        if use.name == "write":
            after[use.input["file_path"]] = use.input["content"]
        elif use.name == "edit":
            path = use.input["file_path"]
            text = after.get(path) or (folder / path).read_text()
            after[path] = text.replace(use.input["old_string"], use.input["new_string"])
    return after


@pytest.mark.parametrize(("story", "conversation"), FIXES, ids=[f"{one.name}" for one, _ in FIXES])
def test_the_fix_of_a_scenario_is_not_refused(
    examined: Callable[..., Examination], tmp_path: Path, story: Scenario, conversation: Conversation
) -> None:
    project = conversation.repository or next(iter(story.repositories))
    folder = tmp_path / "source"
    shutil.copytree(story.repositories[project], folder, ignore=shutil.ignore_patterns("node_modules"))
    for file in (file for file in story.laid[project] if not file.is_link):
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_bytes(file.content)
    after = edited(folder, conversation)
    before = {name: (folder / name).read_text() for name in after if (folder / name).exists()}
    assert after
    assert examined(before, after, Policy()).refused == ()
