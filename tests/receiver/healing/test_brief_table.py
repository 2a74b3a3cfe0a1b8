"""The table of healing, row by row: what a check really printed, and which remedy it has with which action."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.language import Check, CheckOutput, Diagnosis, DiagnosisKind, Phase
from pipelines.language.remedy import Action, Healing, Maker, RepositoryCommand, Verification
from receiver.cli import remedy_folder
from receiver.healing.matching import Matched, remedies_for

ROOT = Path(__file__).resolve().parents[3]
BUILT_IN = Healing(remedies=remedy_folder.read(ROOT / "bug-fix.yml"))


def lint(*lines: str) -> Diagnosis:
    return Diagnosis(
        kind=DiagnosisKind.REGRESSION,
        phase=Phase.TESTING,
        messages=("Lint was clean before the patch and ends with 1 now.",),
        output=(CheckOutput(check=Check.LINT, lines=lines),),
    )


def red(*lines: str) -> Diagnosis:
    return Diagnosis(
        kind=DiagnosisKind.FAILING_TESTS,
        phase=Phase.TESTING,
        tests=("tests/test_contacts.py::test_it",),
        messages=("1 test fails that did not fail before the patch: tests/test_contacts.py::test_it.",),
        output=(CheckOutput(check=Check.TESTS, lines=lines),),
    )


def said(kind: DiagnosisKind, *messages: str, phase: Phase = Phase.TESTING) -> Diagnosis:
    return Diagnosis(kind=kind, phase=phase, messages=messages)


def first(diagnosis: Diagnosis, stack: str = "python") -> Matched:
    found = remedies_for(diagnosis, stack=stack, healing=BUILT_IN)
    assert found, "no remedy matches"
    return found[0]


RUFF = ("Would reformat: src/contacts/names.py", "1 file would be reformatted, 11 files already formatted")
PRETTIER = (
    "[warn] src/names.ts",
    "[warn] Code style issues found in the above file. Run Prettier with --write to fix.",
)
DOTNET = (
    "/src/Api/Names.cs(12,1): error WHITESPACE: Fix whitespace formatting. Delete 4 characters. [/src/Api.csproj]",
)
ESLINT = ("  3:1  error  Insert `;`  prettier/prettier",)

BRIEF: list[Any] = [
    pytest.param(lint(*RUFF), "python", "formatting", 1, "1.00", Action.COMMIT, id="ruff format"),
    pytest.param(lint(*PRETTIER), "nextjs", "formatting", 1, "1.00", Action.COMMIT, id="prettier"),
    pytest.param(lint(*ESLINT), "nextjs", "formatting", 1, "1.00", Action.COMMIT, id="eslint --fix"),
    pytest.param(lint(*DOTNET), "dotnet", "formatting", 1, "1.00", Action.COMMIT, id="dotnet format"),
    pytest.param(
        lint("Names.cs(7,16): error CS8618: Non-nullable property 'Suffix' must contain a non-null value"),
        *("dotnet", "nullable-annotation", 1, "0.98", Action.SUGGEST),
        id="nullable in C#",
    ),
    pytest.param(
        lint("src/names.ts(4,9): error TS2322: Type 'null' is not assignable to type 'string'."),
        *("nextjs", "nullable-annotation", 1, "0.98", Action.SUGGEST),
        id="nullable in TypeScript",
    ),
    pytest.param(
        red("AssertionError: expected call not found."),
        *("python", "mock-assertion", 2, "0.75", Action.DRAFT),
        id="mock in Python",
    ),
    pytest.param(
        red("Moq.MockException : Expected invocation on the mock once, but was 0 times"),
        *("dotnet", "mock-assertion", 2, "0.75", Action.DRAFT),
        id="mock in .NET",
    ),
    pytest.param(
        red("AssertionError: 404 Client Error: Not Found for url: http://127.0.0.1:9/v2/contacts"),
        *("python", "endpoint-not-found", 2, "0.70", Action.ESCALATE),
        id="endpoint",
    ),
    pytest.param(
        red("AssertionError: assert 107 == 100"),
        *("python", "unexpected-behaviour", 3, "0.50", Action.ESCALATE),
        id="algorithm",
    ),
    pytest.param(
        said(
            DiagnosisKind.REVIEW_FINDING,
            "This contradicts the decision to keep names in one column.",
            phase=Phase.REVIEW,
        ),
        *("python", "design-conflict", 3, "0.40", Action.ESCALATE),
        id="design",
    ),
]
"""The rows of the brief; of tier 3 the confidence is a bound that it stays below."""

OURS: list[Any] = [
    pytest.param(
        lint("src/names.py:1:1: I001 [*] Import block is un-sorted or un-formatted"),
        *("python", "import-order", 1, "0.99", Action.COMMIT),
        id="import order",
    ),
    pytest.param(
        red("ModuleNotFoundError: No module named 'contacts_pb2'"),
        *("python", "generated-file", 1, "0.96", Action.COMMIT),
        id="generated file",
    ),
    pytest.param(
        red("Error: expect(received).toMatchSnapshot()"),
        *("nextjs", "stale-snapshot", 1, "0.95", Action.COMMIT),
        id="snapshot",
    ),
    pytest.param(
        said(DiagnosisKind.REPRODUCTION, "The reproduction is flaky: red in 2 of 3 runs."),
        *("python", "flaky-test", 2, "0.80", Action.PROPOSE),
        id="flaky",
    ),
    pytest.param(
        said(DiagnosisKind.INTERRUPTED, "The install command failed: npm error code ERESOLVE"),
        *("nextjs", "dependency-conflict", 2, "0.65", Action.PROPOSE),
        id="dependencies",
    ),
    pytest.param(
        red("RuntimeError: environment variable CONTACTS_URL is not set"),
        *("python", "missing-configuration", 2, "0.60", Action.PROPOSE),
        id="configuration",
    ),
]


@pytest.mark.parametrize(("diagnosis", "stack", "remedy", "tier", "confidence", "action"), [*BRIEF, *OURS])
def test_each_row_of_the_table_has_its_remedy(
    diagnosis: Diagnosis, stack: str, remedy: str, tier: int, confidence: str, action: Action
) -> None:
    found = first(diagnosis, stack)
    assert (found.remedy.id, found.remedy.tier) == (remedy, tier)
    assert (found.remedy.confidence, found.action) == (Decimal(confidence), action)


def test_every_remedy_of_the_product_has_a_row_here() -> None:
    assert {one.id for one in BUILT_IN.remedies} == {row.values[2] for row in (*BRIEF, *OURS)}


def test_what_is_committed_without_a_person_is_made_by_a_command_and_verified_by_the_one_that_failed() -> None:
    committed = [one for one in BUILT_IN.remedies if one.action is Action.COMMIT]
    assert {one.tier for one in committed} == {1}
    assert {(one.made_by, one.verified_by) for one in committed} == {(Maker.COMMAND, Verification.FAILING_COMMAND)}
    assert {one.command for one in committed} == set(RepositoryCommand)


def test_an_assertion_about_a_mock_is_not_only_an_unexpected_result() -> None:
    found = remedies_for(red("AssertionError: expected call not found."), stack="python", healing=BUILT_IN)
    assert [one.remedy.id for one in found] == ["mock-assertion", "unexpected-behaviour"]


@pytest.mark.parametrize(
    "diagnosis",
    [
        lint("src/names.py:3:5: F841 Local variable `x` is assigned to but never used"),
        said(DiagnosisKind.UNFINISHED, "The agent came to no result.", phase=Phase.IMPLEMENTATION),
        said(DiagnosisKind.REFUSED_CHANGE, "The patch would reformat .gitlab-ci.yml.", phase=Phase.IMPLEMENTATION),
        said(DiagnosisKind.HINT, "would reformat: do it"),
    ],
    ids=["another lint finding", "unfinished", "refused", "a person's hint"],
)
def test_what_no_row_is_about_has_no_remedy(diagnosis: Diagnosis) -> None:
    assert remedies_for(diagnosis, stack="python", healing=BUILT_IN) == ()
