"""Settings, read from environment variables of the same names in capitals. Does not read files and keeps no state."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

MIN_SECRET: Final = 16
"""Characters of a secret: fewer can be guessed, and vendors' own have more."""


class SettingsError(Exception):
    """The settings can't be used; the message names each variable and says what to do."""


class DatabaseSettings(Struct, frozen=True, kw_only=True, rename="upper"):
    """What every command needs. One of the two must be set."""

    database_url: str | None = None
    """Address of the PostgreSQL database, for example `postgresql://bug_fix@db/bug_fix`.

    Not that of a pooler in transaction mode: workers use LISTEN.
    """
    bug_fix_embedded: str | None = None
    """Folder of an embedded PostgreSQL server, made and started when needed. For trying out and small teams."""


class WorkerSettings(DatabaseSettings, frozen=True, kw_only=True, rename="upper"):
    """What `bug-fix work` needs; it holds neither the Anthropic key nor the hooks' secrets."""

    gitlab_url: str
    """Address of GitLab, for example `https://gitlab.example.com`."""
    gitlab_token: str
    """Token (scope `api`) of the bot that writes branches, merge requests and notes and looks jobs and artifacts up:
    Developer on the repositories and on the automation project."""
    gitlab_starter_token: str
    """Token of the bot that starts and cancels fix pipelines: Maintainer of the automation project, else Reporter."""
    gitlab_hooks_token: str = ""
    """Token of a Maintainer of the automation project and the repositories. Optional: what no hook tells is asked for
    in any case. `doctor` reads with it whether GitLab still sends its hooks (scope `read_api` is enough); `work` tests
    those that GitLab switched off and sends again what they failed to deliver (scope `api`)."""
    gitlab_merge_token: str = ""
    """Token (scope `api`) of the bot that merges where `policy.merge` is `when_approved`: it may merge into the target
    branches, which for protected ones usually takes a Maintainer. Without it, GITLAB_TOKEN's bot merges."""
    jira_url: str
    """Address of Jira, for example `https://example.atlassian.net`."""
    jira_user: str = ""
    """E-mail address of the bot's Jira account (Cloud). Empty: JIRA_TOKEN is a personal access token (Data Center)."""
    jira_token: str
    """API token (Cloud) or personal access token (Data Center) of the bot's Jira account."""
    bug_fix_catalogue: str = "bug-fix.yml"
    """Path of bug-fix.yml, the catalogue of repositories, agents and policy."""
    public_url: str
    """How jobs and hooks reach this service, for example `https://bug-fix.example.com`."""
    worker_concurrency: int = 8
    """Deliveries and effects that one worker handles at the same time."""
    sweep_seconds: int = 30
    """Seconds between two sweeps: deadlines, stalled jobs, pipelines whose hooks did not arrive."""
    deliveries_retention_days: int = 30
    """Days after which the bodies of deliveries are removed; their verdicts stay."""
    transcripts_retention_days: int = 30
    """Days after which agents' transcripts are removed."""
    evidence_retention_days: int = 90
    """Days after which patches, tests and other blobs are removed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # tokens stay out of logs and tracebacks


class Settings(WorkerSettings, frozen=True, kw_only=True, rename="upper"):
    """What `bug-fix serve` needs."""

    gitlab_oidc_issuer: str = ""
    """Issuer of the ID tokens of jobs, when it is not GITLAB_URL; it is checked apart from the API's address."""
    gitlab_webhook_secrets: str = ""
    """Secret tokens of GitLab's hooks (`X-Gitlab-Token`), separated by commas; several while one is being replaced.

    Each speaks for one group or project: `group:token`, `group/project:token`; without, for the automation project's
    group."""
    gitlab_signing_tokens: str = ""
    """Signing tokens of GitLab's hooks (`whsec_…`, GitLab 19.0 and later), separated by commas, each for a group or
    project as above: `group:whsec_…`."""
    jira_webhook_secrets: str = ""
    """Secrets of Jira's hooks (`X-Hub-Signature`), separated by commas."""
    jira_webhook_header: str = ""
    """Fallback where Jira can't sign: `Name: value` of a header that a proxy or automation rule adds to each hook."""
    anthropic_base_url: str = "https://api.anthropic.com"
    """Address of the Messages API that the gateway forwards to."""
    anthropic_api_key: str
    """Key of the Messages API. The gateway alone holds it."""
    read_tokens: str
    """Tokens that may read runs, deliveries and the ledger, separated by commas; at least one, of 16 characters or
    more."""
    host: str = "127.0.0.1"
    """Address that `bug-fix serve` listens on."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    """Port that `bug-fix serve` listens on."""

    @property
    def oidc_issuer(self) -> str:
        """Issuer that ID tokens must name."""
        return (self.gitlab_oidc_issuer or self.gitlab_url).rstrip("/")


SettingsKind = TypeVar("SettingsKind", bound=DatabaseSettings)


def several(value: str) -> tuple[str, ...]:
    """Return the parts of a setting that holds several values separated by commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def load(kind: type[SettingsKind], environ: Mapping[str, str]) -> SettingsKind:
    """Return the settings of this kind. Raises SettingsError that names every missing or wrong variable."""
    fields = msgspec.structs.fields(kind)
    documented = documentation(kind)
    given = {f.encode_name: environ[f.encode_name] for f in fields if environ.get(f.encode_name)}
    missing = [f for f in fields if f.required and f.encode_name not in given]
    if missing:
        lines = [f"Set {f.encode_name}: {documented[f.name]}" for f in missing]
        raise SettingsError("\n".join(lines))
    short = [sentence for f in fields if (sentence := _too_short(f.name, given.get(f.encode_name, "")))]
    if short:
        raise SettingsError("\n".join(short))
    try:
        settings = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"Environment variable has a wrong value: {error}. See docs/configuration.md.") from error
    if not settings.database_url and not settings.bug_fix_embedded:
        raise SettingsError(
            "Set DATABASE_URL to a PostgreSQL database, or BUG_FIX_EMBEDDED to a folder for an embedded one."
        )
    return settings


_ONE: Final = frozenset(
    {
        "gitlab_token",
        "gitlab_starter_token",
        "gitlab_hooks_token",
        "gitlab_merge_token",
        "jira_token",
        "anthropic_api_key",
    }
)
_SEVERAL: Final = frozenset({"jira_webhook_secrets", "read_tokens"})
_NAMED: Final = frozenset({"gitlab_webhook_secrets", "gitlab_signing_tokens"})
"""Settings that hold a secret, several, or several each of which may have the name of a project before a colon."""


def _too_short(name: str, value: str) -> str:
    """Return what is wrong with a setting whose secrets are too short; empty when nothing is."""
    if name in _ONE:
        secrets: tuple[str, ...] = (value,)
    elif name in _SEVERAL:
        secrets = several(value)
    elif name in _NAMED:
        secrets = tuple(one.rpartition(":")[2] for one in several(value))
    elif name == "jira_webhook_header":
        secrets = (value.partition(":")[2].strip(),)
    else:
        return ""
    shortest = min((len(secret) for secret in secrets if secret), default=MIN_SECRET)
    if shortest >= MIN_SECRET:
        return ""
    characters = "1 character" if shortest == 1 else f"{shortest} characters"
    return (
        f"{name.upper()} holds a secret of {characters}, which can be guessed: at least {MIN_SECRET} are needed. Make "
        "one with `openssl rand -hex 32`, or copy the vendor's again, all of it."
    )


def documentation(kind: type[Struct]) -> dict[str, str]:
    """Return the attribute docstrings of a Struct and of its bases, by field name."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, Struct) or base is Struct:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        if not isinstance(body, ast.ClassDef):
            continue
        for field, text in zip(body.body, body.body[1:], strict=False):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    found[name] = " ".join(words.split())
    return found
