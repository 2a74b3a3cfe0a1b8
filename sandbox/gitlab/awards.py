"""Emoji that GitLab knows, as far as the emulator does, and counting them. Changes nothing.

GitLab's own list (TanukiEmoji) has some thousands; one that isn't here is refused by name, never taken for unknown.
"""

import re
from collections.abc import Sequence
from typing import Final

from sandbox.gitlab.merge_request_model import Award

ALIASES: Final = {"+1": "thumbsup", "-1": "thumbsdown", "hooray": "tada"}
KNOWN: Final = frozenset(
    {
        *("bug", "clap", "confused", "construction", "eyes", "fire", "gear", "heart", "heavy_check_mark", "hourglass"),
        *("laughing", "microscope", "no_entry", "ok_hand", "pray", "question", "raised_hands", "recycle", "robot"),
        *("rocket", "rotating_light", "smile", "speech_balloon", "stop_sign", "tada", "thinking", "thumbsdown"),
        *("thumbsup", "warning", "wave", "white_check_mark", "x"),
    }
)
_NAME: Final = re.compile(r"[a-z0-9_+-]+")


def normalized(name: str) -> str:
    """Give the name that GitLab keeps: an alias becomes the emoji's own."""
    return ALIASES.get(name, name)


def could_be_one(name: str) -> bool:
    """Whether a name is formed as emoji are: without colons, in lower case."""
    return _NAME.fullmatch(name) is not None


def count(awards: Sequence[Award], name: str) -> int:
    """Count how often an emoji was awarded: `thumbsup` are a merge request's `upvotes`."""
    return sum(one.name == name for one in awards)
