"""A phase holds what it usually costs before its first call is made, and begins only where that can be funded."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.language import Phase

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]


def spent_before(desk: Any, phase: str, *costs: str, days_ago: int = 1) -> None:
    """Store passes of a phase of a run that is over."""
    known = desk.rows("SELECT id FROM runs WHERE id = 'of-before'")
    if not known:
        desk.rows(
            "INSERT INTO runs (id, issue_key, status, status_at, labelled_at, created_at, finished_at) "
            "VALUES ('of-before', 'PL-1', 'merged', now(), now(), now(), now())"
        )
    for number, cost in enumerate(costs):
        desk.rows(
            "INSERT INTO usage (call_id, run_id, iteration, phase, purpose, model, state, reserved_usd, cost_usd, "
            "reserved_at, settled_at) VALUES (%s, 'of-before', %s, %s, 'work', 'm', 'settled', 1, %s, "
            "now() - make_interval(days => %s), now())",
            f"{phase}-{number}",
            number + 1,
            phase,
            Decimal(cost),
            days_ago,
        )


def budget(desk: Any, **amounts: str) -> None:
    for name, amount in amounts.items():
        place = "{policy,budget_usd," + name + "}"
        desk.rows("UPDATE runs SET catalogue = jsonb_set(catalogue, %s, to_jsonb(%s::text))", place, amount)


def ask(door: Any, token: str, body: dict[str, Any]) -> tuple[int, str]:
    with door.http(token) as client:
        answer = client.post("/v1/messages", json=body)
        return answer.status_code, answer.text


def test_a_phase_that_the_run_can_t_fund_makes_no_call_and_says_by_how_much(
    desk: Any, door: Any, vendor: Any, request_body: Body
) -> None:
    spent_before(desk, "analysis", "3.00", "5.00")
    budget(desk, run="3.50")
    status, said = ask(door, door.session(), request_body())
    assert (status, vendor.books()) == (402, [])
    assert (
        "The run's budget of $3.50 can't fund analysis: $0.0000 is spent or held, and it usually costs $4.0000" in said
    )
    assert "$0.50 is missing. Say `/bug-fix budget +0.50`" in said
    desk.rows("UPDATE runs SET extra_usd = 0.50 WHERE id <> 'of-before'")
    assert ask(door, door.session(), request_body())[0] == 200


def test_the_day_can_t_fund_a_phase_either(desk: Any, door: Any, vendor: Any, request_body: Body) -> None:
    spent_before(desk, "analysis", "4.00")
    budget(desk, run="100", day="3.00")
    status, said = ask(door, door.session(), request_body())
    assert (status, vendor.books()) == (402, [])
    assert "day's budget of $3.00 can't fund analysis" in said
    assert "midnight UTC" in said


def test_a_phase_at_work_keeps_what_was_held_for_it_from_the_one_beside_it(
    desk: Any, door: Any, request_body: Body
) -> None:
    spent_before(desk, "implementation", "3.00")
    spent_before(desk, "reproduction", "2.00")
    budget(desk, run="4.00")
    fix = door.session(Phase.IMPLEMENTATION)
    assert ask(door, fix, request_body("implementation"))[0] == 200
    status, said = ask(door, door.session(Phase.REPRODUCTION), request_body("reproduction"))
    assert status == 402
    assert "can't fund reproduction of payk12/contacts: $3.00" in said
    assert ask(door, fix, request_body("implementation"))[0] == 200  # out of what it holds itself


def test_what_a_phase_did_not_need_is_free_when_its_job_is_over(desk: Any, door: Any, request_body: Body) -> None:
    spent_before(desk, "implementation", "3.00")
    budget(desk, run="4.00")
    assert ask(door, door.session(Phase.IMPLEMENTATION), request_body("implementation"))[0] == 200
    spent_before(desk, "analysis", "2.00")
    assert ask(door, door.session(), request_body())[0] == 402
    desk.rows("UPDATE phase_funds SET until = %s", datetime(2026, 11, 1, tzinfo=UTC))
    assert ask(door, door.session(), request_body())[0] == 200


def test_nothing_is_held_for_a_phase_of_which_no_cost_is_known(desk: Any, door: Any, request_body: Body) -> None:
    spent_before(desk, "analysis", "9.00", days_ago=200)
    assert ask(door, door.session(), request_body())[0] == 200
    assert desk.one("SELECT amount_usd FROM phase_funds") == 0


def test_a_second_call_of_a_phase_holds_nothing_more(desk: Any, door: Any, request_body: Body) -> None:
    spent_before(desk, "analysis", "5.00")
    token = door.session()
    assert [ask(door, token, request_body())[0] for _ in range(2)] == [200, 200]
    assert desk.one("SELECT count(*) FROM phase_funds") == 1
