"""The settings of a demo's world."""

from pathlib import Path

from sandbox.demo.world import Vendors, World


def test_the_hooks_secret_speaks_for_each_group_of_the_scenario(tmp_path: Path) -> None:
    world = World(scenario="elsewhere", state=tmp_path, catalogue=tmp_path / "bug-fix.yml")
    names = ("url", "token", "starter_token", "oidc_issuer", "user", "api_key")
    facts = dict.fromkeys(names, "x") | {"webhook_secret": "s", "webhook_signing_token": "t", "groups": "payk12,river"}
    world.vendors = Vendors(gitlab=facts, jira=facts, anthropic=facts, issue_key="QX-7", people={})
    settings = world.settings()
    assert settings["GITLAB_WEBHOOK_SECRETS"] == "payk12:s,river:s"
    assert settings["GITLAB_SIGNING_TOKENS"] == "payk12:t,river:t"
