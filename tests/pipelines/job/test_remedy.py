"""A remedy as a job: the repository's real formatter on a fix whose lint failed, verified before it is handed in."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    Check,
    CheckOutput,
    Diagnosis,
    DiagnosisKind,
    FileRationale,
    FixSubmission,
    ImplementationResult,
    Phase,
    ReportOutcome,
)
from pipelines.language.change_set import ChangeSet, read_change_set, write_change_set
from pipelines.language.remedy import Action, Maker, Match, Remedy, RepositoryCommand, Verification
from tests.changes import change_set, file_change
from tests.pipelines.job.conftest import REPOSITORY

pytestmark = pytest.mark.integration

LIMITS = "src/contacts/limits.py"
FORMATTING = Remedy(
    id="formatting",
    title="Formatting violations",
    match=Match(says=("would reformat",)),
    remedy="Run the formatter.",
    tier=1,
    confidence=Decimal(1),
    action=Action.COMMIT,
    made_by=Maker.COMMAND,
    command=RepositoryCommand.FORMAT,
    verified_by=Verification.FAILING_COMMAND,
)
FORMAT = f"ruff format --isolated {LIMITS}"
LINT = f"ruff check --isolated {LIMITS} && ruff format --isolated --check {LIMITS}"
WRONG = Diagnosis(
    kind=DiagnosisKind.REGRESSION,
    phase=Phase.TESTING,
    repository=REPOSITORY,
    output=(CheckOutput(check=Check.LINT, lines=(f"Would reformat: {LIMITS}",)),),
    attempt=1,
)
FIX = FixSubmission(summary="s", files=[FileRationale(file=LIMITS, rationale="It quotes.")], risk="r", rollback="b")
Mend = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mend(receiver: Any, do_job: Any) -> Mend:
    """Let the job apply a remedy to what stands behind the source's end, and return how it ended."""

    def run(text: str, *, format: str, lint: str = LINT, diagnoses: tuple[Diagnosis, ...] = (WRONG,)) -> Any:  # noqa: A002  # as in the catalogue
        change = change_set(file_change(LIMITS, None, text), base=receiver.base_sha)
        commands = replace(repository(receiver).stack.commands, format=format, lint=lint)
        stack = replace(repository(receiver).stack, commands=commands)
        known = {REPOSITORY: replace(repository(receiver), stack=stack)}
        receiver.catalogue = replace(receiver.catalogue, repositories=known)
        fix = ImplementationResult(
            base_sha=receiver.base_sha, patch_sha256="b" * 64, files=(LIMITS,), insertions=1, deletions=0, fix=FIX
        )
        receiver.told = {
            "agent": None,
            "remedy": FORMATTING,
            "previous_patch": write_change_set(change),
            "fix": fix,
            "diagnoses": diagnoses,
        }
        return do_job(Phase.IMPLEMENTATION)

    return run


def repository(receiver: Any) -> Any:
    return receiver.catalogue.repositories[REPOSITORY]


def handed_in(receiver: Any) -> tuple[ImplementationResult, ChangeSet]:
    (report,) = receiver.new_reports()
    assert report.outcome is ReportOutcome.SUCCEEDED, report.reason
    assert isinstance(report.result, ImplementationResult)
    return report.result, read_change_set(receiver.blobs[report.result.patch_sha256])


UGLY = "LIMITS = {'a' :1,   'b':2}\n"


def test_the_repositorys_own_formatter_mends_the_fix_and_lint_is_green_before_it_is_handed_in(
    mend: Mend, receiver: Any
) -> None:
    done = mend(UGLY, format=f"{FORMAT} && ruff check --isolated --fix {LIMITS}")
    assert done.returncode == 0, done.stdout
    result, change = handed_in(receiver)
    (file,) = change.files
    assert file.after is not None
    assert file.after.content.decode() == 'LIMITS = {"a": 1, "b": 2}\n'
    assert result.fix.files == [
        FileRationale(file=LIMITS, rationale="It quotes. Remedy formatting: `commands.format` was run on it.")
    ]
    assert receiver.purposes == [], "no model was asked"
    (report,) = receiver.new_reports()
    assert (report.agent, report.turns) == (None, 0)


def test_a_formatter_touches_no_file_that_the_fix_did_not(mend: Mend, receiver: Any) -> None:
    done = mend(UGLY, format=f"{FORMAT} && echo tidy >> README.md && touch new.txt")
    assert done.returncode == 0, done.stdout
    _, change = handed_in(receiver)
    assert [file.path for file in change.files] == [LIMITS]


@pytest.mark.parametrize(
    ("text", "tidy", "why"),
    [
        ("LIMITS = {'a':1}\nx = undefined\n", FORMAT, "lint still ends with 1"),
        (UGLY, "true", "`commands.format` changes nothing of the fix"),
        (UGLY, "exit 3", "`commands.format` ends with 3"),
        (UGLY, f"{FORMAT} && ln -sf /etc/passwd {LIMITS}", "what it changes is refused: "),
    ],
    ids=["lint finds more", "nothing done", "broken", "refused"],
)
def test_a_remedy_that_verifies_red_is_handed_in_as_a_no_without_a_change(
    mend: Mend,
    receiver: Any,
    text: str,
    tidy: str,
    why: str,
) -> None:
    mend(text, format=tidy)
    (report,) = receiver.new_reports()
    assert (report.outcome, report.result) == (ReportOutcome.REJECTED, None)
    assert report.reason.startswith(f"The remedy formatting does not heal it: {why}")


def test_nothing_is_handed_in_where_nothing_says_which_check_failed(mend: Mend, receiver: Any) -> None:
    mend(UGLY, format=FORMAT, diagnoses=())
    (report,) = receiver.new_reports()
    assert report.reason == "The remedy formatting does not heal it: nothing says which check failed."
