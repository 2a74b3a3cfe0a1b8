"""An agent's conversation as people read it: what it said and did, and of what it was told and got a line."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from receiver.cli.transcript_printer import relative, transcript
from receiver.store.jobs.transcripts import StoredTranscript

PROMPT = "Phase: implementation\n\n" + "Read the code that the plan blames.\n" * 200
WORK = "/tmp/bug-fix-jh7zq2ap/work"  # noqa: S108 - as jobs name it
LINES: list[dict[str, Any]] = [
    {
        "type": "start",
        "model": "claude-sonnet-5-5",
        "system": [{"type": "text", "text": "Be careful."}],
        "tools": [1, 2],
    },
    {"type": "message", "role": "user", "content": PROMPT},
    {
        "type": "message",
        "role": "assistant",
        "cost_usd": "0.0062325000",
        "content": [
            {"type": "thinking", "thinking": "Hm."},
            {"type": "text", "text": "I read [red]it[/]."},
            {"type": "tool_use", "id": "a", "name": "read", "input": {"file_path": f"{WORK}/repository/src/store.py"}},
            {"type": "tool_use", "id": "b", "name": "bash", "input": {"command": "pytest -q"}},
        ],
    },
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "import sqlite3\n\nclass Store:\n"},
            {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "F..\n3 failed\n"}]},
        ],
    },
    {"type": "end", "reason": "submitted"},
]


def printed(*, whole: bool, said: list[dict[str, Any]] = LINES) -> str:
    console = Console(file=io.StringIO(), width=200)
    lines = b"\n".join(json.dumps(line).encode() for line in said) + b"\n{not JSON"
    told = StoredTranscript(
        iteration=1, phase="implementation", repository="a/b", agent="python-pro", job=6, lines=lines
    )
    transcript(console, told, whole=whole)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_prompts_and_answers_of_tools_are_a_line_with_their_length() -> None:
    assert printed(whole=False).splitlines()[2:] == [
        "  1 start claude-sonnet-5-5, 2 tools, system prompt of 11 characters",
        f"  2 told Phase: implementation ({len(PROMPT):,} characters)",
        "  3 says I read [red]it[/].",
        "  3 read src/store.py",
        "  3 bash pytest -q",
        "  3 $0.0062",
        "  4 → import sqlite3 (29 characters)",
        "  4 → … 3 failed (13 characters)",
        "  5 end submitted",
        "  6 {not JSON",
    ]


def test_all_of_it_is_told_when_it_is_asked_for() -> None:
    text = printed(whole=True)
    assert text.count("Read the code that the plan blames.") == 200
    for part in ("Be careful.", "Hm.", "class Store:", "F..", '"file_path":"src/store.py"'):
        assert part in text


PICTURE = {"type": "image", "media_type": "image/png", "base64_characters": 9}
FULL = "70000 bytes: the transcript is full"


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ({"type": "message", "left_out": FULL}, f"left out {FULL}"),
        ({"type": "end", "left_out": FULL}, f"end {FULL}"),
        ({"type": "start", "left_out": FULL}, f"start left out: {FULL}"),
        ({"type": "message", "role": "assistant", "content": [], "cost_usd": "abc"}, "its price can't be read"),
        ({"type": "message", "role": "assistant", "content": [], "cost_usd": "NaN"}, "its price can't be read"),
        ({"type": "message", "role": "assistant", "content": [], "cost_usd": [1]}, "its price can't be read"),
        ({"type": "message", "role": "assistant", "content": [], "cost_usd": "1e999999"}, "its price can't be read"),
        ({"type": "message", "role": "assistant", "content": [], "cost_usd": 0.5}, "$0.5000"),
        ({"type": "message", "role": "user", "content": [PICTURE]}, "a picture"),
        (
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "a", "content": [PICTURE]}],
            },
            "→ a picture",
        ),
    ],
)
def test_what_was_left_out_of_a_transcript_is_told(line: dict[str, Any], shown: str, *, whole: bool) -> None:
    assert shown in printed(whole=whole, said=[line]).splitlines()[-2]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{WORK}/repository/src/a.py:3", "src/a.py:3"),
        (f"{WORK}/payk12/contacts/a.py", "payk12/contacts/a.py"),
        (f"cd {WORK}/repository && ls", "cd . && ls"),
        ("/builds/tmp/bug-fix-abcdefgh/work/repository/a.py", "a.py"),
        ("/srv/bug-fix/work/a.py and /tmp/other/b.py", "/srv/bug-fix/work/a.py and /tmp/other/b.py"),
    ],
)
def test_paths_are_relative_to_the_folder_that_the_job_worked_in(text: str, shown: str) -> None:
    assert relative(text) == shown


@pytest.mark.timeout(20)
def test_a_long_text_of_slashes_is_read_once() -> None:
    text = "/" + "ab/" * 200_000
    assert relative(text) == text
