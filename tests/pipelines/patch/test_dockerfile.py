"""Dockerfiles with the values of their arguments in the place of their names, as BuildKit replaces them."""

import pytest

from pipelines.patch.dockerfile import expanded, instructions


def last(text: str) -> str:
    return expanded(instructions(text))[-1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ARG A=x\nFROM $A", "FROM x"),
        ("ARG A=x\nFROM ${A}", "FROM x"),
        ("arg A=x\nfrom $A", "from x"),
        ('ARG A="x y"\nFROM $A', "FROM x y"),
        ("ARG A='x'\nFROM $A", "FROM x"),
        ("FROM $A", "FROM $A"),
        ("FROM ${A}", "FROM ${A}"),
        ("FROM a\nARG A=x\nENV B=$A\nRUN $B", "RUN x"),
        ("FROM a\nENV A=x B=y\nRUN $A$B", "RUN xy"),
        ("FROM a\nENV A x y\nRUN $A", "RUN x y"),
        ("FROM a\nENV A=x y\nRUN $A", "RUN x"),
        ("FROM a\nENV A\nRUN $A", "RUN $A"),
        ("FROM a\nARG A=x B=y\nRUN $A$B", "RUN xy"),
        ("FROM a\nARG A=\nRUN [$A]", "RUN [$A]"),
        ("FROM a\nRUN ARG=x $ARG", "RUN ARG=x $ARG"),
    ],
)
def test_arguments_are_replaced_by_what_they_hold(text: str, line: str) -> None:
    assert last(text) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ARG A=x\nFROM a\nRUN $A", "RUN $A"),
        ("ARG A=x\nFROM a\nARG A\nRUN $A", "RUN x"),
        ("ARG A=x\nFROM a\nARG A=y\nRUN $A", "RUN y"),
        ("ARG A=x\nFROM a\nARG A=y\nFROM $A", "FROM x"),
        ("FROM a\nARG A=x\nFROM b\nRUN $A", "RUN $A"),
        ("FROM a\nARG A\nRUN [$A]", "RUN [$A]"),
        ("FROM a\nARG A=x\nONBUILD RUN $A", "ONBUILD RUN $A"),
        ("FROM a\nONBUILD ARG A=x\nRUN $A", "RUN $A"),
        ("FROM a\nONBUILD ARG A=x\nONBUILD RUN $A", "ONBUILD RUN x"),
    ],
)
def test_a_stage_sees_what_it_declares_and_from_what_stands_before_all(text: str, line: str) -> None:
    assert last(text) == line


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("${A:-b}", "x"),
        ("${B:-b}", "b"),
        ("${B-b}", "b"),
        ("${A:+b}", "b"),
        ("${B:+b}", ""),
        ("${B+b}", ""),
        ("${A:?b}", "x"),
        ("${B:?b}", "${B}"),
        ("${B:-}", ""),
        ("${B:-${A}}", "x"),
        ("${B:-${C:-y}}", "y"),
        ("${A%y}", "x%25y"),
        ("${B%y}", "$B%25y"),
        ("\\$A", "\\x"),
    ],
)
def test_braces_say_what_stands_for_a_variable_that_is_not_set(written: str, read: str) -> None:
    assert last(f"ARG A=x\nFROM {written}") == f"FROM {read}"


def test_what_is_put_in_is_not_read_again() -> None:
    assert last("FROM a\nARG B=x\nENV A='${B'\nRUN $A}") == "RUN ${B}"


def test_a_line_that_variables_would_make_very_long_stays_as_it_is() -> None:
    assert last(f"FROM a\nENV A={'x' * 1500}\nRUN $A") == f"RUN {'x' * 1500}"
    assert last(f"FROM a\nENV A={'x' * 1500}\nRUN $A$A") == "RUN $A$A"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("RUN a \\\n b", ["RUN a   b"]),
        ("RUN a \\ \n\n# c\n b", ["RUN a   b"]),
        ("RUN a\nRUN b", ["RUN a", "RUN b"]),
        ("# escape=`\nRUN a `\n b", ["# escape=", "RUN a   b"]),
        ("# syntax=x\n# ESCAPE = `\nRUN a `\n b", ["# syntax=x", "# ESCAPE =", "RUN a   b"]),
        ("# escape=`\nRUN a \\\n b", ["# escape=", "RUN a \\", " b"]),
        ("RUN a\n# escape=`\nRUN a `\n b", ["RUN a", "# escape=", "RUN a `", " b"]),
        ("# a \\\nFROM b", ["# a", "FROM b"]),
        ("  # a \\\nFROM b", ["  # a", "FROM b"]),
        ("RUN a \\\n# b \\\n c", ["RUN a   c"]),
        ("RUN a # b \\\n c", ["RUN a # b   c"]),
    ],
)
def test_instructions_go_on_where_their_line_ends_with_the_escape_character(text: str, lines: list[str]) -> None:
    assert instructions(text) == lines
