"""Keep everything in SQLite. The only module with SQL in it."""

import sqlite3
import threading
from collections.abc import Iterable
from datetime import UTC, date, datetime

from payments.billing import balance
from payments.model import Guardian, Instalment, Invoice, Line, Method, Payment, Student

SCHEMA = """
CREATE TABLE IF NOT EXISTS guardians (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS students (
    guardian INTEGER NOT NULL REFERENCES guardians, name TEXT NOT NULL, school TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS invoices (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, guardian INTEGER NOT NULL REFERENCES guardians,
    due TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS lines (
    invoice TEXT NOT NULL REFERENCES invoices (number), description TEXT NOT NULL, amount INTEGER NOT NULL,
    quantity INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY, invoice TEXT NOT NULL REFERENCES invoices (number), amount INTEGER NOT NULL,
    method TEXT NOT NULL, received TEXT NOT NULL, idempotency_key TEXT UNIQUE
);
CREATE TABLE IF NOT EXISTS instalments (
    invoice TEXT NOT NULL REFERENCES invoices (number), due TEXT NOT NULL, amount INTEGER NOT NULL
);
"""


class TooMuch(Exception):
    """A payment is more than what is open."""


class Store:
    """All guardians, invoices and payments. One connection behind one lock: writes are few."""

    def __init__(self, database: str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(database, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def add_guardian(self, name: str, email: str, students: Iterable[Student] = ()) -> int:
        """Store a guardian and return the id."""
        with self._lock, self._connection:
            row = self._connection.execute("INSERT INTO guardians (name, email) VALUES (?, ?)", (name, email))
            self._connection.executemany(
                "INSERT INTO students VALUES (?, ?, ?)",
                [(row.lastrowid, student.name, student.school) for student in students],
            )
            return row.lastrowid

    def guardian(self, guardian_id: int) -> Guardian | None:
        """Return one guardian, or None."""
        found = self._guardians("WHERE id = ?", (guardian_id,))
        return found[0] if found else None

    def search_guardians(self, text: str) -> list[Guardian]:
        """Return the guardians whose name or email address holds the text, by name."""
        pattern = f"%{text}%"
        return self._guardians(
            "WHERE name LIKE ? OR email LIKE ? ORDER BY name COLLATE NOCASE, id", (pattern, pattern)
        )

    def add_invoice(self, guardian: int, due: date, lines: Iterable[Line]) -> str:
        """Store an invoice and return its number."""
        with self._lock, self._connection:
            highest = self._one("SELECT coalesce(max(id), 0) FROM invoices")
            number = f"CV-{due.year}-{highest + 1:04d}"
            self._connection.execute(
                "INSERT INTO invoices (number, guardian, due) VALUES (?, ?, ?)",
                (number, guardian, due.isoformat()),
            )
            self._connection.executemany(
                "INSERT INTO lines VALUES (?, ?, ?, ?)",
                [(number, line.description, line.amount, line.quantity) for line in lines],
            )
            return number

    def invoice(self, number: str) -> Invoice | None:
        """Return one invoice by its number, or None."""
        found = self._invoices("WHERE number = ?", (number,))
        return found[0] if found else None

    def invoices(self, guardian: int | None = None) -> list[Invoice]:
        """Return all invoices, or those of a guardian, the earliest due day first."""
        if guardian is None:
            return self._invoices("ORDER BY due, id", ())
        return self._invoices("WHERE guardian = ? ORDER BY due, id", (guardian,))

    def pay(self, number: str, amount: int, method: Method, *, key: str | None = None) -> Payment:
        """Take a payment once for each key. Raises TooMuch when it is more than is open."""
        with self._lock, self._connection:
            if key is not None:
                known = self._payments("WHERE idempotency_key = ?", (key,))
                if known:
                    return known[0]
            if amount > sum(balance(invoice) for invoice in self._invoices("WHERE number = ?", (number,))):
                raise TooMuch
            values = (number, amount, method.value, datetime.now(UTC).isoformat(timespec="seconds"), key)
            row = self._connection.execute(
                "INSERT INTO payments (invoice, amount, method, received, idempotency_key) "
                "VALUES (?, ?, ?, ?, ?)",
                values,
            )
            return self._payments("WHERE id = ?", (row.lastrowid,))[0]

    def payment(self, number: str) -> Payment | None:
        """Return one payment by its receipt's number, or None."""
        if not number.startswith("R-") or not number[2:].isascii() or not number[2:].isdigit():
            return None
        found = self._payments("WHERE id = ?", (int(number[2:]),))
        return found[0] if found else None

    def plan(self, number: str, parts: Iterable[Instalment]) -> None:
        """Replace an invoice's instalments."""
        with self._lock, self._connection:
            self._connection.execute("DELETE FROM instalments WHERE invoice = ?", (number,))
            self._connection.executemany(
                "INSERT INTO instalments VALUES (?, ?, ?)",
                [(number, part.due.isoformat(), part.amount) for part in parts],
            )

    def count(self) -> int:
        """Return how many guardians there are."""
        with self._lock:
            return self._one("SELECT count(*) FROM guardians")

    def _one(self, statement: str) -> int:
        return int(self._connection.execute(statement).fetchone()[0])

    def _rows(self, statement: str, values: tuple[object, ...]) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _guardians(self, which: str, values: tuple[object, ...]) -> list[Guardian]:
        return [
            Guardian(
                id=row["id"],
                name=row["name"],
                email=row["email"],
                students=tuple(
                    Student(**student)
                    for student in self._rows(
                        "SELECT name, school FROM students WHERE guardian = ?", (row["id"],)
                    )
                ),
            )
            for row in self._rows(f"SELECT * FROM guardians {which}", values)
        ]

    def _invoices(self, which: str, values: tuple[object, ...]) -> list[Invoice]:
        return [self._invoice(row) for row in self._rows(f"SELECT * FROM invoices {which}", values)]

    def _invoice(self, row: sqlite3.Row) -> Invoice:
        number = (row["number"],)
        lines = self._rows("SELECT description, amount, quantity FROM lines WHERE invoice = ?", number)
        parts = self._rows("SELECT due, amount FROM instalments WHERE invoice = ? ORDER BY due", number)
        return Invoice(
            number=row["number"],
            guardian=row["guardian"],
            due=date.fromisoformat(row["due"]),
            lines=tuple(Line(**line) for line in lines),
            payments=tuple(self._payments("WHERE invoice = ? ORDER BY id", number)),
            plan=tuple(
                Instalment(due=date.fromisoformat(part["due"]), amount=part["amount"]) for part in parts
            ),
        )

    def _payments(self, which: str, values: tuple[object, ...]) -> list[Payment]:
        return [
            Payment(
                number=f"R-{row['id']:06d}",
                invoice=row["invoice"],
                amount=row["amount"],
                method=Method(row["method"]),
                received=row["received"],
            )
            for row in self._rows(f"SELECT * FROM payments {which}", values)
        ]
