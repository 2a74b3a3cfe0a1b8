"""A pipeline's graph: a column for each stage, a line for each need, no two jobs in one place."""

from hypothesis import given, strategies

from sandbox.gitlab.pages.graph import JOB_HEIGHT, JOB_WIDTH, Node, lay_out


def node(name: str, stage: str, needs: tuple[str, ...] | None = None, *, done: bool = False) -> Node:
    return Node(name=name, stage=stage, needs=needs, done=done)


def test_stages_without_jobs_take_no_room() -> None:
    layout = lay_out([node("a", "one"), node("b", "three")], stages=["one", "two", "three"])
    assert [column.name for column in layout.columns] == ["one", "three"]
    assert layout.width == 2 * JOB_WIDTH + 56 + 2


def test_a_job_without_needs_hangs_on_the_stage_before() -> None:
    layout = lay_out([node("a", "one", done=True), node("b", "one"), node("c", "two")], stages=["one", "two"])
    assert [line.kind for line in layout.lines] == ["done", "open"]
    assert lay_out([node("a", "one"), node("c", "two", ())], stages=["one", "two"]).lines == ()


def test_a_need_that_is_not_there_draws_no_line() -> None:
    assert lay_out([node("a", "one", ("gone",))], stages=["one"]).lines == ()


@given(strategies.lists(strategies.sampled_from(["one", "two", "three"]), max_size=12))
def test_no_two_jobs_overlap_and_all_fit(stages: list[str]) -> None:
    nodes = [node(f"job {index}", stage) for index, stage in enumerate(stages)]
    layout = lay_out(nodes, stages=["one", "two", "three"])
    spots = {(place.x, place.y) for place in layout.places}
    assert len(spots) == len(nodes)
    assert all(place.x + JOB_WIDTH <= layout.width and place.y + JOB_HEIGHT <= layout.height for place in layout.places)
