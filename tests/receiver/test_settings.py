import pytest

from receiver.settings import DatabaseSettings, Settings, SettingsError, WorkerSettings, documentation, load, several

COMPLETE = {
    "DATABASE_URL": "postgresql://localhost/bug_fix",
    "GITLAB_URL": "https://gitlab.example.com/",
    "GITLAB_TOKEN": "the first token of ours",
    "GITLAB_STARTER_TOKEN": "the second token of ours",
    "JIRA_URL": "https://jira.example.com",
    "JIRA_TOKEN": "the third token of ours",
    "ANTHROPIC_API_KEY": "the fourth token of ours",
    "PUBLIC_URL": "https://bug-fix.example.com",
    "READ_TOKENS": "the fifth token of ours, the sixth token of ours",
}


def test_complete_settings_are_read() -> None:
    settings = load(Settings, COMPLETE | {"PORT": "9000"})
    assert settings.port == 9000
    assert settings.oidc_issuer == "https://gitlab.example.com"
    assert several(settings.read_tokens) == ("the fifth token of ours", "the sixth token of ours")


def test_each_missing_variable_is_named_with_what_it_is() -> None:
    with pytest.raises(SettingsError) as raised:
        load(Settings, {"DATABASE_URL": "postgresql://localhost/bug_fix"})
    lines = str(raised.value).splitlines()
    assert {line.split(":")[0] for line in lines} == {f"Set {name}" for name in COMPLETE if name != "DATABASE_URL"}
    assert all(len(line) > 30 for line in lines)


def test_an_empty_variable_counts_as_missing() -> None:
    with pytest.raises(SettingsError, match="Set JIRA_TOKEN: "):
        load(Settings, COMPLETE | {"JIRA_TOKEN": ""})


def test_a_wrong_value_names_the_variable() -> None:
    with pytest.raises(SettingsError, match="PORT"):
        load(Settings, COMPLETE | {"PORT": "eighty"})


def test_a_command_that_needs_only_the_database_asks_for_nothing_else() -> None:
    assert load(DatabaseSettings, {"BUG_FIX_EMBEDDED": "/tmp/x"}).bug_fix_embedded == "/tmp/x"  # noqa: S108  # not opened
    with pytest.raises(SettingsError, match="BUG_FIX_EMBEDDED"):
        load(DatabaseSettings, {})


def test_a_worker_needs_no_key_of_the_model_and_no_secret_of_hooks() -> None:
    names = {name.upper() for name in WorkerSettings.__struct_fields__}
    assert not names & {"ANTHROPIC_API_KEY", "READ_TOKENS", "GITLAB_WEBHOOK_SECRETS", "JIRA_WEBHOOK_SECRETS"}
    load(WorkerSettings, {name: value for name, value in COMPLETE.items() if name in names})


def test_tokens_are_not_shown_when_settings_are_printed() -> None:
    settings = load(Settings, COMPLETE)
    assert "token of ours" not in f"{settings}{settings!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "t") for name in ("GITLAB_TOKEN", "GITLAB_STARTER_TOKEN", "JIRA_TOKEN", "ANTHROPIC_API_KEY")),
        ("GITLAB_HOOKS_TOKEN", "t"),
        ("READ_TOKENS", "x"),
        ("READ_TOKENS", "a token that is long enough, x"),
        ("GITLAB_WEBHOOK_SECRETS", "x"),
        ("GITLAB_WEBHOOK_SECRETS", "payk12/a-project-with-a-long-path:x"),
        ("GITLAB_SIGNING_TOKENS", "whsec_eA=="),
        ("JIRA_WEBHOOK_SECRETS", "a secret that is long enough, x"),
        ("JIRA_WEBHOOK_HEADER", "X-A-Header-With-A-Long-Name: x"),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused_by_name_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} holds a secret of .* at least 16") as raised:
        load(Settings, COMPLETE | {name: value})
    assert len(value) == 1 or value not in str(raised.value)


def test_all_secrets_that_are_too_short_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        load(Settings, COMPLETE | {"GITLAB_TOKEN": "t", "READ_TOKENS": "r"})
    assert [line.split()[0] for line in str(raised.value).splitlines()] == ["GITLAB_TOKEN", "READ_TOKENS"]


def test_every_setting_is_documented() -> None:
    assert set(documentation(Settings)) == set(Settings.__struct_fields__)
