import json

import psycopg
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from sqlalchemy import make_url

from receiver.cli import command as base
from receiver.cli.program import main
from receiver.cli.story_printer import plain

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _width_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the consoles without COLUMNS: a console that finds it when it is made keeps that width for all tests."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(base, "out", Console())
    monkeypatch.setattr(base, "err", Console(stderr=True))


def run(postgres: str, *arguments: str, **environment: str) -> Result:
    runner = CliRunner(env={"DATABASE_URL": postgres, "COLUMNS": "200", "BUG_FIX_EMBEDDED": None, **environment})
    return runner.invoke(main, list(arguments))


def test_a_run_is_explained_by_its_id_and_by_its_ticket(told: str) -> None:
    by_id, by_ticket = run(told, "explain", "00000000000000aa"), run(told, "explain", "pl-479")
    assert by_id.exit_code == by_ticket.exit_code == 0
    assert by_id.output == by_ticket.output
    assert "asked for at the command line" not in by_id.output
    assert "label set on the ticket" in by_id.output


def test_only_turning_points_are_told_unless_all_is_asked_for(told: str) -> None:
    short, long = run(told, "explain", "PL-479").output, run(told, "explain", "PL-479", "--all").output
    assert "JobChanged" not in short
    assert "which stands" not in short
    assert "2 events and 0 effects in all; `--all` prints them." in short
    assert "GitLab said `pending` of job analysis after `running`, which stands." in long
    assert "admitting → running" in long


def test_untrusted_text_does_nothing_to_the_terminal(told: str) -> None:
    for command in ("explain", "session"):
        output = run(told, command, "PL-479").output
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert "[bold]fail[/]" in run(told, "explain", "PL-479").output
    assert "Hello [red]" in run(told, "session", "PL-479").output


def test_json_is_for_programs(told: str) -> None:
    story = json.loads(run(told, "explain", "PL-479", "--json").output)
    assert (story["run"]["id"], story["costs"]["total"]["cost_usd"]) == ("00000000000000aa", "0")
    assert [one["id"] for one in json.loads(run(told, "runs", "--json").output)] == ["00000000000000aa"]


def test_what_is_not_there_is_said_in_a_sentence(postgres: str) -> None:
    answer = run(postgres, "explain", "PL-1")
    assert answer.exit_code == 1
    assert "bug-fix runs" in answer.output
    assert "Traceback" not in answer.output


def test_remedies_are_told_with_how_far_they_came(told: str) -> None:
    assert "No failure had a remedy in the last 7 days." in run(told, "remedies", "--days", "7").output
    with psycopg.connect(make_url(told).set(drivername="postgresql").render_as_string(hide_password=False)) as database:
        for number, state in enumerate(("accepted", "accepted", "rejected", "red"), start=2):
            database.execute(
                "INSERT INTO iterations (run_id, number, kind, started_at) SELECT id, %s, 'fix', now() FROM runs",
                [number],
            )
            database.execute(
                "INSERT INTO remedies (run_id, iteration, repository, mends, remedy, tier, confidence, action, state,"
                " matched_at)"
                " SELECT id, %s, 'payk12/contacts', 1, 'formatting', 1, 0.98, 'commit', %s, now() FROM runs",
                [number, state],
            )
    heading, row = run(told, "remedies").output.strip().splitlines()
    assert heading.split()[:3] == ["remedy", "tier", "declared"]
    assert "formatting" in row
    assert "98%" in row
    assert "3 of 4, 30–95 %" in row
    assert "2 of 3, 21–94 %" in row
    (found,) = json.loads(run(told, "remedies", "--json").output)
    assert (found["matched"], found["shown"], found["rejected"]) == (4, 3, 1)


def test_a_database_that_was_not_migrated_names_the_command_that_does_it(empty_database: str) -> None:
    answer = run(empty_database, "runs")
    assert answer.exit_code == 1
    assert "bug-fix migrate" in answer.output


def test_a_database_that_is_not_there_is_said_in_a_sentence() -> None:
    answer = run("postgresql://nobody@127.0.0.1:1/none", "runs")
    assert answer.exit_code == 1
    assert "can't be used" in answer.output


def test_migrate_may_be_run_again(empty_database: str) -> None:
    assert [run(empty_database, "migrate").exit_code for _ in range(2)] == [0, 0]
    assert run(empty_database, "runs").exit_code == 0


def test_start_stores_a_request_once_for_each_time_it_is_asked(postgres: str) -> None:
    assert run(postgres, "start", "pl-479").exit_code == 0
    assert run(postgres, "start", "no key").exit_code == 2
    url = make_url(postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT source, ordering_key, verdict FROM deliveries").fetchall()
    assert rows == [("operator", "ticket:PL-479", None)]


def test_missing_settings_are_all_named(postgres: str) -> None:
    answer = run(postgres, "work", GITLAB_URL="https://gitlab.example.com")
    assert answer.exit_code == 3
    assert "Set GITLAB_TOKEN: " in answer.output
    assert "Set JIRA_URL: " in answer.output
    assert "Set GITLAB_URL" not in answer.output


def test_doctor_says_what_is_wrong_and_ends_with_its_own_code(postgres: str, empty_database: str) -> None:
    answer = run(postgres, "doctor")
    assert answer.exit_code == 4
    assert "✓ tables" in answer.output
    assert "Set JIRA_TOKEN" in answer.output
    assert "bug-fix migrate" in run(empty_database, "doctor").output


def test_doctor_judges_hooks_as_serve_does() -> None:
    names = ("GITLAB_TOKEN", "GITLAB_STARTER_TOKEN", "JIRA_TOKEN", "ANTHROPIC_API_KEY", "READ_TOKENS")
    environ = dict.fromkeys(names, "a token that is long enough") | dict.fromkeys(
        ("GITLAB_URL", "JIRA_URL", "PUBLIC_URL"), "http://127.0.0.1:1"
    )
    hooks = {"GITLAB_SIGNING_TOKENS": "whsec_############", "JIRA_WEBHOOK_HEADER": "X-Key"}
    address = {"DATABASE_URL": "postgresql://127.0.0.1:1/x?connect_timeout=1"}
    answer = CliRunner(env={"COLUMNS": "400"} | environ | hooks | address).invoke(main, ["doctor"])
    assert "✗ GitLab hooks  GITLAB_SIGNING_TOKENS: A signing token is not" in answer.output
    assert "✗ Jira hooks  JIRA_WEBHOOK_HEADER needs a colon" in answer.output
    assert (
        "? GitLab hook status  not looked at: reading whether GitLab sends them takes a Maintainer's" in answer.output
    )


@pytest.mark.parametrize("command", ["serve", "work", "migrate", "runs", "explain", "session", "start", "doctor"])
def test_every_command_has_help_worth_reading(command: str) -> None:
    output = CliRunner(env={"COLUMNS": "100"}).invoke(main, [command, "--help"]).output
    assert len(output) > 200


def test_text_is_cut_where_a_person_would_stop_reading() -> None:
    assert len(plain("x" * 1_000_000)) < 500
