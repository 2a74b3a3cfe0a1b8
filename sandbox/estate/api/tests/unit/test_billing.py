"""The rules of billing."""

from datetime import date

import pytest

from payments import billing
from payments.model import Instalment, Invoice, Line, Method, Payment, Status

TODAY = date(2026, 11, 20)


def invoice(*, due: date = date(2026, 12, 1), paid: int = 0, plan: tuple[Instalment, ...] = ()) -> Invoice:
    payment = Payment(number="R-000001", invoice="CV-2026-0001", amount=paid, method=Method.CARD, received="")
    return Invoice(
        number="CV-2026-0001",
        guardian=1,
        due=due,
        lines=(Line(description="Lunch", amount=2500, quantity=2), Line(description="Yearbook", amount=1000)),
        payments=(payment,) if paid else (),
        plan=plan,
    )


def test_the_total_counts_quantities() -> None:
    assert billing.total(invoice()) == 6000


@pytest.mark.parametrize(
    ("paid", "due", "status"),
    [
        (0, date(2026, 12, 1), Status.OPEN),
        (100, date(2026, 12, 1), Status.PARTLY_PAID),
        (6000, date(2026, 12, 1), Status.PAID),
        (0, TODAY, Status.OPEN),
        (0, date(2026, 11, 19), Status.OVERDUE),
        (100, date(2026, 11, 19), Status.OVERDUE),
        (6000, date(2026, 11, 19), Status.PAID),
    ],
)
def test_the_status_follows_from_payments_and_due_day(paid: int, due: date, status: Status) -> None:
    assert billing.status(invoice(paid=paid, due=due), TODAY) == status


def test_a_plan_has_a_part_each_month() -> None:
    parts = billing.instalments(12000, 3, date(2026, 12, 1))
    assert [part.due for part in parts] == [date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]
    assert [part.amount for part in parts] == [4000, 4000, 4000]


def test_a_part_is_due_on_the_last_day_of_a_shorter_month() -> None:
    parts = billing.instalments(9000, 3, date(2026, 12, 31))
    assert [part.due for part in parts] == [date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28)]


def test_with_a_plan_the_next_part_that_is_not_covered_is_due() -> None:
    plan = billing.instalments(6000, 3, date(2026, 12, 1))
    assert billing.next_due(invoice(plan=plan)) == date(2026, 12, 1)
    assert billing.next_due(invoice(plan=plan, paid=2000)) == date(2027, 1, 1)
    assert billing.next_due(invoice(plan=plan, paid=2500)) == date(2027, 1, 1)
    assert billing.next_due(invoice(plan=plan, paid=6000)) == date(2027, 2, 1)
