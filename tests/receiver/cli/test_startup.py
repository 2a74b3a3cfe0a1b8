"""A command that can't start says why in a sentence, and what to do."""

import socket
from pathlib import Path

from click.testing import CliRunner, Result

from receiver.cli.command import CANNOT, SETTINGS
from receiver.cli.program import main
from receiver.cli.serve_command import listening, server_config
from receiver.settings import Settings, load
from receiver.web.connections import Patience

EVERYTHING = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "GITLAB_URL": "http://127.0.0.1:1",
    "GITLAB_TOKEN": "0123456789abcdef0123456789",
    "GITLAB_STARTER_TOKEN": "0123456789abcdef0123456789",
    "GITLAB_WEBHOOK_SECRETS": "0123456789abcdef0123456789",
    "JIRA_URL": "http://127.0.0.1:1",
    "JIRA_TOKEN": "0123456789abcdef0123456789",
    "JIRA_WEBHOOK_SECRETS": "0123456789abcdef0123456789",
    "PUBLIC_URL": "http://127.0.0.1:1",
    "ANTHROPIC_API_KEY": "0123456789abcdef0123456789",
    "READ_TOKENS": "0123456789abcdef0123456789",
    "BUG_FIX_CATALOGUE": str(Path(__file__).resolve().parents[3] / "bug-fix.yml"),
    "COLUMNS": "300",
}


def start(command: str, **settings: str | None) -> Result:
    return CliRunner(env={**EVERYTHING, **settings}).invoke(main, [command])


def test_a_database_address_that_is_none_is_named() -> None:
    done = start("migrate", DATABASE_URL="nonsense")
    assert (done.exit_code, "Set DATABASE_URL to an address like" in done.output) == (SETTINGS, True)


def test_an_embedded_server_that_cannot_start_says_where_and_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = start("migrate", DATABASE_URL=None, BUG_FIX_EMBEDDED=str(tmp_path / "file" / "postgres"))
    assert (done.exit_code, "Set BUG_FIX_EMBEDDED to a folder" in done.output) == (CANNOT, True)


def test_an_address_that_cannot_be_listened_on_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        done = start("serve", HOST="127.0.0.1", PORT=number)
    assert (done.exit_code, f"Can't listen on 127.0.0.1, port {number}" in done.output) == (SETTINGS, True)


def test_a_port_that_no_machine_has_is_refused() -> None:
    done = start("serve", PORT="70000")
    assert (done.exit_code, "PORT" in done.output) == (SETTINGS, True)


def test_no_answer_waits_for_the_acknowledgement_of_what_was_sent_before() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = str(free.getsockname()[1])
    settings = load(Settings, {**EVERYTHING, "HOST": "127.0.0.1", "PORT": number})
    with (
        listening(settings) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_service_waits_for_its_senders_with_limits() -> None:
    config = server_config(lambda *_: None, load(Settings, EVERYTHING), in_all=400)  # type: ignore[arg-type]
    config.load()
    assert getattr(config.http_protocol_class, "patience", None) == Patience(in_all=400)
    assert (config.limit_concurrency or 0) > Patience().in_all, "connections that wait are not what makes it answer 503"
