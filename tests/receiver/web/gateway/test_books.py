"""The ledger against the vendor's own books, over real sockets with the real SDK: equal to the cent, or held."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anthropic
import pytest

from pipelines.language import AnalysisResult, Phase, RunId
from tests.plans import a_part, a_plan
from tests.reports import a_report, stored

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]


def test_a_json_call_is_answered_and_its_books_agree(door: Any, vendor: Any, request_body: Body) -> None:
    with door.sdk(door.session()) as client:
        raw = client.messages.with_raw_response.create(**request_body())
    message = raw.parse()
    assert message.content[-1].name == "add"
    (row,) = door.settled(1)
    (theirs,) = vendor.books()
    assert row["cost_usd"] == Decimal(theirs["cost_usd"]) > 0
    assert (row["state"], row["phase"], row["agent"], row["purpose"]) == ("settled", "analysis", "default", "work")
    assert (row["request_id"], row["message_id"]) == (theirs["request_id"], message.id)
    assert (row["uncached_tokens"], row["output_tokens"]) == (theirs["input_tokens"], theirs["output_tokens"])
    assert Decimal(raw.headers["x-bug-fix-cost-usd"]) == row["cost_usd"] <= row["reserved_usd"]
    assert raw.headers["request-id"] == theirs["request_id"]


def test_all_four_input_buckets_agree(door: Any, vendor: Any, request_body: Body) -> None:
    system = [
        {"type": "text", "text": "a rule " * 3000, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "a habit " * 3000, "cache_control": {"type": "ephemeral"}},
    ]
    with door.sdk(door.session()) as client:
        for _ in range(2):
            client.messages.create(**request_body(system=system))
    first, second = sorted(door.settled(2), key=lambda row: row["cache_read_tokens"])
    assert min(first["cache_write_1h_tokens"], first["cache_write_5m_tokens"], second["cache_read_tokens"]) > 0
    assert [row["cost_usd"] for row in (first, second)] == [Decimal(row["cost_usd"]) for row in vendor.books()]
    assert first["prefix_sha256"] == second["prefix_sha256"] is not None
    assert first["prefix_tokens"] == first["cache_write_1h_tokens"]
    assert second["prefix_tokens"] == second["cache_read_tokens"]


def test_a_streamed_call_is_passed_on_and_the_last_usage_counts(door: Any, vendor: Any, request_body: Body) -> None:
    with door.sdk(door.session()) as client, client.messages.stream(**request_body()) as stream:
        message = stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    (row,) = door.settled(1)
    assert (row["state"], row["streamed"], row["stop_reason"]) == ("settled", True, "tool_use")
    assert row["cost_usd"] == vendor.cost()
    assert row["usage"]["output_tokens"] == vendor.books()[0]["output_tokens"]


@pytest.mark.parametrize(
    ("at", "extra"), [("before", {}), ("before", {"stream": True}), ("mid_stream", {"stream": True})]
)
def test_a_client_that_leaves_is_paid_for_to_the_end(
    at: str, extra: dict[str, Any], door: Any, vendor: Any, request_body: Body, hang_up: Callable[..., None]
) -> None:
    vendor.post("hold", at=at)
    headers = {"anthropic-version": "2023-06-01", "authorization": f"Bearer {door.session()}"}
    address, body = f"{door.url}/gateway/v1/messages", request_body(**extra)
    hang_up(address, body, headers=headers, when=lambda: vendor.state()["concurrent"]["held"] == 1)
    assert door.states() == ["reserved"]
    vendor.post("release")
    (row,) = door.settled(1)
    assert (row["state"], row["cost_usd"]) == ("settled", vendor.cost())
    assert [one["status"] for one in vendor.books()] == ["ok"]


def test_a_stream_that_is_cut_is_held_at_its_reservation_and_breaks_for_the_job_too(
    door: Any, vendor: Any, request_body: Body
) -> None:
    vendor.post("faults", kind="cut", after="mid_stream")
    with (
        door.sdk(door.session()) as client,
        client.messages.stream(**request_body()) as stream,
        pytest.raises(anthropic.APIStatusError, match="can't be reached"),
    ):
        stream.until_done()
    (row,) = door.settled(1)
    assert (row["state"], row["cost_usd"]) == ("unknown", None)
    assert row["error"].startswith("broke off")
    assert row["reserved_usd"] >= vendor.cost() > 0


def test_an_error_in_the_middle_of_a_stream_reaches_the_job_as_it_came(
    door: Any, vendor: Any, request_body: Body
) -> None:
    vendor.post("faults", kind=529, after="mid_stream")
    with (
        door.sdk(door.session()) as client,
        client.messages.stream(**request_body()) as stream,
        pytest.raises(anthropic.APIStatusError, match="overloaded"),
    ):
        stream.until_done()
    (row,) = door.settled(1)
    assert (row["state"], row["cost_usd"]) == ("unknown", None)
    assert "overloaded_error" in row["error"]


@pytest.mark.parametrize("kind", [429, 529])
def test_the_sdk_gets_through_an_overload_and_only_the_answer_costs(
    kind: int, door: Any, vendor: Any, request_body: Body
) -> None:
    vendor.post("faults", kind=kind, times=3, retry_after=0.001)
    with door.sdk(door.session(), max_retries=8) as client:
        assert client.messages.create(**request_body()).stop_reason == "tool_use"
    assert [row["state"] for row in door.settled(4)].count("released") == 3
    assert door.cost() == vendor.cost() > 0


@pytest.mark.parametrize("kind", [500, "cut"])
def test_an_answer_that_was_billed_and_never_arrived_is_held(
    kind: int | str, door: Any, vendor: Any, request_body: Body
) -> None:
    vendor.post("faults", kind=kind, after="billed")
    with door.http(door.session()) as client:
        assert client.post("/v1/messages", json=request_body()).status_code == (500 if kind == 500 else 502)
    (row,) = door.settled(1)
    assert (row["state"], row["cost_usd"]) == ("unknown", None)
    assert row["reserved_usd"] >= vendor.cost() > 0


def test_a_run_with_retries_breaks_and_leavers_never_counts_less_than_the_vendor(
    door: Any, vendor: Any, request_body: Body
) -> None:
    vendor.post("faults", kind=529, times=2, retry_after=0.001)
    vendor.post("faults", kind="cut", after="mid_stream", skip=1)
    vendor.post("faults", kind=500, after="billed", skip=3, retry_after=0.001)
    token = door.session()
    with door.sdk(token, max_retries=4) as client:
        for number in range(6):
            with contextlib.suppress(anthropic.APIError):
                if number % 2:
                    with client.messages.stream(**request_body()) as stream:
                        stream.until_done()
                else:
                    client.messages.create(**request_body())
    rows = door.settled(len(vendor.books()))
    theirs = {one["request_id"]: one for one in vendor.books()}
    for row in rows:
        if row["state"] == "settled":
            assert row["cost_usd"] == Decimal(theirs[row["request_id"]]["cost_usd"])
    accounted = sum(row["cost_usd"] if row["state"] == "settled" else row["reserved_usd"] for row in rows)
    assert {row["state"] for row in rows} == {"settled", "unknown", "released"}
    assert accounted >= vendor.cost()


def test_twenty_calls_at_once_never_overspend_a_budget(desk: Any, vendor: Any, door: Any, request_body: Body) -> None:
    with door.sdk(door.session()) as client:
        client.messages.create(**request_body())
    (probe,) = door.settled(1)
    desk.rows("DELETE FROM usage")
    limit = probe["reserved_usd"] * 5 + probe["reserved_usd"] / 2
    desk.rows(
        "UPDATE runs SET catalogue = jsonb_set(catalogue, '{policy,budget_usd,run}', to_jsonb(%s::text))", str(limit)
    )
    vendor.post("hold")
    begin = threading.Barrier(20)

    def call(token: str) -> int:
        with door.http(token) as client:
            begin.wait()
            return int(client.post("/v1/messages", json=request_body()).status_code)

    tokens = [door.session() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(call, token) for token in tokens]
        vendor.wait_held(5)
        held = sum(row["reserved_usd"] for row in door.ledger())
        vendor.post("release")
        codes = sorted(done.result() for done in calls)
    # Those that asked while five were held were refused; one that came after the release may have been funded.
    assert held <= limit
    assert codes.count(402) >= 1
    assert set(codes) == {200, 402}
    assert vendor.state()["concurrent"]["peak"] == 5
    rows = door.settled(codes.count(200))
    assert sum(row["cost_usd"] for row in rows) == door.cost() <= limit


def test_the_day_s_budget_holds_for_all_runs_together(desk: Any, door: Any, vendor: Any, request_body: Body) -> None:
    desk.rows("UPDATE runs SET catalogue = jsonb_set(catalogue, '{policy,budget_usd,day}', '\"0.000001\"')")
    with door.sdk(door.session()) as client, pytest.raises(anthropic.APIStatusError) as refusal:
        client.messages.create(**request_body())
    assert refusal.value.status_code == 402
    assert "day's budget" in str(refusal.value)
    assert (door.ledger(), vendor.books()) == ([], [])


def test_what_is_spent_is_told_by_phase_repository_agent_and_purpose(door: Any, request_body: Body) -> None:
    headers = {"X-Bug-Fix-Purpose": "context", "X-Bug-Fix-Prompts": "a" * 64}
    with door.sdk(door.session(Phase.IMPLEMENTATION)) as client:
        client.messages.create(**request_body("implementation"), extra_headers=headers)
    (row,) = door.settled(1)
    assert (row["phase"], row["repository"], row["purpose"]) == ("implementation", "payk12/contacts", "context")
    assert (row["owner"], row["prompt_version"], row["is_first"]) == ("run", "a" * 64, True)


@pytest.mark.parametrize("said", ["", "A" * 64, "a" * 63, "x" * 9_000])
def test_a_prompt_version_that_is_no_hash_is_not_kept(door: Any, request_body: Body, said: str) -> None:
    with door.sdk(door.session()) as client:
        client.messages.create(**request_body(), extra_headers={"X-Bug-Fix-Prompts": said})
    (row,) = door.settled(1)
    assert (row["prompt_version"], row["prefix_sha256"], row["prefix_tokens"]) == (None, None, None)


@pytest.mark.parametrize(
    ("states", "agent"),
    [
        ((), "default"),
        (("accepted",), "python-pro"),
        (("discarded",), "default"),
        (("discarded", "accepted"), "python-pro"),
        (("accepted", "pending"), "default"),
    ],
)
def test_the_agent_that_implements_is_the_one_whom_the_newest_analysis_named_if_it_was_accepted(
    states: tuple[str, ...], agent: str, desk: Any, door: Any, request_body: Body
) -> None:
    plan = a_plan(repositories=[a_part(agent="python-pro")])
    report = a_report(RunId("00000000000000aa"), Phase.ANALYSIS, AnalysisResult(plan=plan))
    for job, state in enumerate(states, start=1):
        desk.add(stored(report, job=job, at=datetime(2026, 11, 22, 12, tzinfo=UTC), state=state))
    with door.sdk(door.session(Phase.IMPLEMENTATION)) as client:
        client.messages.create(**request_body("implementation"))
    (row,) = door.settled(1)
    assert row["agent"] == agent
