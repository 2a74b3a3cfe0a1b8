"""Assertions that say nothing about an application are recognised; those that do are left alone."""

from __future__ import annotations

import pytest

from pipelines.language import Framework
from pipelines.proof.hollow_assertions import hollow

SPEAKING_PYTHON = (
    "assert response.status == 201",
    "assert page.title() == 'Contacts'",
    "assert ok",
    "assert not rows",
    "expect(page.get_by_text('x')).to_be_visible()",
    "assert (\n    response.status\n    == 201\n)",
)
HOLLOW_PYTHON = (
    "assert False",
    "assert False, 'see?'",
    "assert 1 == 2",
    "assert 'a' in ('b', 'c')",
    "assert not True",
    "raise AssertionError('it fails')",
)
SPEAKING_SCRIPT = (
    "expect(response.status()).toBe(201);",
    "await expect(page.getByRole('link', { name: 'x' })).toBeVisible();",
    "expect(await page.title()).toBe('Contacts');",
    "expect('Contacts').toBe(await page.title());",
    "expect(names).toEqual([]);",
    "assert.strictEqual(response.status(), 201);",
)
HOLLOW_SCRIPT = (
    "expect(true).toBe(false);",
    "expect(1).not.toBe(1);",
    "expect.soft('a').toBe('b');",
    "expect(false, 'see?').toBeTruthy();",
    "throw new assert.AssertionError({ message: 'x' });",
    "assert.fail('x');",
    "assert(false);",
)


def script_place(statement: str) -> int:
    """Return the column that Playwright gives: where the matcher's name begins."""
    return next((statement.index(word) + 1 for word in ("toB", "toE") if word in statement), 1)


@pytest.mark.parametrize("statement", SPEAKING_PYTHON)
def test_python_that_asks_the_application_is_left_alone(statement: str) -> None:
    assert hollow(f"def test_it(page):\n{_indented(statement)}".encode(), framework=Framework.PYTEST, line=2) is None


@pytest.mark.parametrize("statement", HOLLOW_PYTHON)
def test_python_that_fails_by_itself_is_named(statement: str) -> None:
    said = hollow(f"def test_it(page):\n{_indented(statement)}".encode(), framework=Framework.PYTEST, line=2)
    assert said is not None
    assert "application" in said


@pytest.mark.parametrize("statement", SPEAKING_SCRIPT)
def test_a_script_that_asks_the_application_is_left_alone(statement: str) -> None:
    place = script_place(statement)
    assert hollow(b"// x\n" + statement.encode(), framework=Framework.PLAYWRIGHT_TEST, line=2, column=place) is None


@pytest.mark.parametrize("statement", HOLLOW_SCRIPT)
def test_a_script_that_fails_by_itself_is_named(statement: str) -> None:
    place = script_place(statement)
    said = hollow(b"// x\n" + statement.encode(), framework=Framework.PLAYWRIGHT_TEST, line=2, column=place)
    assert said is not None
    assert "application" in said


def test_a_constant_on_lines_of_its_own_is_named() -> None:
    source = b"expect(\n  true\n).toBe(false)\n"
    assert hollow(source, framework=Framework.PLAYWRIGHT_TEST, line=3, column=3) is not None


@pytest.mark.parametrize("framework", list(Framework))
def test_a_place_that_is_not_there_says_nothing(framework: Framework) -> None:
    assert hollow(b"def broken(:\n", framework=framework, line=99, column=7) is None


def _indented(statement: str) -> str:
    return "\n".join(f"    {line}" for line in statement.splitlines())
