"""A pipeline's graph: a column for each stage, a line for each need, no two jobs in one place."""

from hypothesis import given, strategies

from sandbox.gitlab_pages.graph import GAP_X, JOB_HEIGHT, NARROWEST, WIDEST, Node, lay_out


def node(name: str, stage: str, needs: tuple[str, ...] | None = None, *, done: bool = False) -> Node:
    return Node(name=name, stage=stage, needs=needs, done=done)


def test_stages_without_jobs_take_no_room() -> None:
    layout = lay_out([node("a", "one"), node("b", "three")], stages=["one", "two", "three"])
    assert [column.name for column in layout.columns] == ["one", "three"]
    assert layout.width == 2 * NARROWEST + GAP_X + 2


def test_a_job_without_needs_hangs_on_the_stage_before() -> None:
    layout = lay_out([node("a", "one", done=True), node("b", "one"), node("c", "two")], stages=["one", "two"])
    assert [line.kind for line in layout.lines] == ["done", "open"]
    assert lay_out([node("a", "one"), node("c", "two", ())], stages=["one", "two"]).lines == ()


def test_a_line_that_skips_a_stage_passes_below_its_jobs() -> None:
    nodes = [node("a", "one"), node("b", "two", ()), node("c", "three", ("a",))]
    (line,) = lay_out(nodes, stages=["one", "two", "three"]).lines
    row = lay_out(nodes, stages=["one", "two", "three"]).places[1]
    passing = int(line.path.split("H")[0].rpartition(" ")[2])
    assert passing > row.y + JOB_HEIGHT


def test_a_need_that_is_not_there_draws_no_line() -> None:
    assert lay_out([node("a", "one", ("gone",))], stages=["one"]).lines == ()


def test_jobs_are_as_wide_as_the_longest_name_within_reason() -> None:
    widths = [lay_out([node("x" * length, "one")], stages=["one"]).job_width for length in (3, 31, 255)]
    assert widths == [NARROWEST, 262, WIDEST]


@given(strategies.lists(strategies.sampled_from(["one", "two", "three"]), max_size=12))
def test_no_two_jobs_overlap_and_all_fit(stages: list[str]) -> None:
    nodes = [node(f"job {index}", stage) for index, stage in enumerate(stages)]
    layout = lay_out(nodes, stages=["one", "two", "three"])
    spots = {(place.x, place.y) for place in layout.places}
    assert len(spots) == len(nodes)
    assert all(
        place.x + layout.job_width <= layout.width and place.y + JOB_HEIGHT <= layout.height for place in layout.places
    )
