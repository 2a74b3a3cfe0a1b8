"""The handlers: read JSON, call, write JSON."""

import re
from collections.abc import Callable
from datetime import date
from http import HTTPStatus
from typing import Any, TypeVar

from payments import billing, money
from payments.http import Invalid, Refused, Request, Response
from payments.legacy import Fees, Unavailable
from payments.model import Fee, Guardian, Invoice, Line, Method, Payment, Student
from payments.store import Store, TooMuch

T = TypeVar("T")


class Routes:
    """All handlers, over one store."""

    def __init__(self, store: Store, fees: Fees, today: Callable[[], date]) -> None:
        self._store = store
        self._fees = fees
        self._today = today

    def health(self, _: Request) -> Response:
        """Say that the database answers."""
        return Response(value={"status": "ok", "guardians": self._store.count()})

    def list_guardians(self, request: Request) -> Response:
        """`GET /v1/guardians?q=`."""
        found = self._store.search_guardians(request.query.get("q", "").strip())
        return Response(value={"guardians": [_guardian(guardian) for guardian in found]})

    def add_guardian(self, request: Request) -> Response:
        """`POST /v1/guardians`."""
        body = request.json()
        name, email = _words(body, "name"), _words(body, "email")
        errors = {}
        if not name:
            errors["name"] = "Please enter a name."
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            errors["email"] = "This does not look like an email address."
        students = body.get("students", [])
        if not isinstance(students, list) or not all(isinstance(student, dict) for student in students):
            errors["students"] = "Please send a list of name and school."
        if errors:
            raise Invalid(errors)
        children = [Student(name=_words(one, "name"), school=_words(one, "school")) for one in students]
        guardian = self._store.guardian(self._store.add_guardian(name, email, children))
        return Response(status=HTTPStatus.CREATED, value=_guardian(_there(guardian, "guardian")))

    def show_guardian(self, _: Request, number: str) -> Response:
        """`GET /v1/guardians/ID`."""
        return Response(value=_guardian(_there(self._store.guardian(int(number)), "guardian")))

    def statement(self, _: Request, number: str) -> Response:
        """`GET /v1/guardians/ID/statement`."""
        guardian = _there(self._store.guardian(int(number)), "guardian")
        invoices = self._store.invoices(guardian.id)
        return Response(
            value={
                "guardian": _guardian(guardian),
                "invoices": [self._invoice(invoice) for invoice in invoices],
                "receipts": [_receipt(payment) for invoice in invoices for payment in invoice.payments],
                "open": money.text(sum(billing.balance(invoice) for invoice in invoices)),
            }
        )

    def list_invoices(self, request: Request) -> Response:
        """`GET /v1/invoices?guardian=&status=`."""
        guardian = request.query.get("guardian", "")
        if guardian and not re.fullmatch(r"[0-9]{1,9}", guardian):
            raise Invalid({"guardian": "Please send a guardian's id."})
        wanted = request.query.get("status", "")
        found = self._store.invoices(int(guardian) if guardian else None)
        shown = [invoice for invoice in found if wanted in ("", billing.status(invoice, self._today()))]
        return Response(value={"invoices": [self._invoice(invoice) for invoice in shown]})

    def add_invoice(self, request: Request) -> Response:
        """`POST /v1/invoices`."""
        body = request.json()
        guardian = body.get("guardian")
        errors = {}
        if not isinstance(guardian, int) or self._store.guardian(guardian) is None:
            errors["guardian"] = "There is no such guardian."
        due = _day(body.get("due"), "due", errors)
        lines = _lines(body.get("lines"), errors)
        if errors:
            raise Invalid(errors)
        number = self._store.add_invoice(guardian, due, lines)
        return Response(status=HTTPStatus.CREATED, value=self._invoice(self._of(number)))

    def show_invoice(self, _: Request, number: str) -> Response:
        """`GET /v1/invoices/NUMBER`."""
        return Response(value=self._invoice(self._of(number)))

    def pay(self, request: Request, number: str) -> Response:
        """`POST /v1/invoices/NUMBER/payments`: answers with the receipt."""
        invoice = self._of(number)
        body = request.json()
        errors = {}
        try:
            amount = int(float(body.get("amount")) * 100)  # terminals send a number, the portal a text
        except (TypeError, ValueError, OverflowError):
            amount = 0
        if amount <= 0:
            errors["amount"] = "Please send an amount such as 19.99."
        if body.get("method") not in list(Method):
            errors["method"] = f"Please use {', '.join(Method)}."
        if errors:
            raise Invalid(errors)
        key = request.headers.get("idempotency-key")
        try:
            payment = self._store.pay(invoice.number, amount, Method(body["method"]), key=key)
        except TooMuch:
            is_open = money.text(billing.balance(self._of(number)))
            raise Invalid({"amount": f"Only {is_open} is open on {invoice.number}."}) from None
        return Response(status=HTTPStatus.CREATED, value=_receipt(payment))

    def plan(self, request: Request, number: str) -> Response:
        """`POST /v1/invoices/NUMBER/plan`: pay what is open in monthly instalments."""
        invoice = self._of(number)
        body = request.json()
        errors = {}
        parts = body.get("parts")
        if not isinstance(parts, int) or not 2 <= parts <= billing.MOST_PARTS:
            errors["parts"] = f"Please choose 2 to {billing.MOST_PARTS} instalments."
        first_due = _day(body.get("first_due"), "first_due", errors)
        if invoice.payments:
            errors["parts"] = "Something was paid already; a plan has to be made before."
        if errors:
            raise Invalid(errors)
        self._store.plan(invoice.number, billing.instalments(billing.balance(invoice), parts, first_due))
        return Response(status=HTTPStatus.CREATED, value=self._invoice(self._of(number)))

    def receipt(self, _: Request, number: str) -> Response:
        """`GET /v1/receipts/NUMBER`."""
        return Response(value=_receipt(_there(self._store.payment(number), "receipt")))

    def fees(self, request: Request) -> Response:
        """`GET /v1/fees?school_year=2026-27`."""
        match = re.fullmatch(r"20(\d\d)-(\d\d)", request.query.get("school_year", ""))
        if not match or int(match[2]) != int(match[1]) + 1:
            raise Invalid({"school_year": "Please send a school year such as 2026-27."})
        try:
            found = self._fees.of(2000 + int(match[2]))
        except Unavailable as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"Fees are not available. {error}") from error
        return Response(value={"fees": [_fee(fee) for fee in found]})

    def _of(self, number: str) -> Invoice:
        return _there(self._store.invoice(number), "invoice")

    def _invoice(self, invoice: Invoice) -> dict[str, Any]:
        return {
            "number": invoice.number,
            "guardian": invoice.guardian,
            "due": invoice.due.isoformat(),
            "next_due": billing.next_due(invoice).isoformat(),
            "status": billing.status(invoice, self._today()),
            "total": money.text(billing.total(invoice)),
            "balance": money.text(billing.balance(invoice)),
            "lines": [
                {
                    "description": line.description,
                    "amount": money.text(line.amount),
                    "quantity": line.quantity,
                }
                for line in invoice.lines
            ],
            "payments": [_receipt(payment) for payment in invoice.payments],
            "plan": [
                {"due": part.due.isoformat(), "amount": money.text(part.amount)} for part in invoice.plan
            ],
        }


def _there(value: T | None, what: str) -> T:
    if value is None:
        raise Refused(HTTPStatus.NOT_FOUND, f"There is no such {what}.")
    return value


def _words(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    return " ".join(value.split()) if isinstance(value, str) else ""


def _day(value: object, name: str, errors: dict[str, str]) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        errors[name] = "Please send a day such as 2026-11-30."
        return date.min


def _lines(value: object, errors: dict[str, str]) -> list[Line]:
    lines = []
    try:
        for line in value if isinstance(value, list) else []:
            description, quantity = _words(line, "description"), line.get("quantity", 1)
            if not description or not isinstance(quantity, int) or not 1 <= quantity <= 99:
                raise ValueError
            lines.append(
                Line(description=description, amount=money.cents(str(line["amount"])), quantity=quantity)
            )
    except (AttributeError, KeyError, ValueError):
        lines = []
    if not lines:
        errors["lines"] = "Please send at least one line with description and amount."
    return lines


def _guardian(guardian: Guardian) -> dict[str, Any]:
    return {
        "id": guardian.id,
        "name": guardian.name,
        "email": guardian.email,
        "students": [{"name": student.name, "school": student.school} for student in guardian.students],
    }


def _receipt(payment: Payment) -> dict[str, Any]:
    return {
        "number": payment.number,
        "invoice": payment.invoice,
        "amount": money.text(payment.amount),
        "method": payment.method,
        "received": payment.received,
    }


def _fee(fee: Fee) -> dict[str, Any]:
    return {
        "code": fee.code,
        "description": fee.description,
        "amount": money.text(fee.amount),
        "valid_from": fee.valid_from.isoformat(),
        "school": fee.school,
    }
