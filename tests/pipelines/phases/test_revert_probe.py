"""How long changed files are taken back, one at a time, and that what was not reached is named."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.job.communication.errors import CommandsError
from pipelines.job.communication.job_log import JobLog
from pipelines.language import FileWord, ProbedFile, Proof
from pipelines.language import TestingResult as PatchTested
from pipelines.language.policy import Policy
from pipelines.patch.revert_variants import RevertPlan, Variant
from pipelines.phases.revert_probe import Probe, probed
from pipelines.proof.statement import not_shown
from tests.changes import change_set

MIGRATION = ProbedFile(path="migrations/1.py", word=FileWord.NOT_PROBED, reason="it is a migration")
RESULT = PatchTested(
    base_sha="a" * 40,
    patch_sha256="b" * 64,
    test_sha256="c" * 64,
    reproduction_before_failed=True,
    reproduction_after_passed=True,
    suite=None,
    new_failures=(),
)


class UnbuildableJob:
    """A job whose checkouts take some minutes and then don't build: each variant's file is needed."""

    def __init__(self, *, proof_minutes: int, variant_minutes: float) -> None:
        self.seconds = 1_000.0
        self.log = JobLog()
        self._variant_minutes = variant_minutes
        self.policy = Policy(proof_minutes=proof_minutes)

    @property
    def spec(self) -> Any:
        return self

    @property
    def catalogue(self) -> Any:
        return self

    @property
    def launcher(self) -> Any:
        return self

    def renew(self, _: object) -> None:
        pass

    def neighbours(self, *_: object) -> tuple[()]:
        return ()

    def check_out(self, *_: object, **__: object) -> Any:
        self.seconds += 60 * self._variant_minutes
        raise CommandsError("Installing failed.")


def words(job: UnbuildableJob, *paths: str, left_out: tuple[ProbedFile, ...] = (MIGRATION,)) -> tuple[ProbedFile, ...]:
    given: Any = job
    nothing: Any = None
    probe = Probe(job=given, bench=nothing, script=nothing, names=(), change=change_set(), new_tests=())
    plan = RevertPlan(variants=tuple(Variant(path=path, without=(path,)) for path in paths), left_out=left_out)
    return tuple(probed(probe, plan, is_red_without=True, clock=lambda: job.seconds))


@pytest.mark.parametrize(
    ("proof_minutes", "variant_minutes", "reached"),
    [
        (0, 1, ""),
        (10, 0, "abcd"),
        (10, 2, "abcd"),
        (10, 3, "abc"),
        (10, 4, "ab"),
        (10, 5, "a"),  # the next would end when the time does
        (10, 60, "a"),
    ],
)
def test_no_variant_begins_that_would_not_fit_into_the_policys_minutes(
    proof_minutes: int, variant_minutes: float, reached: str
) -> None:
    found = words(UnbuildableJob(proof_minutes=proof_minutes, variant_minutes=variant_minutes), *"abcd")
    assert {one.path: one.word for one in found if one != MIGRATION} == {
        path: FileWord.NEEDED if path in reached else FileWord.NOT_PROBED for path in "abcd"
    }


def test_what_the_minutes_did_not_suffice_for_is_named_with_that_reason() -> None:
    files = words(UnbuildableJob(proof_minutes=10, variant_minutes=6), "a.py", "b.py", "c.py")
    (said,) = not_shown(replace(RESULT, proof=Proof(files=files)))
    assert said == (
        "migrations/1.py, b.py, c.py: not taken back "
        "(not probed: it is a migration; policy.proof_minutes (10) did not suffice)"
    )


def test_a_change_of_one_product_file_needs_no_minutes() -> None:
    job = UnbuildableJob(proof_minutes=0, variant_minutes=1)
    (found,) = words(job, "a.py", left_out=())
    assert (found.word, found.reason) == (FileWord.NEEDED, "the reproduction fails on the old code")
