"""A project's hooks in the emulated GitLab: what they ask for, and each attempt to deliver an event."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

Json = dict[str, Any]
TEMPORARY_FAILURES: Final = 4
"""So many failures in a row disable a hook for a while."""
PERMANENT_FAILURES: Final = 40
"""So many disable it for good."""


class Event(Enum):
    """What hooks can ask for; the value is the hook's flag without `_events`."""

    PUSH = "push"
    TAG_PUSH = "tag_push"
    MERGE_REQUEST = "merge_requests"
    NOTE = "note"
    CONFIDENTIAL_NOTE = "confidential_note"
    PIPELINE = "pipeline"
    JOB = "job"
    DEPLOYMENT = "deployment"
    FEATURE_FLAG = "feature_flag"
    EMOJI = "emoji"


@dataclass
class HookDelivery:
    """One attempt to deliver one event to one hook."""

    id: int
    event: Event
    uuid: str
    idempotency_key: str
    request_headers: Json
    payload: Json
    created_at: datetime
    response_status: str = "pending"
    """An HTTP status as text, `internal error`, or `pending`."""
    response_body: str = ""
    duration: float = 0.0
    """Seconds."""


@dataclass
class Hook:
    """A project hook."""

    id: int
    url: str
    project_id: int
    created_at: datetime
    events: set[Event]
    token: str = ""
    signing_token: str = ""
    enable_ssl_verification: bool = True
    name: str = ""
    description: str = ""
    failures: int = 0
    disabled_until: datetime | None = None
    deliveries: list[HookDelivery] = field(default_factory=list)

    def flags(self) -> dict[str, bool]:
        """Give `push_events` and all others as the API names them."""
        return {f"{event.value}_events": event in self.events for event in Event}

    def alert_status(self, now: datetime) -> str:
        """Whether GitLab still calls this hook (doc/user/project/integrations/webhooks.md, auto-disabled webhooks)."""
        if self.failures >= PERMANENT_FAILURES:
            return "disabled"
        return "temporarily_disabled" if self.disabled_until and self.disabled_until > now else "executable"
