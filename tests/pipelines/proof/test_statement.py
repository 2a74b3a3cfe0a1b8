"""What runs showed of a fix, and what they did not, in words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipelines.language import FileWord, Isolation, NamedTest, ProbedFile, Proof
from pipelines.language import TestingResult as Result
from pipelines.language import TestWord as Word
from pipelines.proof.statement import contradicted, needs_people, not_shown, shown

RESULT = Result(
    base_sha="a" * 40,
    patch_sha256="b" * 64,
    test_sha256="c" * 64,
    reproduction_before_failed=True,
    reproduction_after_passed=True,
    suite=None,
    new_failures=(),
)
NEEDED = ProbedFile(path="src/a.py", word=FileWord.NEEDED, reason="x")


def of(proof: Proof) -> Result:
    return replace(RESULT, proof=proof)


def test_what_was_shown_is_named_run_by_run() -> None:
    proof = Proof(isolation=Isolation.USERS, base_tests=31, base_passed=31, red_tests=("a", "b", "c"), files=(NEEDED,))
    assert shown(of(proof)) == (
        "reproduction ✗ → ✓ (isolation: users)",
        "31/31 of the old tests (as the test run reports)",
        "3 new tests red on the old code",
        "every changed file is needed",
    )
    assert not_shown(of(proof)) == ()


def test_what_was_not_run_is_not_shown() -> None:
    assert shown(replace(RESULT, reproduction_before_failed=False)) == ()
    assert shown(replace(RESULT, reproduction_after_passed=False)) == ()
    assert shown(RESULT) == ("reproduction ✗ → ✓ (isolation: none)",)


@pytest.mark.parametrize("isolation", ["namespaces", "users", "none"])
def test_how_far_code_was_kept_apart_stands_beside_the_reproduction(isolation: str) -> None:
    assert shown(of(Proof(isolation=Isolation(isolation)))) == (f"reproduction ✗ → ✓ (isolation: {isolation})",)


@pytest.mark.parametrize("word", list(Word))
def test_each_word_on_a_test_has_its_clause(word: Word) -> None:
    (clause,) = not_shown(of(Proof(tests=tuple(NamedTest(name=f"t::{n}", word=word) for n in range(7)))))
    assert clause.startswith("t::0, t::1, t::2, t::3, t::4 and 2 more: ")
    assert clause.endswith(f"({word.replace('_', ' ')})")
    (clause,) = not_shown(of(Proof(tests=tuple(NamedTest(name=f"t::{n}", word=word) for n in range(5)))))
    assert clause.startswith("t::0, t::1, t::2, t::3, t::4: ")


@pytest.mark.parametrize("word", [FileWord.UNEXPLAINED, FileWord.INCONCLUSIVE, FileWord.NOT_PROBED])
def test_each_word_on_a_file_has_its_clause(word: FileWord) -> None:
    one, other = (ProbedFile(path=f"src/{name}.py", word=word, reason="it is a migration") for name in "bc")
    proof = of(Proof(files=(NEEDED, one, other, ProbedFile(path="src/d.py", word=word))))
    (clause,) = not_shown(proof)
    assert clause.startswith("src/b.py, src/c.py, src/d.py: ")
    detail = "" if word is FileWord.UNEXPLAINED else ": it is a migration"
    assert clause.endswith(f"({word.replace('_', ' ')}{detail})")
    assert "every changed file is needed" not in shown(proof)
    (clause,) = not_shown(of(Proof(files=(ProbedFile(path="src/d.py", word=word),))))
    assert clause.endswith(f"({word.replace('_', ' ')})")


def test_only_contradicted_tests_are_named_as_that() -> None:
    assert contradicted(of(Proof(tests=tuple(NamedTest(name=word, word=word) for word in Word)))) == (
        Word.CONTRADICTED,
    )


def test_people_merge_what_base_tests_speak_against() -> None:
    assert [needs_people(of(Proof(tests=(NamedTest(name="t", word=word),)))) for word in Word] == [
        True,
        True,
        False,
        False,
    ]
