"""Scripted turns go on whatever a tool answers; so an edit that no longer fits its repository must be found here."""

import shutil
from pathlib import Path

import pytest

from sandbox.scenario_format import Conversation, Scenario, find, load, names

STORIES = [load(find(name)) for name in names()]
IN_REVIEW = [
    one
    for one in STORIES
    if one.expected.outcome == "in_review"
    and one.name not in {"hostile-model", "hostile-ticket", "restricted-ticket", "restricted-later"}
]


@pytest.mark.parametrize("story", IN_REVIEW, ids=lambda story: story.name)
def test_each_scripted_edit_finds_its_text_exactly_once(story: Scenario, tmp_path: Path) -> None:
    tried = [misfits(story, one, tmp_path / str(number)) for number, one in enumerate(story.conversations)]
    assert [edit for edits in tried for edit in edits] == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_plan_s_root_cause_is_on_a_line_that_is_there(story: Scenario) -> None:
    for location in (use["location"] for use in submissions(story, "submit_plan") if use["location"]):
        source = story.repositories.get(location["repository"])
        if source is None or not (source / location["file"]).is_file():
            assert story.name.startswith("hostile"), location
            continue
        assert 1 <= location["line"] <= len((source / location["file"]).read_text().splitlines())


def submissions(story: Scenario, tool: str) -> list[dict[str, dict[str, str | int]]]:
    turns = [turn for conversation in story.conversations for turn in conversation.turns]
    return [use.input for turn in turns for use in turn.tool_use if use.name == tool]


def misfits(story: Scenario, conversation: Conversation, folder: Path) -> list[str]:
    """Replay what one conversation writes and edits; return the edits whose text is not there once.

    An implementation goes on with the one of the attempt before.
    """
    project = conversation.repository or next(iter(story.repositories))
    shutil.copytree(story.repositories[project], folder, ignore=shutil.ignore_patterns("node_modules"))
    for file in (file for file in story.overlays[project] if not file.is_link):
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_bytes(file.content)
    found = []
    attempts = [one for one in story.conversations if _is_continued(one, conversation)]
    before = sorted(attempts, key=lambda one: one.iteration or 0)
    for use in (use for one in (*before, conversation) for turn in one.turns for use in turn.tool_use):
        if use.name == "write":
            (folder / use.input["file_path"]).parent.mkdir(parents=True, exist_ok=True)
            (folder / use.input["file_path"]).write_text(use.input["content"])
        elif use.name == "edit":
            file = folder / use.input["file_path"]
            text = file.read_text()
            if text.count(use.input["old_string"]) != 1:
                found.append(f"{conversation.phase} {use.input['file_path']}: {use.input['old_string'][:80]}")
            file.write_text(text.replace(use.input["old_string"], use.input["new_string"]))
    return found


def _is_continued(before: Conversation, after: Conversation) -> bool:
    same = (before.phase, before.repository) == (after.phase, after.repository) == ("implementation", after.repository)
    return same and (before.iteration or 0) < (after.iteration or 0)
