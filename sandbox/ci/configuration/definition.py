"""What a compiled configuration is: jobs with everything resolved that does not need a runner."""

from enum import Enum

import msgspec

from sandbox.ci.configuration.expansion import Variable


class When(Enum):
    """When a job runs, or when artifacts are kept."""

    ON_SUCCESS = "on_success"
    ON_FAILURE = "on_failure"
    ALWAYS = "always"
    MANUAL = "manual"
    DELAYED = "delayed"
    NEVER = "never"


class Strategy(Enum):
    """How a trigger job follows its child."""

    MIRROR = "mirror"
    DEPEND = "depend"


class AutoCancel(Enum):
    """`workflow:auto_cancel:on_new_commit`."""

    CONSERVATIVE = "conservative"
    INTERRUPTIBLE = "interruptible"
    NONE = "none"


class OnJobFailure(Enum):
    """`workflow:auto_cancel:on_job_failure`."""

    NONE = "none"
    ALL = "all"


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `needs`, its parallel jobs already named."""

    job: str
    artifacts: bool = True
    optional: bool = False


class Artifacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a job leaves behind."""

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    name: str = "artifacts"
    when: When = When.ON_SUCCESS
    expire_in_s: float | None = None
    """Seconds; None for `never` and for the instance's default."""
    access: str = "all"
    junit: tuple[str, ...] = ()
    coverage: str | None = None
    """Path of the coverage report, a glob."""


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How often a job is run again, and after which failures."""

    max: int = 0
    when: tuple[str, ...] = ("always",)
    exit_codes: tuple[int, ...] = ()


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The environment that a job deploys to."""

    name: str
    url: str | None = None
    action: str = "start"
    deployment_tier: str | None = None


class ArtifactInclude(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A child's configuration comes from another job's artifact."""

    artifact: str
    job: str
    inputs: dict[str, object] = {}


class LocalInclude(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A child's configuration is a file of the repository."""

    local: str
    inputs: dict[str, object] = {}


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger job starts."""

    includes: tuple[ArtifactInclude | LocalInclude, ...]
    strategy: Strategy | None = None
    forward_yaml_variables: bool = True
    forward_pipeline_variables: bool = False


class JobDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One job of a pipeline, or, with `trigger`, a bridge."""

    name: str
    stage: str
    stage_index: int
    script: tuple[str, ...] = ()
    before_script: tuple[str, ...] = ()
    after_script: tuple[str, ...] = ()
    variables: dict[str, Variable] = {}
    """Global, job's and rule's YAML variables, as they apply to this job."""
    matrix: dict[str, str] = {}
    """The variables of `parallel: matrix`, also among `variables`."""
    node: tuple[int, int] | None = None
    """CI_NODE_INDEX and CI_NODE_TOTAL of a parallel job."""
    needs: tuple[Need, ...] | None = None
    """None: the job waits for all earlier stages."""
    dependencies: tuple[str, ...] | None = None
    """None: artifacts of all earlier stages, or of `needs`."""
    when: When = When.ON_SUCCESS
    start_in_s: float | None = None
    allow_failure: bool = False
    allow_failure_exit_codes: tuple[int, ...] = ()
    timeout_s: float = 3600.0
    retry: Retry = Retry()
    interruptible: bool = False
    resource_group: str | None = None
    environment: Environment | None = None
    artifacts: Artifacts | None = None
    id_tokens: dict[str, tuple[str, ...]] = {}
    """Variable name to audiences, unexpanded."""
    image: str | None = None
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cache_paths: tuple[str, ...] = ()
    """Recorded; nothing is cached."""
    coverage: str | None = None
    trigger: Trigger | None = None


class PipelineDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled configuration."""

    name: str | None
    stages: tuple[str, ...]
    """Those that have jobs, in order."""
    jobs: tuple[JobDefinition, ...]
    variables: dict[str, Variable]
    """The global YAML variables, with those of the workflow's rule."""
    on_new_commit: AutoCancel = AutoCancel.CONSERVATIVE
    on_job_failure: OnJobFailure = OnJobFailure.NONE
