"""How GitLab's views name a status: icon, text, label, group (lib/gitlab/ci/status)."""

import msgspec

from sandbox.ci.engine.status import has_warnings
from sandbox.ci.records import Job, Pipeline, Status


class Appearance(msgspec.Struct, frozen=True, kw_only=True):
    """One `detailed_status`."""

    text: str
    label: str
    icon: str
    group: str


_WARNING = Appearance(
    text="Warning", label="passed with warnings", icon="status_warning", group="success-with-warnings"
)
_ALLOWED = Appearance(
    text="Failed", label="failed (allowed to fail)", icon="status_warning", group="failed-with-warnings"
)
_LABELS = {
    Status.SUCCESS: ("Passed", "passed", "status_success", "success"),
    Status.MANUAL: ("Manual", "waiting for manual action", "status_manual", "manual"),
    Status.SCHEDULED: ("Scheduled", "waiting for delayed job", "status_scheduled", "scheduled"),
    Status.WAITING_FOR_RESOURCE: ("Waiting", "waiting for resource", "status_pending", "waiting-for-resource"),
}


def of_status(status: Status) -> Appearance:
    """Give the appearance of a plain status."""
    value = status.value
    text, label, icon, group = _LABELS.get(status, (value.capitalize(), value, f"status_{value}", value))
    return Appearance(text=text, label=label, icon=icon, group=group)


def of_pipeline(pipeline: Pipeline) -> Appearance:
    """Give a pipeline's appearance: success may come with warnings."""
    if pipeline.status is Status.SUCCESS and has_warnings(pipeline.latest()):
        return _WARNING
    return of_status(pipeline.status)


def of_job(job: Job) -> Appearance:
    """Give a job's appearance."""
    return _ALLOWED if job.status is Status.FAILED and job.allow_failure else of_status(job.status)
