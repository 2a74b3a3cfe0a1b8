"""Take each changed product file back in turn, and see whether the reproduction or a new test notices.

Every variant is a checkout of its own, built anew. What a run does not decide is named as inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from pipelines.job.communication.errors import CommandsError, JobError, RunnerError, SilentApplicationError
from pipelines.job.reproduction.reproduction_run import Bench
from pipelines.job.reproduction.run_request import Script
from pipelines.job.suites.suite import run_again
from pipelines.job.workspace.job import Job
from pipelines.language import ArtifactKind, FileWord, ProbedFile
from pipelines.language.change_set import ChangeSet
from pipelines.patch.revert_variants import RevertPlan, Variant
from pipelines.phases.reproduction_evidence import Stage
from pipelines.proof.reproduction_verdict import headline, judge_failing, judge_passing
from pipelines.proof.suite_run import Ran

_KEEPS: Final = frozenset({ArtifactKind.LOG})
_NOTHING_FAILS: Final = "the reproduction and the new tests pass without it"


class Probe(Struct, frozen=True, kw_only=True):
    """A change whose files are taken back."""

    job: Job
    bench: Bench
    script: Script
    names: tuple[str, ...]
    """Of the reproduction's tests."""
    change: ChangeSet
    new_tests: tuple[Ran, ...]
    """Runs with the change, reduced to the tests that are red on the old code."""


def probed(probe: Probe, plan: RevertPlan, *, is_red_without: bool, clock: Callable[[], float]) -> Iterator[ProbedFile]:
    """Yield a word for each file of the plan, within the policy's minutes; `clock` tells seconds.

    `is_red_without`: the reproduction fails without all of the change. That answers for a change of one file.
    """
    yield from plan.left_out
    if len(plan.variants) == 1 and not plan.left_out and is_red_without:
        yield ProbedFile(
            path=plan.variants[0].path, word=FileWord.NEEDED, reason="the reproduction fails on the old code"
        )
        return
    minutes = probe.job.spec.catalogue.policy.proof_minutes
    begun, longest = clock(), 0.0
    for number, variant in enumerate(plan.variants, start=1):
        started = clock()
        if started - begun + longest >= 60 * minutes:
            why = f"policy.proof_minutes ({minutes}) did not suffice"
            yield ProbedFile(path=variant.path, word=FileWord.NOT_PROBED, reason=why)
            continue
        word, reason = _without(probe, variant, name=f"without-{number}")
        longest = max(longest, clock() - started)
        probe.job.log.say(f"without {variant.path}: {word} ({reason})", instead=f"without file {number}: {word}")
        yield ProbedFile(path=variant.path, word=word, reason=reason)


def _without(probe: Probe, variant: Variant, *, name: str) -> tuple[FileWord, str]:
    job = probe.job
    try:
        stage = Stage(job, probe.bench, name=name, change=probe.change, without=variant.without)
        try:
            return _tried(probe, stage)
        finally:
            stage.forget()
    except SilentApplicationError:
        return FileWord.INCONCLUSIVE, "the application did not answer in time without it"
    except CommandsError:
        return FileWord.NEEDED, "nothing builds or starts without it"
    except RunnerError:
        raise
    except JobError as error:
        return FileWord.INCONCLUSIVE, job.log.redacted(str(error))[:200]


def _tried(probe: Probe, stage: Stage) -> tuple[FileWord, str]:
    evidence = stage.run(probe.script)
    stage.keep(evidence, kinds=_KEEPS)
    if (red := judge_failing(evidence.run)).holds:
        return FileWord.NEEDED, f"the reproduction fails without it: {headline(red.reason)[:200]}"
    if not (green := judge_passing(evidence.run, names=probe.names)).holds:
        return FileWord.INCONCLUSIVE, green.reason[:200]
    return _new_tests(stage, probe.new_tests)


def _new_tests(stage: Stage, runs: Sequence[Ran]) -> tuple[FileWord, str]:
    for ran in runs:
        stage.place.renew()
        again = run_again(stage.place, ran, label=stage.name)
        if not again.outcomes and again.result.exit_code == 0:
            return FileWord.INCONCLUSIVE, "the tests left no report without it"
        if worse := sorted(ran.passing - again.passing):
            return FileWord.NEEDED, f"{worse[0][:200]} does not pass without it"
    return FileWord.UNEXPLAINED, _NOTHING_FAILS
