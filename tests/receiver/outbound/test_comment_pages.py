"""All comments of a ticket are read, however a server pages them."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.outbound.jira.comment_pages import PAGE, read_all


class Ticket:
    """A ticket's comments as a server gives them."""

    def __init__(self, count: int, *, most: int = PAGE, has_total: bool = True, pages: bool = True) -> None:
        self.comments = [{"id": str(number), "body": f"comment {number}"} for number in range(count)]
        self.most, self.has_total, self.pages = most, has_total, pages
        self.asked: list[int] = []
        self.between: Callable[[], None] = lambda: None

    def page(self, start: int) -> dict[str, Any]:
        """Give a page; then something may happen to the ticket."""
        self.asked.append(start)
        shown = self.comments[start : start + self.most] if self.pages else list(self.comments)
        answer: dict[str, Any] = {"startAt": start, "maxResults": self.most, "comments": shown}
        if self.has_total:
            answer["total"] = len(self.comments)
        self.between()
        return answer


@given(count=st.integers(0, 40), most=st.integers(1, 12), has_total=st.booleans(), pages=st.booleans())
def test_every_comment_is_read_in_its_order(count: int, most: int, *, has_total: bool, pages: bool) -> None:
    ticket = Ticket(count, most=most, has_total=has_total, pages=pages)
    assert read_all(ticket.page) == ticket.comments


@given(count=st.integers(1, 20), most=st.integers(1, 5), added=st.integers(1, 3), has_total=st.booleans())
def test_what_is_added_while_reading_hides_nothing(count: int, most: int, added: int, *, has_total: bool) -> None:
    ticket = Ticket(count, most=most, has_total=has_total)
    before = list(ticket.comments)

    def say() -> None:
        if len(ticket.asked) <= added:
            ticket.comments.append({"id": f"new {len(ticket.asked)}", "body": "and this"})

    ticket.between = say
    assert read_all(ticket.page)[:count] == before


@given(count=st.integers(4, 20), most=st.integers(1, 5), gone=st.integers(0, 3))
def test_what_is_deleted_while_reading_hides_nothing(count: int, most: int, gone: int) -> None:
    ticket = Ticket(count, most=most)

    def delete() -> None:
        if len(ticket.asked) == 1:
            del ticket.comments[gone]

    ticket.between = delete
    found = read_all(ticket.page)
    assert [one for one in found if one in ticket.comments] == ticket.comments


def test_a_server_that_gives_all_at_once_is_asked_once() -> None:
    ticket = Ticket(250, most=5_000)
    assert (len(read_all(ticket.page)), ticket.asked) == (250, [0])


def test_a_server_that_gives_nothing_though_there_is_more_is_not_asked_for_ever() -> None:
    assert read_all(lambda _: {"comments": [], "total": 7}) == []


@pytest.mark.parametrize("answer", [[], {"total": 3}, {"comments": None}])
def test_an_answer_of_another_shape_is_an_error(answer: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        read_all(lambda _: answer)
