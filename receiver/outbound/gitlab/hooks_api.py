"""The hooks of projects in GitLab, as a Maintainer sees them: status, test, failed deliveries. An adapter.

Sources: doc/api/project_webhooks.md, doc/user/project/integrations/webhooks.md (auto-disabled webhooks),
lib/api/hooks/events.rb.
"""

from __future__ import annotations

from typing import Final

from gitlab.v4.objects import ProjectHook
from msgspec import Struct

from pipelines.language import ProjectPath
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.sdk_errors import translate_errors

SENT: Final = "executable"
"""What GitLab says of a hook that it sends; else it was switched off after failures, for a while or for good."""
WANTED: Final = {
    "pipeline_events": "pipeline events",
    "job_events": "job events",
    "merge_requests_events": "merge request events",
    "note_events": "comments",
}
_FAILED: Final = {"status": "client_failure,server_failure", "per_page": 20}
"""Also deliveries without an answer, of status `internal error`; GitLab gives no more on a page, the newest first."""


class Hook(Struct, frozen=True, kw_only=True):
    """A project's hook that leads to the receiver."""

    project: ProjectPath
    id: int
    status: str
    disabled_until: str = ""
    tells: frozenset[str]
    """Which of `WANTED`."""


class FailedDelivery(Struct, frozen=True, kw_only=True):
    """A delivery that the receiver did not answer well."""

    id: int
    kind: str
    """GitLab's `object_kind`."""


class Hooks:
    """Hooks that lead to the receiver. Every method raises OutboundError."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection.api

    def of(self, project: ProjectPath, *, public_url: str) -> list[Hook]:
        """Return a project's own hooks; those of its group GitLab shows only to the group's owners."""
        with translate_errors("GitLab", f"reading the hooks of {project}"):
            found = self._api.projects.get(project, lazy=True).hooks.list(get_all=True)
        return [
            Hook(
                project=project,
                id=int(one.id),
                status=getattr(one, "alert_status", SENT),
                disabled_until=getattr(one, "disabled_until", None) or "",
                tells=frozenset(field for field in WANTED if getattr(one, field, False)),
            )
            for one in found
            if one.url.startswith(f"{public_url.rstrip('/')}/")
        ]

    def fault(self, project: ProjectPath, *, public_url: str) -> str | None:
        """Return what is wrong with a project's hook, a sentence without its end; empty: nothing, None: it has none."""
        ours = self.of(project, public_url=public_url)
        if not ours:
            return None
        for hook in ours:
            if hook.status != SENT:
                until = f", until {hook.disabled_until}" if hook.disabled_until else ""
                return f"GitLab sends its hook no more ({hook.status}{until}): test it in GitLab"
        told = frozenset[str]().union(*(hook.tells for hook in ours))
        missing = [name for field, name in WANTED.items() if field not in told]
        return f"its hook does not tell of {', '.join(missing)}" if missing else ""

    def enable(self, hook: Hook) -> None:
        """Test a hook with a sample push: answered with 2xx, GitLab sends it again. Raises RefusedError for others."""
        with translate_errors("GitLab", f"testing the hook of {hook.project}"):
            self._object(hook).test("push_events")

    def failed(self, hook: Hook) -> list[FailedDelivery]:
        """Return the newest deliveries that failed within the last week, the oldest first (GitLab 17.3 and later)."""
        with translate_errors("GitLab", f"reading what the hook of {hook.project} failed to deliver"):
            found = self._api.http_list(f"{self._path(hook)}/events", query_data=_FAILED, get_all=False)
        told = [FailedDelivery(id=int(one["id"]), kind=one["request_data"].get("object_kind") or "") for one in found]
        return sorted(told, key=lambda one: one.id)

    def resend(self, hook: Hook, delivery: FailedDelivery) -> bool:
        """Send a delivery again, with its key (GitLab 17.4 and later); return whether the receiver answered with 2xx.

        Raises UnavailableError after five a minute, RefusedError when there was no answer.
        """
        with translate_errors("GitLab", f"sending a delivery of {hook.project} again"):
            answer = self._api.http_post(f"{self._path(hook)}/events/{delivery.id}/resend")
        return isinstance(answer, dict) and 200 <= int(answer["response_status"]) < 300

    def _object(self, hook: Hook) -> ProjectHook:
        return self._api.projects.get(hook.project, lazy=True).hooks.get(hook.id, lazy=True)

    def _path(self, hook: Hook) -> str:
        return f"{self._object(hook).manager.path}/{hook.id}"
