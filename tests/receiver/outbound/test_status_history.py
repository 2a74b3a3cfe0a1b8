"""When a ticket left the category *done*, whatever a team calls its statuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from receiver.outbound.jira.status_history import done_statuses, left_done, moves

MERGED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODO, DOING, DONE, ARCHIVED = "1", "3", "5", "6"
STATUSES = [
    {"id": number, "name": name, "statusCategory": {"key": key}}
    for number, name, key in (
        (TODO, "Open", "new"),
        (DOING, "Done?", "indeterminate"),
        (DONE, "Shipped", "done"),
        (ARCHIVED, "Archived", "done"),
    )
]


def issue(*steps: tuple[float, str, str]) -> dict[str, Any]:
    """Return an issue with moves, each so many days after the merge, the newest first as Jira gives them."""
    histories = [
        {
            "created": (MERGED + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "items": [
                {"field": "labels", "from": None, "to": None},
                {"field": "status", "from": before, "to": after, "fromString": "x", "toString": "y"},
            ],
        }
        for days, before, after in steps
    ]
    return {"id": "10", "key": "PL-1", "changelog": {"histories": histories[::-1]}}


@pytest.mark.parametrize(
    ("steps", "days"),
    [
        ([], None),
        ([(-1, TODO, DOING)], None),
        ([(0.1, DOING, DONE)], None),
        ([(0.1, DOING, TODO)], None),  # it was not done, so it is not opened again
        ([(0.1, DOING, DONE), (3, DONE, TODO)], 3),
        (
            [(0.1, DOING, DONE), (3, DONE, TODO), (3.5, TODO, DONE), (5, DONE, DOING)],
            3,
        ),  # the first time, also if closed
        ([(0.1, DOING, DONE), (2, DONE, ARCHIVED)], None),
        ([(-2, DONE, TODO), (0.1, TODO, DONE)], None),  # before the merge
        ([(0.1, DOING, DONE), (15, DONE, TODO)], None),  # after the days in which it is looked for
    ],
)
def test_a_ticket_is_opened_again_when_it_leaves_the_category_done(
    steps: list[tuple[float, str, str]], days: float | None
) -> None:
    found = moves(issue(*steps), done=done_statuses(STATUSES))
    expected = None if days is None else MERGED + timedelta(days=days)
    assert left_done(found, after=MERGED, until=MERGED + timedelta(days=14)) == expected
