"""Write docs/guarantees.md, what always holds and which tests show it: `python -m tests.guarantees`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "guarantees.md"
NIGHTLY = "test_hostile_model.py"

HEAD = """# Guarantees

What always holds, the tests that show it, and what no test shows. Files are below `tests/`. This page is made from
`tests/guarantees.py`; write it anew with `python -m tests.guarantees`. A name of no test fails the suite.
"""


class Guarantee(NamedTuple):
    """One row."""

    key: str
    holds: str
    """One sentence."""
    tests: tuple[str, ...]
    """`file::test`, the file below this folder."""
    unproven: str = ""
    """What these tests do not show."""


GUARANTEES = (
    Guarantee(
        "G1",
        "No acknowledged event is lost: a hook is answered 202 after its row and its queue entry are committed.",
        (
            "acceptance/test_chaos.py::test_a_killed_worker_and_a_restarted_postgres_lose_nothing",
            "receiver/test_worker_process.py::test_the_loss_of_all_database_connections_loses_nothing",
            "receiver/store/test_inbox.py::test_connections_that_died_with_a_restart_cost_no_hook",
            "receiver/store/test_inbox.py::test_a_delivery_that_is_rolled_back_leaves_nothing_in_the_queue",
        ),
        "Thousands of hooks under kills at random: one run is played with a killed worker and a restarted Postgres. "
        "Loss of a disk, and failover between database servers.",
    ),
    Guarantee(
        "G2",
        "One effect for each delivery and each meaning.",
        (
            "receiver/web/test_hooks.py::test_the_same_delivery_five_times_at_once_is_stored_once",
            "receiver/worker/test_event_handler.py::test_a_label_starts_one_run_even_when_it_is_told_five_times_at_once",
            "receiver/worker/test_people.py::test_the_same_comment_told_five_times_starts_one_pipeline",
            "receiver/steering/test_stops.py::test_a_note_told_five_times_at_once_cancels_once",
            "receiver/store/test_outbox.py::test_a_decision_that_is_stored_twice_leaves_each_effect_once",
        ),
    ),
    Guarantee(
        "G3",
        "A pipeline, commit, merge request or note is made once, wherever the worker dies.",
        (
            "receiver/test_worker_process.py::test_workers_that_die_around_each_request_leave_one_pipeline_and_one_comment",
            "receiver/test_worker_process.py::test_workers_that_die_around_each_write_leave_one_commit_one_merge_request_and_one_note",
            "receiver/test_killed_workers.py::test_workers_that_die_around_the_push_of_an_approved_fix_start_its_own_pipeline_once",
            "receiver/outbound/test_pipelines.py::test_a_pipeline_whose_answer_was_lost_is_found",
        ),
    ),
    Guarantee(
        "G4",
        "Events of a ticket are handled in order, and a late one never takes a state back.",
        (
            "receiver/worker/test_fold.py::test_all_orders_of_a_pipelines_events_end_in_one_state",
            "receiver/worker/test_histories.py::test_any_order_and_repetition_of_the_same_events_ends_in_the_same_knowledge",
            "receiver/store/test_inbox.py::test_a_transaction_that_began_first_is_enqueued_first_even_when_it_commits_last",
            "receiver/workflow/test_lifecycle.py::test_any_order_and_repetition_of_statuses_ends_in_one",
        ),
    ),
    Guarantee(
        "G5",
        "Events whose hooks were lost are found by asking.",
        (
            "receiver/worker/lossy/test_lost_hooks.py::test_every_run_ends_up_as_if_no_hook_had_been_lost_and_within_the_bound",
            "receiver/worker/lossy/test_lost_hooks.py::test_while_nothing_happens_few_calls_are_made",
            "receiver/worker/lossy/test_resent_hooks.py::test_hooks_that_failed_and_are_sent_again_make_a_load_converge_sooner",
            "receiver/worker/lossy/test_resent_hooks.py::test_a_hook_that_was_switched_off_is_switched_on_and_tells_again",
            "receiver/worker/test_ticket_sweep.py::test_30_percent_of_hooks_lost_are_found_with_one_request_a_search_and_every_ticket_has_one_run",
            "receiver/worker/test_ticket_sweep.py::test_a_hook_that_is_late_starts_no_second_run_when_the_one_that_the_search_began",
            "receiver/worker/test_people.py::test_an_answer_whose_hook_was_lost_is_found_by_the_sweep",
            "receiver/outbound/test_target_pipeline_start.py::test_an_approval_whose_hook_was_lost_is_told_once_and_so_is_one_that_was_taken_back",
            "receiver/outbound/test_pipelines.py::test_polling_tells_what_hooks_would_have_told_and_nothing_twice",
        ),
    ),
    Guarantee(
        "G6",
        "Every status that is no end has a deadline, for every status of GitLab's.",
        (
            "receiver/workflow/test_lifecycle.py::test_every_status_of_a_run_is_in_the_table_and_has_a_deadline_unless_it_is_an_end",
            "receiver/workflow/test_lifecycle.py::test_every_gitlab_status_has_the_meaning_frozen_here",
            "receiver/workflow/test_lifecycle.py::test_a_status_that_gitlab_invents_later_means_waiting_and_replaces_nothing",
        ),
    ),
    Guarantee(
        "G7",
        "A command is obeyed if its author may give it then; what is quoted, code or edited commands nothing.",
        (
            "receiver/workflow/commands/test_ticket_dialogue.py::test_no_other_cell_of_the_matrix_approves_anything",
            "receiver/workflow/commands/test_ticket_dialogue.py::test_who_could_not_be_checked_is_denied_with_the_reason",
            "receiver/workflow/commands/test_command_refusals.py::test_a_command_is_obeyed_by_role_status_and_place_and_in_no_other_cell",
            "receiver/workflow/commands/test_steering.py::test_no_cell_that_is_not_allowed_has_an_effect_besides_the_answer",
            "receiver/steering/test_authorisation.py::test_rights_count_at_the_moment_when_the_note_is_read",
            "receiver/steering/test_authorisation.py::test_a_note_that_was_edited_before_it_was_read_counts_for_nothing",
            "receiver/steering/test_authorisation.py::test_a_blocked_user_counts_for_nothing",
            "receiver/steering/test_authorisation.py::test_a_403_on_the_look_up_of_a_member_denies_with_the_reason",
            "receiver/worker/test_people.py::test_who_may_not_approve_changes_nothing",
            "receiver/comments/test_gitlab_markdown.py::test_what_is_quoted_code_listed_or_hidden_is_not_said",
            "receiver/comments/test_jira_document.py::test_a_command_in_code_or_quote_of_a_document_is_none",
        ),
        "A merge request of a fork, which is never a run's: the emulator has no forks.",
    ),
    Guarantee(
        "G8",
        "The product never answers itself.",
        (
            "receiver/workflow/commands/test_ticket_dialogue.py::test_what_commands_nothing_or_names_no_ticket_begins_nothing",
            "receiver/steering/test_echo.py::test_each_of_our_notes_said_by_a_person_has_no_effect",
            "receiver/steering/test_echo.py::test_who_answers_each_of_our_answers_with_a_command_is_left_alone_in_the_end",
            "receiver/steering/test_authorisation.py::test_our_own_notes_and_those_of_other_bots_count_for_nothing",
        ),
    ),
    Guarantee(
        "G9",
        "What is superseded or cancelled is over only when GitLab says so.",
        (
            "receiver/outbound/test_pipelines.py::test_cancelling_cancels_and_may_be_repeated",
            "receiver/steering/test_stops.py::test_a_run_that_is_stopped_has_no_pipeline_and_no_model_call_any_more",
            "receiver/steering/test_stops.py::test_jobs_that_run_on_after_a_cancellation_are_named",
            "receiver/steering/test_stops.py::test_a_cancel_overtakes_a_delivery_that_is_being_decided_and_all_that_is_queued",
            "receiver/worker/test_turn_offers.py::test_an_ended_runs_pipeline_counts_until_gitlab_says_that_it_is_over_but_not_for_ever",
            "receiver/web/jobs/test_sessions.py::test_a_second_pipeline_of_an_iteration_is_refused_and_cancelled",
        ),
    ),
    Guarantee(
        "G10",
        "Limits of vendors hold: 429 and Retry-After are obeyed.",
        (
            "sandbox/gitlab/test_faults.py::test_the_client_waits_as_long_as_429_says_and_goes_on",
            "receiver/store/test_outbox.py::test_waits_double_are_spread_and_bounded_and_the_vendor_is_obeyed",
        ),
        "A real vendor's limits; nobody counts requests against a vendor's limit per minute before one says 429.",
    ),
    Guarantee("G11", "Several repositories are one saga.", (), "Not built yet: deployments."),
    Guarantee("G12", "A rollout is judged pass, fail or inconclusive.", (), "Not built yet: deployments."),
    Guarantee(
        "G13",
        "A hook is proven by its raw bytes before anything is parsed; without a secret all are refused.",
        (
            "receiver/hooks/test_signatures.py::test_the_specifications_own_vector_is_accepted",
            "receiver/hooks/test_signatures.py::test_a_changed_body_or_another_key_is_refused",
            "receiver/hooks/test_signatures.py::test_a_replay_is_refused",
            "receiver/hooks/test_signatures.py::test_during_a_rotation_the_old_and_the_new_token_are_both_right",
            "receiver/web/test_hooks.py::test_without_proof_it_is_401_before_the_body_is_looked_at",
        ),
    ),
    Guarantee(
        "G14",
        "The emulators answer as the vendors' published descriptions say.",
        (
            "sandbox/jira/test_contract.py::test_each_answer_fits_atlassian_s_schema",
            "sandbox/anthropic/test_requests.py::test_every_parameter_of_the_vendor_is_known_or_refused_by_name",
            "sandbox/ci/test_agreement.py::test_both_run_the_generated_children_alike",
        ),
        "The same tests against a real GitLab, Jira or Anthropic: none could be reached.",
    ),
    Guarantee(
        "G15",
        "Every misconfiguration has a sentence of its own.",
        (
            "receiver/cli/test_commands.py::test_doctor_says_what_is_wrong_and_ends_with_its_own_code",
            "receiver/cli/test_commands.py::test_missing_settings_are_all_named",
            "receiver/cli/test_readable_repositories.py::test_a_repository_that_is_left_out_is_a_fault_beside_the_others",
            "receiver/cli/test_merge_rights.py::test_a_bot_that_may_not_is_told_what_to_do",
        ),
        "A clock that is wrong, a vendor's version that is too old, and rights that a token lacks, those to read "
        "repositories and to merge apart: each is told by the first request that fails.",
    ),
    Guarantee(
        "G16",
        "Jobs are not trusted: no secret is in their reach, and no verdict can be forged.",
        (
            "pipelines/job/test_hostile.py::test_a_hostile_agent_finds_no_token_and_leaves_no_folder",
            "pipelines/job/test_hostile.py::test_a_hostile_test_finds_no_token",
            "pipelines/job/test_hostile.py::test_a_test_that_forges_its_own_report_is_not_believed",
            "acceptance/hostile/test_hostile_repository.py::test_no_token_is_in_anything_that_was_left_behind",
            "acceptance/hostile/test_hostile_model.py::test_nobody_gives_anything_to_a_job_that_guesses",
            "receiver/web/jobs/test_sessions.py::test_each_claim_that_does_not_fit_is_refused_with_its_sentence",
            "receiver/worker/test_forged_hooks.py::test_what_the_right_secret_tells_of_a_jobs_end_and_of_what_is_not_known_is_a_hint",
            "receiver/worker/test_forged_hooks.py::test_a_jobs_session_ends_with_gitlabs_word_and_not_with_a_hook",
            "receiver/web/gateway/test_refusals.py::test_what_is_not_allowed_is_refused_before_anything_is_sent_or_reserved",
        ),
        "A runner without root: docs/secrets.md says what is left there.",
    ),
    Guarantee(
        "G17",
        "Money is exact: the ledger is the provider's books, and what is unknown is held at its worst case.",
        (
            "receiver/web/gateway/test_books.py::test_a_run_with_retries_breaks_and_leavers_never_counts_less_than_the_vendor",
            "receiver/web/gateway/test_books.py::test_all_four_input_buckets_agree",
            "receiver/web/gateway/test_endurance.py::test_a_call_survives_a_restart_of_postgres_and_is_settled",
            "receiver/web/gateway/test_passing.py::test_a_price_modifier_is_booked_and_an_unknown_one_holds_the_worst_case",
        ),
        "Anthropic's own invoice, and answers that a newer version of its API gives.",
    ),
    Guarantee(
        "G18",
        "What is called shown was run, and the rest is named.",
        (
            "pipelines/job/test_told_apart.py::test_runs_look_alike_to_a_test_of_another_user",
            "pipelines/job/test_told_apart.py::test_runs_look_alike_to_a_test_of_the_same_user",
            "pipelines/job/test_wrong_fixes.py::test_each_way_to_weaken_tests_gets_its_word_by_the_name_of_the_test",
            "pipelines/job/test_wrong_fixes.py::test_a_suite_that_passes_by_a_lie_is_contradicted_by_the_base_commits_tests",
            "pipelines/job/test_wrong_fixes.py::test_what_hides_the_bug_leaves_the_reproduction_red",
            "pipelines/job/test_wrong_fixes.py::test_harmless_changes_pass_without_a_remark",
        ),
        "A value that is hard-coded for the reproduction alone: no run tells it from a fix. A test that runs in the "
        "application's own process sees its code, so the job takes none as a reproduction (docs/jobs.md).",
    ),
    Guarantee(
        "G19",
        "Runs at once are limited in all, by project and by person, in an order that is fair and visible.",
        (
            "receiver/worker/test_turn_offers.py::test_50_tickets_labelled_at_once_by_two_people_never_have_more_pipelines_than_allowed_and_all_end",
            "receiver/worker/test_turn_offers.py::test_the_position_is_shown_live_and_only_the_head_of_the_queue_is_told_anew",
        ),
    ),
    Guarantee(
        "G20",
        "A remedy is applied only after the check that failed was green with it; one that verifies red is never shown.",
        (
            "pipelines/job/test_remedy.py::test_the_repositorys_own_formatter_mends_the_fix_and_lint_is_green_before_it_is_handed_in",
            "pipelines/job/test_remedy.py::test_a_remedy_that_verifies_red_is_handed_in_as_a_no_without_a_change",
            "receiver/outbound/test_remedy_offers.py::test_one_that_verified_red_never_reaches_people",
            "receiver/outbound/test_remedy_offers.py::test_pushes_while_suggestions_are_open_leave_none_dead",
        ),
        "Not built yet: repeated runs of flaky tests.",
    ),
    Guarantee("G21", "The same users see a flag in every repository.", (), "Not built yet: deployments."),
    Guarantee("G22", "A figure equals its rows.", (), "Not built yet: figures."),
    Guarantee(
        "G23",
        "Budgets of a run and a day hold under concurrency.",
        (
            "receiver/web/gateway/test_books.py::test_twenty_calls_at_once_never_overspend_a_budget",
            "receiver/web/gateway/test_books.py::test_the_day_s_budget_holds_for_all_runs_together",
        ),
        "A month's budget, and 200 calls with kills in between.",
    ),
)


def missing() -> list[str]:
    """Return the tests that are named and are not there."""
    return [name for one in GUARANTEES for name in one.tests if name.partition("::")[2] not in _tests_of(name)]


def _tests_of(name: str) -> set[str]:
    file = TESTS / name.partition("::")[0]
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def page() -> str:
    """Return the page."""
    rows = [f"| {one.key} | {one.holds} | {_named(one.tests)} | {one.unproven} |" for one in GUARANTEES]
    return "\n".join([HEAD, "| | What holds | Shown by | Not shown |", "|---|---|---|---|", *rows, ""])


def _named(tests: tuple[str, ...]) -> str:
    files: dict[str, list[str]] = {}
    for name in tests:
        file, _, test = name.partition("::")
        files.setdefault(file, []).append(f"`{test}`")
    nightly = {file: " (nightly)" for file in files if file.endswith(NIGHTLY)}
    return "<br>".join(f"{file}{nightly.get(file, '')}: {', '.join(found)}" for file, found in files.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
