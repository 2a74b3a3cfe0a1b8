"""The keywords that the emulator knows, as shapes. Anything else is refused by name, with the job that uses it.

Values are checked as GitLab does, a little stricter where GitLab is lenient. Interprets nothing.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar

import msgspec

from sandbox.ci import limits
from sandbox.ci.configuration.yaml_text import Config
from sandbox.ci.errors import ConfigError

Scalar = str | int | float | bool
Lines = str | list[Any] | None


class _Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hash whose keys are all known."""


class RawVariable(_Shape, frozen=True, kw_only=True):
    """`variables: {NAME: {value: …}}`."""

    value: Scalar = ""
    description: str = ""
    options: list[Scalar] | None = None
    expand: bool = True


RawVariables = dict[str, Scalar | RawVariable | None]


class RawRule(_Shape, frozen=True, kw_only=True, rename={"if_": "if"}):
    """One entry of `rules`."""

    if_: str | None = None
    changes: Any = None
    exists: str | list[str] | None = None
    when: str | None = None
    allow_failure: bool | None = None
    variables: RawVariables = {}


class RawNeed(_Shape, frozen=True, kw_only=True):
    """One entry of `needs`."""

    job: str
    artifacts: bool = True
    optional: bool = False
    parallel: "RawParallel | None" = None


class RawParallel(_Shape, frozen=True, kw_only=True):
    """`parallel: {matrix: […]}`."""

    matrix: list[dict[str, Scalar | list[Scalar]]]


class RawCoverageReport(_Shape, frozen=True, kw_only=True):
    """`artifacts:reports:coverage_report`."""

    coverage_format: Literal["cobertura", "jacoco"]
    path: str


class RawReports(_Shape, frozen=True, kw_only=True):
    """`artifacts:reports`."""

    junit: str | list[str] = []
    coverage_report: RawCoverageReport | None = None


class RawArtifacts(_Shape, frozen=True, kw_only=True):
    """`artifacts`."""

    paths: list[str] = []
    exclude: list[str] = []
    name: str | None = None
    when: str = "on_success"
    expire_in: str | int | None = None
    expose_as: str | None = None
    access: str | None = None
    public: bool | None = None
    reports: RawReports = RawReports()


class RawAllowFailure(_Shape, frozen=True, kw_only=True):
    """`allow_failure: {exit_codes: …}`."""

    exit_codes: int | list[int]


class RawRetry(_Shape, frozen=True, kw_only=True):
    """`retry` as a hash."""

    max: int = limits.RETRY
    when: str | list[str] = "always"
    exit_codes: int | list[int] = []


class RawEnvironment(_Shape, frozen=True, kw_only=True):
    """`environment` as a hash."""

    name: str
    url: str | None = None
    action: str = "start"
    deployment_tier: str | None = None


class RawIdToken(_Shape, frozen=True, kw_only=True):
    """One of `id_tokens`."""

    aud: str | list[str]


class RawForward(_Shape, frozen=True, kw_only=True):
    """`trigger:forward`."""

    yaml_variables: bool = True
    pipeline_variables: bool = False


class RawTrigger(_Shape, frozen=True, kw_only=True):
    """`trigger` as a hash."""

    include: str | list[dict[str, Any]]
    strategy: str | None = None
    forward: RawForward = RawForward()


class RawInherit(_Shape, frozen=True, kw_only=True):
    """`inherit`."""

    default: bool | list[str] = True
    variables: bool | list[str] = True


class RawAutoCancel(_Shape, frozen=True, kw_only=True):
    """`workflow:auto_cancel`."""

    on_new_commit: str = "conservative"
    on_job_failure: str = "none"


class RawWorkflowRule(_Shape, frozen=True, kw_only=True, rename={"if_": "if"}):
    """One of `workflow:rules`."""

    if_: str | None = None
    changes: Any = None
    exists: str | list[str] | None = None
    when: str = "always"
    variables: RawVariables = {}
    auto_cancel: RawAutoCancel | None = None


class RawWorkflow(_Shape, frozen=True, kw_only=True):
    """`workflow`."""

    name: str | None = None
    rules: list[RawWorkflowRule] | None = None
    auto_cancel: RawAutoCancel = RawAutoCancel()


class RawDefault(_Shape, frozen=True, kw_only=True):
    """`default`; its keys go into each job that lacks them."""

    before_script: Lines = None
    after_script: Lines = None
    image: str | dict[str, Any] | None = None
    services: list[str | dict[str, Any]] | None = None
    tags: list[Any] | None = None
    cache: dict[str, Any] | list[dict[str, Any]] | None = None
    artifacts: RawArtifacts | None = None
    retry: int | RawRetry | None = None
    timeout: str | int | None = None
    interruptible: bool | None = None
    id_tokens: dict[str, RawIdToken] | None = None


class RawJob(RawDefault, frozen=True, kw_only=True):
    """A job as it is written, after `extends` and `!reference`."""

    stage: str = "test"
    script: Lines = None
    variables: RawVariables | None = None
    rules: list[Any] | None = None
    needs: list[str | RawNeed] | None = None
    dependencies: list[str] | None = None
    when: str | None = None
    start_in: str | int | None = None
    allow_failure: bool | RawAllowFailure | None = None
    resource_group: str | None = None
    environment: str | RawEnvironment | None = None
    parallel: int | RawParallel | None = None
    trigger: str | RawTrigger | None = None
    inherit: RawInherit = RawInherit()
    coverage: str | None = None


DEFAULT_KEYS: Final = frozenset(RawDefault.__struct_fields__)
JOB_KEYS: Final = frozenset(RawJob.__struct_fields__)
ROOT_KEYS: Final = frozenset({"stages", "default", "variables", "workflow"})
UNSUPPORTED: Final = frozenset(
    [
        "only",
        "except",
        "release",
        "secrets",
        "pages",
        "publish",
        "hooks",
        "identity",
        "run",
        "manual_confirmation",
        "inputs",
        "dast_configuration",
        "image",
        "services",
        "cache",
        "before_script",
        "after_script",
    ]
)
"""Keywords of GitLab that this emulator refuses: in a job, or (the last five, deprecated) at the root."""

T = TypeVar("T")


def shaped(value: object, shape: type[T], *, where: str) -> T:
    """Give a value its shape, or say where it does not fit."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise ConfigError(f"{where}{path.rstrip('`').replace('.', ':')} config: {message}") from error


def read_job(name: str, raw: object) -> RawJob:
    """Read one job."""
    if not isinstance(raw, dict):
        raise ConfigError(f"jobs:{name} config should be a hash")
    if name in limits.RESERVED_NAMES or not name:
        raise ConfigError(f"jobs:{name} name is reserved")
    check_keys(f"jobs:{name}", raw, JOB_KEYS)
    if "trigger" in raw and (extra := sorted(set(raw) - limits.TRIGGER_KEYS)):
        raise ConfigError(f"jobs:{name} config contains unknown keys: {', '.join(extra)} (it is a trigger job)")
    if "trigger" not in raw and not raw.get("script"):
        raise ConfigError(f"jobs:{name} config should implement the script:, run:, or trigger: keyword")
    return shaped(raw, RawJob, where=f"jobs:{name}")


def check_keys(where: str, raw: Mapping[str, object], known: frozenset[str]) -> None:
    """Refuse unknown keywords by name."""
    unknown = sorted(str(key) for key in raw if key not in known)
    if refused := [key for key in unknown if key in UNSUPPORTED]:
        raise ConfigError(f"{where}: the CI emulator does not support {', '.join(f'`{key}`' for key in refused)}")
    if unknown:
        raise ConfigError(f"{where} config contains unknown keys: {', '.join(unknown)}")


def lines(value: Lines, *, where: str) -> tuple[str, ...]:
    """Flatten a script: a string or nested arrays of strings."""
    out: list[str] = []

    def add(one: object, depth: int) -> None:
        if isinstance(one, str):
            out.append(one)
        elif isinstance(one, list) and depth < limits.SCRIPT_DEPTH:
            for child in one:
                add(child, depth + 1)
        else:
            raise ConfigError(f"{where} config should be a string or a nested array of strings up to 10 levels deep")

    if value is not None:
        add(value, 0)
    return tuple(out)


def flat(value: list[Any]) -> list[Any]:
    """Flatten nested arrays, as `!reference` within `rules` and `tags` leaves them."""
    return [one for child in value for one in (flat(child) if isinstance(child, list) else [child])]


def strings(value: str | list[str]) -> tuple[str, ...]:
    """Read a string or an array of strings."""
    return (value,) if isinstance(value, str) else tuple(value)


def root(config: Config) -> tuple[Config, Config]:
    """Separate global keywords from jobs; refuse what is neither."""
    settings = {key: value for key, value in config.items() if key in ROOT_KEYS}
    entries = {str(key): value for key, value in config.items() if key not in ROOT_KEYS}
    for name, value in entries.items():
        if name in UNSUPPORTED or name == "spec":
            raise ConfigError(f"root: the CI emulator does not support `{name}` at the root; use `default`")
        if not isinstance(value, dict) and not name.startswith("."):
            raise ConfigError(f"jobs:{name} config should be a hash")
    return settings, entries
