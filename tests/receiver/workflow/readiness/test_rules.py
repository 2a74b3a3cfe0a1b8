"""A ticket that says something passes in any language and format; one that says nothing is asked precisely that."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from pipelines.catalogue.file import read
from pipelines.language import IssueKey, ProjectPath
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import Readiness
from pipelines.language.wire import Ticket, TicketAttachment, TicketComment
from receiver.workflow.readiness import rules

SCENARIOS = sorted(Path("sandbox/scenarios").glob("*/ticket.yml"))
ESTATE = read(Path("sandbox/estate/bug-fix.yml").read_text(), source="bug-fix.yml")
ASKED = {"vague-ticket"}
"""Scenarios whose ticket is asked about."""


def a_ticket(summary: str, description: str = "", **more: Any) -> Ticket:
    return Ticket(key=IssueKey("PL-1"), summary=summary, description=description, **more)


def lacks(ticket: Ticket, catalogue: Catalogue = ESTATE) -> list[str]:
    return [one.lacks for one in rules.gaps(ticket, catalogue)]


def of_one_repository() -> Catalogue:
    path, repository = next(iter(ESTATE.repositories.items()))
    return replace(ESTATE, repositories={path: repository})


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_the_ticket_of_every_scenario_starts_unless_it_is_meant_to_be_asked(path: Path) -> None:
    told = yaml.safe_load(path.read_text())
    catalogue = read(path.with_name("bug-fix.yml").read_text(), source="bug-fix.yml")
    ticket = a_ticket(
        told["summary"],
        told.get("description", ""),
        components=tuple(told.get("components", ())),
        labels=tuple(told.get("labels", ())),
        comments=tuple(TicketComment(author="", body=one["body"], created="") for one in told.get("comments", ())),
        attachments=tuple(
            TicketAttachment(name=Path(one["file"]).name, mime_type=one["mime_type"], size=1)
            for one in told.get("attachments", ())
        ),
    )
    assert bool(lacks(ticket, catalogue)) == (path.parent.name in ASKED)


COMPLETE = {
    "a failure in the summary": a_ticket("Contact creation fails in the frontend for names with an apostrophe"),
    "headings": a_ticket("Totals", "h3. Actual\n\n99.99\n\nh3. Expected\n\n100.00", components=("api",)),
    "Markdown": a_ticket("Totals", "## Observed\n99.99\n## Expected result\n100.00", components=("api",)),
    "labels before a colon": a_ticket("Totals", "*Actual:* 99.99\n*Expected:* 100.00\nSee the api"),
    "list items": a_ticket("Totals", "# Actual: 99.99\n# Expected: 100.00", labels=("legacy-api",)),
    "given, when, then": a_ticket(
        "Instalments", "Given an invoice\nWhen I split it\nThen the api adds up", components=()
    ),
    "a stack trace": a_ticket("Sync", "System.NullReferenceException: x\n   at Api.Sync.Run() in Sync.cs:line 8"),
    "a status": a_ticket("GET /v1/invoices/7 answers 500"),
    "a picture and what should be": a_ticket(
        "Wrong price",
        "It should be $125.",
        attachments=(TicketAttachment(name="a.png", mime_type="image/png", size=1),),
    ),
    "German": a_ticket(
        "Umlaute", "Beim Speichern von Müller im frontend kommt eine Fehlermeldung, der Name wird leer."
    ),
    "German headings": a_ticket("Summe im frontend", "Ist: 99,99\nSoll: 100,00"),
    "French": a_ticket("Facture", "Le total affiché sur le portail est 99,99, il devrait être 100,00 (api)."),
    "Spanish": a_ticket("Factura", "En el frontend el total dice «99,99» y debería decir 100,00."),
    "Japanese": a_ticket("請求書の合計が間違っています", "合計が99.99と表示されます。100.00になるはずです。"),
    "Polish, which no table is about": a_ticket("Faktura", "Suma wynosi 99,99 zamiast 100,00."),
    "an answer in a comment": a_ticket(
        "Totals look odd",
        "See below.",
        comments=(TicketComment(author="Dana", body="The api says 99.99 instead of 100.00: `total`", created=""),),
    ),
    "many words": a_ticket(
        "Odd list",
        "Yesterday afternoon Mrs. Delgado opened her statement at home, sorted it by date, and afterwards the second "
        "instalment of the music program stood above the first one, with the colours of another family, while my own "
        "screen at school showed neither, and nobody here remembers changing anything since the autumn holidays ended.",
    ),
}


@pytest.mark.parametrize("name", COMPLETE)
def test_a_ticket_that_says_something_passes(name: str) -> None:
    assert lacks(COMPLETE[name]) == []


SYMPTOM, EXPECTED, WHERE = "what happens", "what was expected", "where it happens"


@pytest.mark.parametrize(
    ("ticket", "missing"),
    [
        (a_ticket("Contacts don't work", "Please fix it, it is urgent."), [SYMPTOM, EXPECTED, WHERE]),
        (a_ticket("It breaks"), [SYMPTOM, EXPECTED, WHERE]),
        (a_ticket("Bug", "see summary", components=("frontend",)), [SYMPTOM, EXPECTED]),
        (a_ticket("Kaputt", "Bitte dringend reparieren, danke!"), [SYMPTOM, EXPECTED, WHERE]),
        (a_ticket("Ça ne marche pas", "C'est urgent, merci"), [SYMPTOM, EXPECTED, WHERE]),
        (a_ticket("Totals look odd", "The statement says `99.99`.", components=("api",)), [EXPECTED]),
        (a_ticket("Saving a guardian fails with a red box"), [WHERE]),
        (a_ticket("", ""), [SYMPTOM, EXPECTED, WHERE]),
    ],
)
def test_what_a_ticket_does_not_say_is_asked(ticket: Ticket, missing: list[str]) -> None:
    assert lacks(ticket) == missing


def test_each_gap_has_one_question_and_it_offers_what_the_catalogue_knows() -> None:
    found = rules.gaps(a_ticket("It breaks"), ESTATE)
    assert len({one.question for one in found}) == len(rules.RULES)
    keys = [one.key for one in ESTATE.repositories.values()]
    assert all(key in found[-1].question for key in keys)
    assert "what happens or what was expected" in rules.reason(found)


def test_where_there_is_one_repository_nobody_is_asked_which() -> None:
    assert WHERE not in lacks(a_ticket("It breaks"), of_one_repository())


def test_of_many_repositories_some_are_offered() -> None:
    path, repository = next(iter(ESTATE.repositories.items()))
    many = {ProjectPath(f"{path}-{n}"): replace(repository, key=f"part-{n}") for n in range(40)}
    asked = rules.question(rules.gaps(a_ticket("It breaks"), replace(ESTATE, repositories=many)))
    assert "part-7 or another part" in asked
    assert "part-8" not in asked


def test_a_policy_that_asks_nobody_lets_every_ticket_pass() -> None:
    off = replace(ESTATE, policy=replace(ESTATE.policy, readiness=Readiness.OFF))
    assert rules.gaps(a_ticket("It breaks"), off) == ()
