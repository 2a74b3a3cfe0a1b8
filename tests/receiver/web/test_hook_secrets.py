"""For which projects the configured secrets of GitLab's hooks speak."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import ProjectPath
from pipelines.language.catalogue import Catalogue
from pipelines.language.repository import Repository, Stack
from receiver.hooks import HookSecret
from receiver.settings import SettingsError
from receiver.web.hook_secrets import gitlab_secrets, without_secret

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def two(catalogue: Catalogue) -> Catalogue:
    """Return a catalogue with a repository in the automation project's group and one in another."""
    stack = Stack(preset="python", image="python:3.11")
    paths = (ProjectPath("payk12/contacts"), ProjectPath("shop/api"))
    found = {path: Repository(key=path, project=path, agent="default", stack=stack) for path in paths}
    return replace(catalogue, repositories=found)


@pytest.mark.parametrize(
    ("tokens", "without"),
    [
        (KEY, ["shop/api"]),
        (f"{KEY},shop:{KEY}", []),
        (f"payk12/bug-fix:{KEY}", ["payk12/contacts", "shop/api"]),
        (f"payk12/bug-fix:{KEY}, payk12/contacts:{KEY}, shop/api:{KEY}", []),
    ],
)
def test_projects_for_which_no_secret_speaks_are_named_with_what_to_add(
    settings_of: Any, two: Catalogue, tokens: str, without: list[str]
) -> None:
    secrets = gitlab_secrets(settings_of("postgresql://127.0.0.1:1/x", gitlab_signing_tokens=tokens), two)
    said = without_secret(secrets, two)
    assert [
        sentence.split(",")[0].removeprefix("No secret of GitLab's hooks speaks for ") for sentence in said
    ] == without
    assert all(f"`{path.partition('/')[0]}:SECRET`" in sentence for path, sentence in zip(without, said, strict=True))


def test_one_secret_alone_speaks_for_the_automation_projects_group(settings_of: Any, two: Catalogue) -> None:
    settings = settings_of("postgresql://127.0.0.1:1/x", gitlab_signing_tokens="", gitlab_webhook_secrets="old,new")
    secrets = gitlab_secrets(settings, two)
    assert secrets.tokens == (HookSecret(value="old", scope="payk12"), HookSecret(value="new", scope="payk12"))


@pytest.mark.parametrize("name", ["gitlab_webhook_secrets", "gitlab_signing_tokens"])
@pytest.mark.parametrize(
    "wrong", ["payk12/bug-fix:", "payk12 : s3cret-s3cret-s3cret", "/payk12/contacts:s3cret-s3cret"]
)
def test_a_setting_of_the_wrong_form_is_refused_by_name_and_without_its_secret(
    settings_of: Any, two: Catalogue, name: str, wrong: str
) -> None:
    settings = settings_of("postgresql://127.0.0.1:1/x", **{name: f"{KEY}, {wrong}"})
    with pytest.raises(SettingsError, match=rf"^{name.upper()}: secret 2 of the list has ") as raised:
        gitlab_secrets(settings, two)
    assert "s3cret" not in str(raised.value)
    assert KEY not in str(raised.value)
