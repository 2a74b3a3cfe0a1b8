"""The service over HTTP, as the portal uses it."""

from typing import Any

import pytest


def test_health_counts_the_guardians(client: Any) -> None:
    assert client.get("/health") == (200, {"status": "ok", "guardians": 0})


def test_a_guardian_is_found_by_name(client: Any) -> None:
    children = [{"name": "Mateo Delgado", "school": "Lincoln Elementary"}]
    status, made = client.post(
        "/v1/guardians", {"name": " Rosa  Delgado ", "email": "rosa@example.org", "students": children}
    )
    assert (status, made["name"], made["students"]) == (201, "Rosa Delgado", children)
    assert client.get("/v1/guardians?q=delg")[1]["guardians"] == [made]


def test_each_wrong_field_is_named(client: Any) -> None:
    status, answer = client.post("/v1/guardians", {"name": "", "email": "rosa"})
    assert (status, set(answer["errors"])) == (422, {"name", "email"})
    status, answer = client.post(
        "/v1/invoices", {"guardian": 7, "due": "soon", "lines": [{"description": "x"}]}
    )
    assert (status, set(answer["errors"])) == (422, {"guardian", "due", "lines"})


def test_an_invoice_adds_its_lines_up(client: Any) -> None:
    _, guardian = client.post("/v1/guardians", {"name": "Rosa Delgado", "email": "rosa@example.org"})
    lines = [
        {"description": "Lunch", "amount": "64.80", "quantity": 2},
        {"description": "Yearbook", "amount": "19.99", "quantity": 1},
    ]
    _, invoice = client.post(
        "/v1/invoices", {"guardian": guardian["id"], "due": "2026-12-01", "lines": lines}
    )
    assert (invoice["total"], invoice["balance"], invoice["status"]) == ("149.59", "149.59", "open")
    assert invoice["lines"] == lines


def test_paying_in_parts_changes_balance_and_status(client: Any) -> None:
    number = client.invoice("100.00")
    status, receipt = client.post(f"/v1/invoices/{number}/payments", {"amount": "40.50", "method": "card"})
    assert (status, receipt["amount"], receipt["invoice"]) == (201, "40.50", number)
    assert client.get(f"/v1/receipts/{receipt['number']}")[1] == receipt
    invoice = client.get(f"/v1/invoices/{number}")[1]
    assert (invoice["balance"], invoice["status"]) == ("59.50", "partly_paid")
    client.post(f"/v1/invoices/{number}/payments", {"amount": 59.5, "method": "cash"})
    assert client.get(f"/v1/invoices/{number}")[1]["status"] == "paid"


def test_no_more_can_be_paid_than_is_open(client: Any) -> None:
    number = client.invoice("100.00")
    status, answer = client.post(f"/v1/invoices/{number}/payments", {"amount": "100.50", "method": "card"})
    assert (status, answer["errors"]["amount"]) == (422, f"Only 100.00 is open on {number}.")


def test_a_payment_sent_twice_is_taken_once(client: Any) -> None:
    number = client.invoice("100.00")
    body = {"amount": "40.00", "method": "card"}
    first = client.post(f"/v1/invoices/{number}/payments", body, Idempotency_Key="portal-1")
    assert client.post(f"/v1/invoices/{number}/payments", body, Idempotency_Key="portal-1") == first
    assert client.get(f"/v1/invoices/{number}")[1]["balance"] == "60.00"


def test_a_plan_makes_the_first_part_due_first(client: Any) -> None:
    number = client.invoice("120.00", due="2026-11-01")
    status, invoice = client.post(f"/v1/invoices/{number}/plan", {"parts": 3, "first_due": "2026-12-01"})
    assert (status, invoice["next_due"], invoice["status"]) == (201, "2026-12-01", "open")
    assert [part["amount"] for part in invoice["plan"]] == ["40.00", "40.00", "40.00"]


def test_a_statement_has_invoices_receipts_and_what_is_open(client: Any) -> None:
    number = client.invoice("100.00")
    client.post(f"/v1/invoices/{number}/payments", {"amount": "30.00", "method": "check"})
    statement = client.get("/v1/guardians/1/statement")[1]
    assert [invoice["number"] for invoice in statement["invoices"]] == [number]
    assert [receipt["amount"] for receipt in statement["receipts"]] == ["30.00"]
    assert statement["open"] == "70.00"


def test_numbers_are_as_they_are_printed(client: Any) -> None:
    number = client.invoice("100.00")
    _, receipt = client.post(f"/v1/invoices/{number}/payments", {"amount": "30.00", "method": "card"})
    assert (number, receipt["number"], receipt["invoice"]) == ("CV-2026-0001", "R-000001", "CV-2026-0001")


def test_overdue_invoices_can_be_listed(client: Any) -> None:
    late, _ = client.invoice(due="2026-11-19"), client.invoice(due="2026-11-20")
    listed = client.get("/v1/invoices?status=overdue")[1]["invoices"]
    assert [invoice["number"] for invoice in listed] == [late]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/nowhere", None, 404),
        ("/v1/invoices/CV-2026-9999", None, 404),
        ("/v1/receipts/R-000001", None, 404),
        ("/v1/guardians/9/statement", None, 404),
        ("/v1/receipts/R-000001", {}, 405),
        ("/v1/guardians", b"{", 400),
        ("/v1/guardians", b"[1]", 400),
        ("/v1/guardians", b"x" * 300_000, 413),
    ],
)
def test_a_refusal_has_its_status(client: Any, path: str, body: object, status: int) -> None:
    assert (client.get(path) if body is None else client.post(path, body))[0] == status
