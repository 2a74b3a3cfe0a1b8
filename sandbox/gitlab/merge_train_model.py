"""What stands in a merge train of the emulated GitLab: one car for each merge request. Data only. Premium."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class CarStatus(Enum):
    """The state machine of EE's MergeTrains::Car; the value is the REST field `status`."""

    IDLE = "idle"
    """Its pipeline is yet to be made."""
    STALE = "stale"
    """What its pipeline is about has changed: it gets another."""
    FRESH = "fresh"
    MERGING = "merging"
    MERGED = "merged"


@dataclass
class Car:
    """A merge request on a train, or one that came in by it."""

    id: int
    iid: int
    """Of the merge request."""
    target_branch: str
    user_id: int
    """Who put it on the train: its pipeline and its merge are theirs."""
    head_sha: str
    """The merge request's head at that time."""
    created_at: datetime
    updated_at: datetime
    status: CarStatus = CarStatus.IDLE
    pipeline_id: int | None = None
    base_sha: str = ""
    """On what its train ref stands: the target's head, or the train ref of the car in front."""
    sha: str = ""
    """Its train ref: its changes and those of all cars in front, on the target."""
    merge_commit_sha: str | None = None
    """The merge commit of the train ref; None with fast-forward merges."""
    landed_sha: str = ""
    """The target's head when it had come in."""
    merged_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it waits to come in."""
        return self.status in {CarStatus.IDLE, CarStatus.STALE, CarStatus.FRESH}

    @property
    def ref(self) -> str:
        """The ref of its pipeline."""
        return f"refs/merge-requests/{self.iid}/train"
