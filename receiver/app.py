"""Assemble the receiver's Litestar application from settings and catalogue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.gateway.forward import Gateway
from receiver.hooks import Interests
from receiver.jobs.admission import Doorkeeper
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.jobs_api import GitLabJobs
from receiver.settings import Settings
from receiver.store.postgres.database import Database, address
from receiver.web import gateway_api, hook_api, hook_secrets, job_api, liveness_api, pages, problems, run_api
from receiver.web.hook_api import Intake
from receiver.web.services import Services

log = structlog.get_logger()

HANDLERS: Final[list[Any]] = [
    *liveness_api.HANDLERS,
    *hook_api.HANDLERS,
    *job_api.HANDLERS,
    *gateway_api.HANDLERS,
    *run_api.HANDLERS,
    *pages.HANDLERS,
]
"""Everything that answers HTTP."""


def utc_now() -> datetime:
    """Return the current time: the clock of everything behind HTTP."""
    return datetime.now(UTC)


def create_app(settings: Settings, *, catalogue: Catalogue, clock: Callable[[], datetime] = utc_now) -> Litestar:
    """Return the application. Raises SettingsError when hooks of a vendor could not be verified."""
    gitlab, jira = hook_secrets.gitlab_secrets(settings, catalogue), hook_secrets.jira_secrets(settings)
    for sentence in hook_secrets.without_secret(gitlab, catalogue):
        log.warning("hooks.without_secret", reason=sentence)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with Database(address(settings)) as database:
            services = services_of(settings, database=database, clock=clock)
            interests = Interests.of(catalogue)
            app.state.intake = Intake(database=database, interests=interests, gitlab=gitlab, jira=jira, clock=clock)
            app.state.services, app.state.database = services, database
            log.info("receiver.started", public_url=settings.public_url, gitlab=settings.gitlab_url)
            try:
                yield
            finally:
                await services.gateway.close()
                services.doorkeeper.close()
                log.info("receiver.stopped")

    return Litestar(
        route_handlers=HANDLERS,
        lifespan=[lifespan],
        dependencies={
            "services": Provide(_services, sync_to_thread=False),
            "database": Provide(_database, sync_to_thread=False),
        },
        exception_handlers={HTTPException: problems.refused, Exception: problems.broke},
        request_max_body_size=limits.REQUEST_BODY,
        openapi_config=None,
        logging_config=None,  # structlog is configured by the process, see receiver.logs
    )


def services_of(settings: Settings, *, database: Database, clock: Callable[[], datetime]) -> Services:
    """Return what the job API and the gateway work with."""
    return Services(
        settings=settings,
        database=database,
        doorkeeper=Doorkeeper(
            database,
            lookup=GitLabJobs(Connection(settings.gitlab_url, settings.gitlab_token)),
            issuer=settings.oidc_issuer,
            audience=settings.public_url,
            clock=clock,
        ),
        gateway=Gateway(
            database, base_url=settings.anthropic_base_url, api_key=settings.anthropic_api_key, clock=clock
        ),
        clock=clock,
    )


def _services(state: State) -> Services:
    services: Services = state.services
    return services


def _database(state: State) -> Database:
    database: Database = state.database
    return database
