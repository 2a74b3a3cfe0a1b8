"""The tables: where a run may go, by when, and what GitLab's statuses mean."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue.stack_presets import PRESETS
from pipelines.language import IssueKey
from receiver.workflow import lifecycle
from receiver.workflow.audience import Audience
from receiver.workflow.lifecycle import ACTIVE, LIMITS, MOVES, STATUSES, LifecycleError, Progress
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.start import branch_name

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)

# has_status.rb, GitLab 18: a status that appears there has to be given a meaning here
GITLAB_STATUSES = {
    "created": Progress.WAITING,
    "waiting_for_resource": Progress.WAITING,
    "preparing": Progress.WAITING,
    "waiting_for_callback": Progress.WAITING,
    "pending": Progress.WAITING,
    "running": Progress.WORKING,
    "success": Progress.SUCCEEDED,
    "failed": Progress.FAILED,
    "canceling": Progress.WORKING,
    "canceled": Progress.CANCELLED,
    "skipped": Progress.SKIPPED,
    "manual": Progress.WAITING,
    "scheduled": Progress.WAITING,
}


def test_every_gitlab_status_has_the_meaning_frozen_here() -> None:
    assert {name: meaning.progress for name, meaning in STATUSES.items()} == GITLAB_STATUSES
    for meaning in STATUSES.values():
        assert bool(meaning.waits_for) == (meaning.progress is Progress.WAITING)


def test_statuses_are_in_one_total_order() -> None:
    assert all(one.rank < other.rank for one, other in pairwise(STATUSES.values()))


def test_a_status_that_gitlab_invents_later_means_waiting_and_replaces_nothing() -> None:
    assert lifecycle.meaning("a_status_of_2031").progress is Progress.WAITING
    assert lifecycle.later("created", "a_status_of_2031") == "created"


def test_every_status_of_a_run_is_in_the_table_and_has_a_deadline_unless_it_is_an_end() -> None:
    assert set(MOVES) == set(RunStatus)
    assert set(LIMITS) == ACTIVE
    for status, to in MOVES.items():
        assert status not in to
        assert (status in ACTIVE) == bool(to & {RunStatus.ESCALATED})


def test_only_another_attempt_that_people_want_leads_an_end_back_to_work() -> None:
    back = {status: MOVES[status] & ACTIVE for status in set(RunStatus) - ACTIVE if MOVES[status] & ACTIVE}
    retried = (RunStatus.ESCALATED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.NOT_REPRODUCED)
    again = {RunStatus.QUEUED, RunStatus.STARTING, RunStatus.PAUSED}
    taken_up = {RunStatus.ESCALATED: again | {RunStatus.IN_REVIEW}}  # by a push to its draft
    assert back == dict.fromkeys(retried, again) | taken_up
    assert set(back) == lifecycle.RETRIED


def test_people_cancel_a_run_from_whatever_it_is_at() -> None:
    assert {status for status, to in MOVES.items() if RunStatus.CANCELLED in to} == ACTIVE


def test_what_people_do_with_a_merge_request_stays_true_unless_we_are_making_it() -> None:
    before = {RunStatus.ADMITTING, RunStatus.OPENING, RunStatus.REFUSED}
    for status in set(RunStatus) - before - {RunStatus.MERGED, RunStatus.CLOSED}:
        assert {RunStatus.MERGED, RunStatus.CLOSED} <= MOVES[status], status


def test_every_status_can_be_reached() -> None:
    reached, todo = {RunStatus.ADMITTING}, [RunStatus.ADMITTING]
    while todo:
        for status in MOVES[todo.pop()] - reached:
            reached.add(status)
            todo.append(status)
    assert reached == set(RunStatus)


@pytest.mark.parametrize(
    ("status", "to"), [(RunStatus.MERGED, RunStatus.RUNNING), (RunStatus.ADMITTING, RunStatus.MERGED)]
)
def test_a_move_outside_the_table_is_an_error(status: RunStatus, to: RunStatus) -> None:
    with pytest.raises(LifecycleError, match=f"from {status} to {to}"):
        lifecycle.move(status, to, now=NOW)


@given(st.lists(st.sampled_from([*STATUSES, "a_status_of_2031", "another"]), min_size=1, max_size=6))
def test_any_order_and_repetition_of_statuses_ends_in_one(told: list[str]) -> None:
    ends = set()
    for order in list(permutations(told))[:120]:
        known = "created"
        for status in (*order, *order[:2]):
            known = lifecycle.later(known, status)
        ends.add(known)
    assert len(ends) == 1


@given(st.text(max_size=400))
def test_a_branch_name_has_nothing_but_the_key_and_plain_words(summary: str) -> None:
    name = branch_name(IssueKey("PL-479"), summary, Audience.PUBLIC)
    head, _, slug = name.partition("PL-479")
    assert head == "bug-fix/"
    assert slug == "" or (slug[0] == "-" and slug[-1] != "-" and len(slug) <= 40)
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize("audience", sorted(set(Audience) - {Audience.PUBLIC}))
def test_the_branch_of_a_confidential_run_has_no_word_of_the_ticket(audience: Audience) -> None:
    assert branch_name(IssueKey("PL-1"), "SQL injection", audience) == "bug-fix/PL-1"


def test_a_branch_name_keeps_words_that_have_accents() -> None:
    assert branch_name(IssueKey("PL-1"), "Café: $(rm -rf /) ../x", Audience.PUBLIC) == "bug-fix/PL-1-cafe-rm-rf-x"


def duration(text: str) -> timedelta:
    return timedelta(**{{"h": "hours", "m": "minutes"}[text[-1]]: int(text[:-1])})


def test_a_run_may_take_longer_than_all_jobs_that_follow_one_another() -> None:
    phases = list(yaml.safe_load_all((Path(__file__).parents[3] / "templates" / "ci" / "phases.yml").read_text()))[-1]
    first = max(duration(phases[job]["timeout"]) for job in (".analysis", ".prepare"))
    slowest = max(duration(preset.timeout) for preset in PRESETS.values())
    assert LIMITS[RunStatus.RUNNING] > first + duration(phases[".generate"]["timeout"]) + 4 * slowest
