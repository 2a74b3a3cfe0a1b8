"""Measure 3: generating the child pipeline of a plan, in process: plan and catalogue in, YAML text out."""

from __future__ import annotations

import gc
import statistics
import time

from pipelines.catalogue.file import read
from pipelines.generation.graph import Origin, build
from pipelines.generation.render import render
from pipelines.language import (
    Complexity,
    DeployPattern,
    IssueKey,
    PlanOutcome,
    RepositoryPlan,
    Risk,
    RunId,
)
from pipelines.language import Plan as FixPlan
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from tests.bench.figures import Bound, Figure, Measured, Target, ratios
from tests.bench.plan import Plan, Tell

SIZES = (1, 3, 30)
PRESETS = ("python", "nextjs", "dotnet", "dotnet-framework")
HEAD = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
"""


def measure(plan: Plan, tell: Tell) -> Measured:
    """Generate children of every size in turns."""
    catalogues = {size: _catalogue(size) for size in SIZES}
    plans = {size: _plan(catalogue) for size, catalogue in catalogues.items()}
    median: dict[int, list[float]] = {size: [] for size in SIZES}
    cheapest: dict[int, list[float]] = {size: [] for size in SIZES}
    length = {size: len(_generate(plans[size], catalogues[size])) for size in SIZES}
    gc.collect()
    for number in range(plan.rounds):
        taken: dict[int, list[float]] = {size: [] for size in SIZES}
        worked: dict[int, list[float]] = {size: [] for size in SIZES}
        for _ in range(plan.generations):
            for size in SIZES:
                began, cpu = time.perf_counter(), time.thread_time()
                _generate(plans[size], catalogues[size])
                worked[size].append((time.thread_time() - cpu) * 1000)
                taken[size].append((time.perf_counter() - began) * 1000)
        for size in SIZES:
            median[size].append(statistics.median(taken[size]))
            cheapest[size].append(min(worked[size]))
        tell(f"round {number + 1}: " + ", ".join(f"{size}: {median[size][-1]:.1f} ms" for size in SIZES))
    per_repository = {size: [value / size for value in cheapest[size]] for size in SIZES}
    return Measured(
        figures=(
            Figure(
                name="30 repositories",
                unit="ms",
                rounds=tuple(median[30]),
                target=Target(bound=Bound.BELOW, value=60),
            ),
            Figure(name="3 repositories", unit="ms", rounds=tuple(median[3])),
            Figure(name="1 repository", unit="ms", rounds=tuple(median[1])),
            Figure(
                name="work per repository, of 30 ÷ of 3",
                unit="",
                rounds=ratios(per_repository[30], per_repository[3]),
                target=Target(bound=Bound.BELOW, value=1.25),
            ),
        ),
        facts={
            "generated": ", ".join(f"{size}: {length[size] / 1000:.1f} kB" for size in SIZES),
            "linear": "a repository among 30 costs no more than 1.25 times one among 3, in processor time (the least "
            "of a round), which a busy machine distorts less",
            "of each round": f"the median of {plan.generations}",
        },
    )


def _generate(plan: FixPlan, catalogue: Catalogue) -> str:
    child = build(
        plan,
        catalogue=catalogue,
        origin=Origin(
            run=RunId("0123456789abcdef"),
            pipeline=fix(1),
            issue_key=IssueKey("PL-479"),
            receiver="http://receiver.example.com:8080",
        ),
    )
    return render(child)


def _catalogue(size: int) -> Catalogue:
    entries = [f"  r{n}: {{project: payk12/r{n}, stack: {PRESETS[n % len(PRESETS)]}}}\n" for n in range(size)]
    return read(HEAD + "".join(entries), source="bug-fix.yml")


def _plan(catalogue: Catalogue) -> FixPlan:
    text = "The name is put into SQL text without its quotes doubled."
    return FixPlan(
        outcome=PlanOutcome.FIX,
        reason=text,
        title="Escape apostrophes in contact names",
        summary=text,
        expected=text,
        actual=text,
        steps=[text],
        requirements=[text],
        root_cause=text,
        location=None,
        complexity=Complexity.SIMPLE,
        risk=Risk.LOW,
        risk_reason=text,
        repositories=[
            RepositoryPlan(
                repository=path,
                agent="python-pro",
                reason=text,
                confidence=0.9,
                approach=text,
                files=["src/store.py"],
                tests=[text],
            )
            for path in catalogue.repositories
        ],
        deploy_pattern=DeployPattern.SEQUENTIAL,
    )
