"""A diagnosis is data; its sentence is made of it, and only a reader that knows its kind takes it."""

from __future__ import annotations

import msgspec
import pytest

from pipelines.language import Diagnosis, DiagnosisKind, Location, Phase, ProjectPath
from pipelines.language.diagnosis import HEADS, sentence, sentences
from pipelines.language.wire import decode, encode

CONTACTS = ProjectPath("payk12/contacts")
FINDING = Diagnosis(
    kind=DiagnosisKind.REVIEW_FINDING,
    phase=Phase.REVIEW,
    repository=CONTACTS,
    messages=("Names of two words break.", "Suggestion: Quote both."),
    location=Location(repository=CONTACTS, file="src/a.py", line=3),
)


def test_every_kind_has_its_words() -> None:
    assert set(HEADS) == set(DiagnosisKind)
    said = [sentence(Diagnosis(kind=kind, messages=("It broke",))) for kind in DiagnosisKind]
    assert len(set(said)) == len(said)
    assert all(one.endswith(".") for one in said)


@pytest.mark.parametrize(
    ("diagnosis", "said"),
    [
        (
            FINDING,
            f"{HEADS[FINDING.kind]}: payk12/contacts, src/a.py:3: Names of two words break. Suggestion: Quote both.",
        ),
        (
            Diagnosis(
                kind=DiagnosisKind.REVIEW_FINDING, location=Location(repository=CONTACTS, file="src/a.py", line=0)
            ),
            "The review found what must be fixed: src/a.py.",
        ),
        (
            Diagnosis(kind=DiagnosisKind.FAILING_TESTS, tests=("a", "b", "c", "d", "e", "f", "g")),
            "Tests fail with the change: a, b, c, d, e, 2 more.",
        ),
        (Diagnosis(kind=DiagnosisKind.UNCLASSIFIED, messages=("Two tests failed!",)), "Two tests failed!"),
    ],
)
def test_a_sentence_says_what_where_and_which_tests(diagnosis: Diagnosis, said: str) -> None:
    assert sentence(diagnosis) == said


def test_several_are_told_in_their_order() -> None:
    question = Diagnosis(kind=DiagnosisKind.QUESTION)
    assert sentences((question, FINDING), between="\n\n") == f"{sentence(question)}\n\n{sentence(FINDING)}"
    assert not sentences(())


def test_what_says_nothing_is_not_sent_and_everything_else_arrives() -> None:
    assert msgspec.json.decode(encode(Diagnosis(kind=DiagnosisKind.QUESTION))) == {"kind": "question"}
    assert decode(encode(FINDING), Diagnosis) == FINDING


def test_a_kind_that_a_reader_does_not_know_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="kind"):
        decode(b'{"kind": "boredom"}', Diagnosis)
