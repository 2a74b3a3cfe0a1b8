"""How GitLab and Jira prove that a hook is theirs, from the settings."""

from __future__ import annotations

from pipelines.language.catalogue import Catalogue
from receiver.hooks import GitlabSecrets, HookSecret, JiraSecrets, SignatureError
from receiver.hooks.gitlab_secrets import home_of, hook_secret, unspoken_for, useless
from receiver.hooks.signatures import signing_key
from receiver.settings import Settings, SettingsError, several


def gitlab_secrets(settings: Settings, catalogue: Catalogue) -> GitlabSecrets:
    """Return how GitLab proves itself. Raises SettingsError when it can't."""
    home = home_of(catalogue.automation_project)
    tokens = _bound("GITLAB_WEBHOOK_SECRETS", settings.gitlab_webhook_secrets, home=home)
    signing_tokens = _bound("GITLAB_SIGNING_TOKENS", settings.gitlab_signing_tokens, home=home)
    if not tokens and not signing_tokens:
        raise SettingsError(
            "Set GITLAB_SIGNING_TOKENS (GitLab 19.0 and later) or GITLAB_WEBHOOK_SECRETS to what the hooks in GitLab "
            "are configured with; without one every hook would have to be refused."
        )
    for token in signing_tokens:
        try:
            signing_key(token.value)
        except SignatureError as error:
            raise SettingsError(f"GITLAB_SIGNING_TOKENS: {error}") from error
    secrets = GitlabSecrets(tokens=tokens, signing_tokens=signing_tokens)
    for scope in useless(secrets, _projects(catalogue)):
        raise SettingsError(
            f"A secret of GitLab's hooks is for {scope}, which is neither a project of bug-fix.yml nor the group of "
            "one. Write `group:secret` or `group/project:secret`; a secret itself can't hold a colon."
        )
    return secrets


def without_secret(secrets: GitlabSecrets, catalogue: Catalogue) -> list[str]:
    """Return a sentence for each project whose hooks would change nothing, because no secret speaks for it."""
    return [
        f"No secret of GitLab's hooks speaks for {project}, so its hooks change nothing. Add "
        f"`{home_of(project)}:SECRET` to GITLAB_SIGNING_TOKENS or GITLAB_WEBHOOK_SECRETS."
        for project in unspoken_for(secrets, _projects(catalogue))
    ]


def jira_secrets(settings: Settings) -> JiraSecrets:
    """Return how Jira proves itself. Raises SettingsError when it can't."""
    secrets = several(settings.jira_webhook_secrets)
    name, colon, value = settings.jira_webhook_header.partition(":")
    header = (name.strip().lower(), value.strip()) if name.strip() and value.strip() else None
    if settings.jira_webhook_header and header is None:
        missing = "a value after" if colon else "a colon and a value after"
        raise SettingsError(f"JIRA_WEBHOOK_HEADER needs {missing} the header's name, for example `X-Hook-Key: s3cret`.")
    if not secrets and header is None:
        raise SettingsError(
            "Set JIRA_WEBHOOK_SECRETS to the secret of the webhook in Jira, or JIRA_WEBHOOK_HEADER where Jira can't "
            "sign; without one every hook would have to be refused."
        )
    return JiraSecrets(secrets=secrets, header=header)


def _bound(name: str, setting: str, *, home: str) -> tuple[HookSecret, ...]:
    found: list[HookSecret] = []
    for number, one in enumerate(several(setting), start=1):
        try:
            found.append(hook_secret(one, home=home))
        except ValueError as error:
            raise SettingsError(
                f"{name}: secret {number} of the list {error}. Write `group:secret`, `group/project:secret` or the "
                "secret alone; a path has ASCII letters, digits and `_.-`, a secret itself can't hold a colon."
            ) from error
    return tuple(found)


def _projects(catalogue: Catalogue) -> list[str]:
    return [catalogue.automation_project, *catalogue.repositories]
