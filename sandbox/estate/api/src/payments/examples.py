"""A few families to begin with when there is no database file."""

from datetime import date

from payments.model import Line, Method, Student
from payments.store import Store


def fill(store: Store) -> None:
    """Store the examples."""
    okafor = store.add_guardian(
        "Amara Okafor",
        "amara.okafor@example.org",
        [
            Student(name="Chidi Okafor", school="Lincoln Elementary"),
            Student(name="Ada Okafor", school="Roosevelt High"),
        ],
    )
    lunch = store.add_invoice(
        okafor, date(2026, 11, 1), [Line(description="Lunch account, October", amount=6480)]
    )
    store.pay(lunch, 6480, Method.CARD)
    store.add_invoice(
        okafor,
        date(2027, 2, 1),
        [
            Line(description="Band, instrument rental", amount=4500),
            Line(description="Field trip", amount=1250, quantity=2),
        ],
    )
    delgado = store.add_guardian(
        "Rosa Delgado",
        "rosa.delgado@example.org",
        [Student(name="Mateo Delgado", school="Lincoln Elementary")],
    )
    store.add_invoice(
        delgado, date(2027, 1, 1), [Line(description="After-school program, fall", amount=10000)]
    )
    smith = store.add_guardian(
        "Jordan Smith", "j_smith@example.org", [Student(name="Riley Smith", school="Jefferson Middle School")]
    )
    store.add_invoice(smith, date(2026, 12, 15), [Line(description="Yearbook", amount=1999)])
    store.add_guardian(
        "Jasmin Smithers",
        "jasmith@example.org",
        [Student(name="Noor Smithers", school="Jefferson Middle School")],
    )
