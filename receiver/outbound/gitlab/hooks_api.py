"""The hooks of projects in GitLab, as a Maintainer sees them. An adapter; changes nothing."""

from __future__ import annotations

from pipelines.language import ProjectPath
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.sdk_errors import translate_errors

SENT = "executable"
"""What GitLab says of a hook that it sends; else it was switched off after failures, for a while or for good."""
WANTED = {
    "pipeline_events": "pipeline events",
    "job_events": "job events",
    "merge_requests_events": "merge request events",
    "note_events": "comments",
}


class Hooks:
    """Hooks that lead to the receiver."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection.api

    def fault(self, project: ProjectPath, *, public_url: str) -> str | None:
        """Return what is wrong with a project's hook to the receiver, a sentence without its end; empty: nothing.

        None: it has no hook of its own to the receiver. One of its group may do, which GitLab shows only to its owners.
        """
        with translate_errors("GitLab", f"reading the hooks of {project}"):
            found = self._api.projects.get(project, lazy=True)
            ours = [one for one in found.hooks.list(get_all=True) if one.url.startswith(f"{public_url.rstrip('/')}/")]
        if not ours:
            return None
        for hook in ours:
            status = getattr(hook, "alert_status", SENT)
            if status != SENT:
                until = getattr(hook, "disabled_until", None)
                return (
                    f"GitLab sends its hook no more ({status}{f', until {until}' if until else ''}): test it in GitLab"
                )
        missing = [name for field, name in WANTED.items() if not any(getattr(hook, field, False) for hook in ours)]
        return f"its hook does not tell of {', '.join(missing)}" if missing else ""
