"""What may go wrong with hooks, on demand: dropped, failed, twice, late, out of order. Sends nothing itself.

`POST /_sandbox/faults` with `{"hooks": [{…}]}`; the fields of `HookFault` are the documentation.
"""

from collections.abc import Callable
from enum import Enum
from fnmatch import fnmatchcase
from typing import Annotated, Final

import msgspec

from sandbox.faults.switches import Switches


class Treatment(Enum):
    """What happens to a delivery."""

    SEND = "send"
    """As usual."""
    DROP = "drop"
    """Never sent, never recorded: as if GitLab had lost it."""
    FAIL = "fail"
    """Not sent, recorded as failed; counts towards the hook's auto-disable."""
    DUPLICATE = "duplicate"
    """Sent `copies` times with the same idempotency key."""
    DELAY = "delay"
    """Sent `delay_s` seconds later; others overtake it."""
    BEHIND = "behind"
    """Sent after the next `behind` deliveries of the same hook: out of order."""


class HookFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One switch; used up after `times` deliveries."""

    treatment: Treatment
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    """How many deliveries it is for."""
    project: str = "*"
    """Full path in GitLab, key in Jira, with `*` as a wildcard."""
    event: str = "*"
    """GitLab: `push`, `merge_requests`, `note`, `pipeline`, `job`, …; Jira: the `webhookEvent`."""
    copies: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 1.0
    behind: Annotated[int, msgspec.Meta(ge=1)] = 1


USUAL: Final = HookFault(treatment=Treatment.SEND)


class HookFaults(Switches[HookFault]):
    """The switches that are on, and the deliveries that wait behind others."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[tuple[int, Callable[[], None], int]] = []

    def clear(self) -> None:
        """Turn all switches off, and let go what waits."""
        super().clear()
        held, self._held = self._held, []
        for _, send, _ in held:
            send()

    def of(self, *, project: str, event: str) -> HookFault:
        """Find what is to happen to this delivery, and count it. `project`: its path in GitLab, its key in Jira."""
        found = self.take(lambda one: fnmatchcase(project, one.project) and fnmatchcase(event, one.event))
        return found or USUAL

    def hold(self, hook_id: int, send: Callable[[], None], *, behind: int) -> None:
        """Keep a delivery until `behind` others of its hook have passed."""
        self._held.append((hook_id, send, behind))

    def passed(self, hook_id: int) -> None:
        """Count one delivery that went its way, and let go those that waited for it."""
        waiting = [(one, send, left - (one == hook_id)) for one, send, left in self._held]
        self._held = [item for item in waiting if item[2] > 0]
        for _, send, left in waiting:
            if left <= 0:
                send()
