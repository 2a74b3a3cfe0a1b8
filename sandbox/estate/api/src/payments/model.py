"""The words of this service. Money is whole cents."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Status(StrEnum):
    """Where an invoice stands."""

    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    OVERDUE = "overdue"


class Method(StrEnum):
    """How somebody paid."""

    CARD = "card"
    CHECK = "check"
    CASH = "cash"


@dataclass(frozen=True, kw_only=True)
class Student:
    """A child at one of our schools."""

    name: str
    school: str


@dataclass(frozen=True, kw_only=True)
class Guardian:
    """Who pays."""

    id: int
    name: str
    email: str
    students: tuple[Student, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """What an invoice asks for."""

    description: str
    amount: int
    quantity: int = 1


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Money that came in; its receipt has the same number."""

    number: str
    invoice: str
    amount: int
    method: Method
    received: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class Instalment:
    """A part of an invoice with a due day of its own."""

    due: date
    amount: int


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """What a guardian owes."""

    number: str
    guardian: int
    due: date
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...] = ()
    plan: tuple[Instalment, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Fee:
    """A row of the district's fee schedule."""

    code: str
    description: str
    amount: int
    valid_from: date
    school: str
