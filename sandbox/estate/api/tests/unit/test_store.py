"""What the store keeps and finds."""

from collections.abc import Iterator
from datetime import date

import pytest

from payments.model import Line, Method, Student
from payments.store import Store, TooMuch


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store(":memory:")
    yield store
    store.close()


def an_invoice(store: Store, amount: int = 5000) -> str:
    guardian = store.add_guardian("Amara Okafor", "amara@example.org")
    return store.add_invoice(guardian, date(2026, 12, 1), [Line(description="Lunch", amount=amount)])


def test_a_guardian_comes_back_with_students(store: Store) -> None:
    guardian = store.guardian(
        store.add_guardian("Siân D'Angelo", "s@example.org", [Student(name="Bo", school="Lincoln")])
    )
    assert guardian is not None
    assert (guardian.name, guardian.students) == ("Siân D'Angelo", (Student(name="Bo", school="Lincoln"),))


@pytest.mark.parametrize("text", ["weber", "WEB", "jonas@"])
def test_search_looks_into_name_and_email_address(store: Store, text: str) -> None:
    store.add_guardian("Jonas Weber", "jonas@example.org")
    store.add_guardian("Priya Raman", "priya@example.org")
    assert [guardian.name for guardian in store.search_guardians(text)] == ["Jonas Weber"]


def test_invoices_are_numbered_in_order(store: Store) -> None:
    assert [an_invoice(store), an_invoice(store)] == ["CV-2026-0001", "CV-2026-0002"]


def test_an_unknown_invoice_is_none(store: Store) -> None:
    assert store.invoice("CV-2026-0001") is None


def test_invoices_are_listed_by_due_day(store: Store) -> None:
    guardian = store.add_guardian("Amara Okafor", "amara@example.org")
    for month in (12, 10, 11):
        store.add_invoice(guardian, date(2026, month, 1), [Line(description="Lunch", amount=100)])
    assert [invoice.due.month for invoice in store.invoices(guardian)] == [10, 11, 12]


def test_a_payment_is_on_its_invoice(store: Store) -> None:
    number = an_invoice(store)
    payment = store.pay(number, 2000, Method.CASH)
    invoice = store.invoice(number)
    assert invoice is not None
    assert invoice.payments == (payment,)
    assert store.payment(payment.number) == payment


def test_no_more_is_taken_than_is_open(store: Store) -> None:
    number = an_invoice(store, amount=5000)
    store.pay(number, 4000, Method.CARD)
    with pytest.raises(TooMuch):
        store.pay(number, 1001, Method.CARD)


def test_the_same_key_is_the_same_payment(store: Store) -> None:
    number = an_invoice(store)
    first = store.pay(number, 2000, Method.CARD, key="portal-1")
    assert store.pay(number, 2000, Method.CARD, key="portal-1") == first
    assert store.pay(number, 2000, Method.CARD, key="portal-2") != first
