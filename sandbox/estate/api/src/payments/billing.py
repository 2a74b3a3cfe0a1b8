"""The rules of billing. Decides, stores nothing; today's date is passed in."""

import calendar
from datetime import date

from payments.model import Instalment, Invoice, Status

MOST_PARTS = 12


def total(invoice: Invoice) -> int:
    """Return what an invoice asks for in all."""
    return sum(line.amount * line.quantity for line in invoice.lines)


def balance(invoice: Invoice) -> int:
    """Return what is still open."""
    return total(invoice) - sum(payment.amount for payment in invoice.payments)


def status(invoice: Invoice, today: date) -> Status:
    """Say where an invoice stands."""
    if balance(invoice) <= 0:
        return Status.PAID
    if next_due(invoice) < today:
        return Status.OVERDUE
    return Status.PARTLY_PAID if invoice.payments else Status.OPEN


def next_due(invoice: Invoice) -> date:
    """Return when the next money is due: with a plan, with its first part that is not covered."""
    paid = total(invoice) - balance(invoice)
    for part in invoice.plan:
        paid -= part.amount
        if paid < 0:
            return part.due
    return invoice.plan[-1].due if invoice.plan else invoice.due


def instalments(amount: int, parts: int, first_due: date) -> tuple[Instalment, ...]:
    """Split an amount into monthly parts."""
    part = amount // parts
    return tuple(Instalment(due=month_after(first_due, index), amount=part) for index in range(parts))


def month_after(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
