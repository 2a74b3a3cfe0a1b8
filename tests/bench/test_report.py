from datetime import UTC, datetime

import msgspec
import pytest

from sandbox.demo.processes import DemoError
from tests.bench.figures import Bound, Figure, Measured, Target, Verdict
from tests.bench.measures import MEASURES
from tests.bench.pgbench import rate_of
from tests.bench.report import BEGIN, END, Machine, Report, encoded, number, with_figures, written

MEASURED = Measured(
    figures=(
        Figure(
            name="hooks ÷ pgbench rows",
            unit="",
            rounds=(0.25, 0.4, 0.31),
            target=Target(bound=Bound.AT_LEAST, value=0.25),
        ),
        Figure(name="hooks accepted", unit="/s", rounds=(1234.0,)),
    ),
    facts={"PostgreSQL": "fsync on"},
)


def report() -> Report:
    machine = Machine(processors=2, processor="vCPU", system="Linux", python="3.11", load_before=0.1)
    measures = (written(MEASURES[0], MEASURED),)
    return Report(at=datetime(2026, 11, 23, tzinfo=UTC), version="abc", quick=False, machine=machine, measures=measures)


def test_the_document_holds_every_round_and_reads_back_as_it_was() -> None:
    document = encoded(report())
    assert msgspec.json.decode(document, type=Report) == report()
    first = msgspec.json.decode(document)["measures"][0]["figures"][0]
    assert (first["min"], first["median"], first["max"]) == (0.25, 0.31, 0.4)
    assert (first["target"], first["verdict"]) == ("≥ 0.25", Verdict.MET)


def test_writing_the_documentation_replaces_the_figures_and_nothing_else() -> None:
    page = f"# Performance\n\n{BEGIN}\nold\n{END}\n\nWhat they don't say.\n"
    once = with_figures(page, report())
    assert once.startswith("# Performance\n\n")
    assert once.endswith(f"{END}\n\nWhat they don't say.\n")
    assert "| hooks ÷ pgbench rows | 0.31 | 0.25 … 0.31 … 0.40 | ≥ 0.25 | met |" in once
    assert "old" not in once
    assert with_figures(once, report()) == once


def test_a_page_without_a_place_for_figures_is_left_alone() -> None:
    with pytest.raises(ValueError, match="figures: begin"):
        with_figures("# Performance\n", report())


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.254, "", "0.25"), (9.96, "ms", "10.0 ms"), (1234.4, "/s", "1234/s"), (-3.2, "ms", "-3.2 ms")],
)
def test_numbers_are_written_with_the_digits_that_mean_something(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_the_rate_of_pgbench_is_the_one_without_connecting() -> None:
    output = (
        "latency average = 7.1 ms\ninitial connection time = 40 ms\ntps = 4412.5 (without initial connection time)\n"
    )
    assert rate_of(output) == pytest.approx(4412.5)


def test_output_of_pgbench_without_a_rate_is_an_error_and_not_zero() -> None:
    with pytest.raises(DemoError, match="did not tell its rate"):
        rate_of("pgbench: error: connection failed")
