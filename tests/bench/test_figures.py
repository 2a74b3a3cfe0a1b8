import pytest

from tests.bench.figures import Bound, Figure, Target, Verdict, differences, over_rounds, percentile, ratios


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (0.07, 7.0), (0.995, 100.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_a_percentile_is_a_sample_that_was_measured_by_nearest_rank(share: float, expected: float) -> None:
    samples = [float(n) for n in range(100, 0, -1)]
    assert percentile(samples, share) == expected


def test_the_p99_of_few_samples_is_the_slowest() -> None:
    assert percentile([3.0, 9.0, 1.0], 0.99) == 9.0


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_what_is_no_share_has_no_percentile(share: float) -> None:
    with pytest.raises(ValueError, match="not a share"):
        percentile([1.0], share)


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


def test_ratios_and_differences_compare_only_what_was_measured_together() -> None:
    assert ratios([100.0, 300.0], [400.0, 600.0]) == (0.25, 0.5)
    assert differences([7.0, 5.0], [3.0, 6.0]) == (4.0, -1.0)
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def figure(*rounds: float, bound: Bound, value: float) -> Figure:
    return Figure(name="x", unit="", rounds=rounds, target=Target(bound=bound, value=value))


@pytest.mark.parametrize(
    ("bound", "value", "verdict"),
    [
        (Bound.AT_LEAST, 2.0, Verdict.MET),
        (Bound.AT_LEAST, 2.1, Verdict.MISSED),
        (Bound.AT_MOST, 2.0, Verdict.MET),
        (Bound.AT_MOST, 1.9, Verdict.MISSED),
        (Bound.BELOW, 2.0, Verdict.MISSED),
        (Bound.BELOW, 2.1, Verdict.MET),
    ],
)
def test_the_median_round_decides_and_only_below_excludes_its_bound(
    bound: Bound, value: float, verdict: Verdict
) -> None:
    assert figure(9.0, 1.0, 2.0, bound=bound, value=value).verdict is verdict


def test_a_percentile_over_all_rounds_decides_where_there_is_one() -> None:
    samples = [[1.0, 1.0, 1.0], [1.0, 1.0, 90.0], [2.0, 2.0, 2.0]]
    found = over_rounds("x", unit="ms", samples=samples, share=0.99, target=Target(bound=Bound.BELOW, value=10))
    assert found.rounds == (1.0, 90.0, 2.0)
    assert found.value == 90.0
    assert found.verdict is Verdict.MISSED


def test_without_a_target_there_is_no_verdict() -> None:
    assert Figure(name="x", unit="", rounds=(1.0,)).verdict is Verdict.NONE
