"""What the controllers work with, made once when the application starts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct, field

from receiver.gateway.forward import Gateway
from receiver.gateway.seats import Seats
from receiver.jobs.admission import Doorkeeper
from receiver.settings import Settings
from receiver.store.postgres.database import Database


class Services(Struct, frozen=True, kw_only=True):
    """Everything that a controller may use."""

    settings: Settings
    database: Database
    doorkeeper: Doorkeeper
    gateway: Gateway
    clock: Callable[[], datetime]
    seats: Seats = field(default_factory=Seats)
