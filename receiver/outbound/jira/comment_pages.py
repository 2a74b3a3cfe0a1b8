"""Read all comments of a ticket, which Jira gives in pages. Pure: whoever calls fetches the pages.

https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-comments/: `startAt` and `maxResults`, at
most 100 on Cloud by default. A server may give less than asked for, leave out `total`, or ignore both parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

PAGE: Final = 100
"""Comments that are asked for at a time."""
_ROUNDS: Final = 3
"""How often reading begins again because a comment was deleted meanwhile, which moves the others up."""


class CommentPage(Struct, frozen=True):
    """A page as Jira answers, oldest first."""

    comments: list[dict[str, Any]]
    total: int | None = None
    """Comments of the ticket that we may see."""


def read_all(fetch: Callable[[int], object]) -> list[dict[str, Any]]:
    """Return every comment, oldest first. `fetch` gives the page that begins at a number, as decoded JSON.

    Raises msgspec.ValidationError.
    """
    found: dict[str, dict[str, Any]] = {}
    for _ in range(_ROUNDS):
        found.clear()
        if _read(fetch, found):
            break
    return list(found.values())


def _read(fetch: Callable[[int], object], found: dict[str, dict[str, Any]]) -> bool:
    """Collect comments by their ids; return whether none was deleted meanwhile."""
    start, before = 0, None
    while True:
        page = msgspec.convert(fetch(start), CommentPage)
        if before is not None and page.total is not None and page.total < before:
            return False
        fresh = {str(one["id"]): one for one in page.comments if str(one["id"]) not in found}
        found.update(fresh)
        start, before = start + len(page.comments), page.total
        if not fresh or (page.total is not None and start >= page.total):
            return True
