"""What analysis was given of an attachment, by what the Anthropic emulator received."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.attachments import given

LOG = 'first line\n  second "line"\n'
PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff"


def opening(text: str, *pictures: bytes, phase: str = "analysis") -> dict[str, Any]:
    shown = [{"media_type": "image/png", "sha256": sha256(one).hexdigest()} for one in pictures]
    return {"phase": phase, "text": text, "pictures": shown}


@pytest.mark.parametrize(
    ("received", "how"),
    [
        ([opening('files: a.log\n    first line\n      second "line"\n')], "text"),
        ([opening(json.dumps({"name": "a.log", "text": LOG}, indent=2).replace("\\n", "\n"))], "text"),
        ([opening("files: a.log, first line")], "named"),
        ([opening("nothing of it")], "nothing"),
        ([opening(LOG, phase="testing"), opening("a.log")], "named"),
        ([opening("before the answer"), opening(LOG)], "text"),
        ([], "nothing"),
    ],
)
def test_a_text_is_given_when_all_its_lines_are(tmp_path: Path, received: list[dict[str, Any]], how: str) -> None:
    (tmp_path / "a.log").write_text(LOG)
    assert given([tmp_path / "a.log"], received) == {"a.log": how}


def test_a_picture_is_shown_when_the_model_got_its_very_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    files = [tmp_path / "a.png"]
    assert given(files, [opening("a.png", PICTURE)]) == {"a.png": "picture"}
    assert given(files, [opening("a.png", PICTURE + b"\x00")]) == {"a.png": "named"}
