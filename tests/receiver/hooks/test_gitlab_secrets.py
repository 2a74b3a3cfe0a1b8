"""A secret of a hook speaks for one group or project, and no other."""

import pytest

from receiver.hooks import GitlabSecrets, HookSecret
from receiver.hooks.gitlab_secrets import home_of, hook_secret, speaks_for, unspoken_for, useless

HOME = "payk12"
PROJECTS = ("payk12/bug-fix", "payk12/contacts", "shop/api")


@pytest.mark.parametrize(
    ("setting", "scope", "value"),
    [
        ("s3cret", HOME, "s3cret"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw==", HOME, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=="),
        ("payk12/contacts:s3cret", "payk12/contacts", "s3cret"),
        ("shop:whsec_MfKQ9r8GKYqr+/==", "shop", "whsec_MfKQ9r8GKYqr+/=="),
        ("a.b/c_d/e-f:s3cret", "a.b/c_d/e-f", "s3cret"),
    ],
)
def test_a_setting_says_whose_a_secret_is(setting: str, scope: str, value: str) -> None:
    assert hook_secret(setting, home=HOME) == HookSecret(scope=scope, value=value)
    assert value not in repr(hook_secret(setting, home=HOME))


@pytest.mark.parametrize(
    "setting",
    ["shop/:s3cret", "/shop/api:s3cret", "shop/über:s3cret", "shop :s3cret", "shop: s3cret", ":s3cret", "shop:s3:cret"],
)
def test_what_has_a_colon_and_no_path_before_it_is_no_secret(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^has a colon in the wrong place$"):
        hook_secret(setting, home=HOME)


@pytest.mark.parametrize("setting", ["payk12/bug-fix:", "shop:", ":"])
def test_a_scope_without_a_secret_is_no_secret_that_can_be_guessed(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^has nothing after its colon$"):
        hook_secret(setting, home=HOME)


@pytest.mark.parametrize(
    ("scope", "project", "speaks"),
    [
        ("payk12", "payk12/contacts", True),
        ("PayK12", "payk12/Contacts", True),
        ("payk12/contacts", "payk12/contacts", True),
        ("payk12", "payk12/team/contacts", True),
        ("payk12/contacts", "payk12/contacts-archive", False),
        ("payk12/contacts", "payk12/bug-fix", False),
        ("payk1", "payk12/contacts", False),
        ("payk12/contacts", "payk12", False),
        ("contacts", "payk12/contacts", False),
    ],
)
def test_a_scope_is_a_project_or_all_that_is_below_a_group(scope: str, project: str, *, speaks: bool) -> None:
    assert speaks_for((scope,), project) is speaks
    assert speaks_for(("elsewhere", scope), project) is speaks


def test_nothing_speaks_for_a_project_without_a_scope() -> None:
    assert not speaks_for((), "payk12/contacts")


@pytest.mark.parametrize(("project", "home"), [("a/bug-fix", "a"), ("a/b/bug-fix", "a/b"), ("bug-fix", "bug-fix")])
def test_a_secret_without_a_scope_is_the_automation_projects_groups(project: str, home: str) -> None:
    assert home_of(project) == home
    assert speaks_for((home,), project)


def test_projects_without_a_secret_and_secrets_without_a_project_are_found() -> None:
    one, two = HookSecret(value="x", scope="payk12"), HookSecret(value="y", scope="shoq")
    assert unspoken_for(GitlabSecrets(tokens=(one,)), PROJECTS) == ["shop/api"]
    assert useless(GitlabSecrets(tokens=(one,), signing_tokens=(two,)), PROJECTS) == ["shoq"]
