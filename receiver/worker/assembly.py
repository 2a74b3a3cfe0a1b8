"""Put a worker together from its settings."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import stamina
import structlog

from pipelines.language import PipelineKind, RunId
from pipelines.language.catalogue import Catalogue
from receiver.notes import StatusNotes
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import OutboundError, UnavailableError
from receiver.outbound.faults import Faults
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.hooks_api import Hooks
from receiver.outbound.gitlab.merging_api import MergeRequestMerging
from receiver.outbound.gitlab.pipelines_api import Pipelines
from receiver.outbound.gitlab.repositories_api import Repositories
from receiver.outbound.jira.jira_client import JiraClient
from receiver.release import installed
from receiver.settings import WorkerSettings
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.worker.effect_task import Workshop
from receiver.worker.event_handler import Setting
from receiver.workflow.person import AccountId

log = structlog.get_logger()


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def new_run() -> RunId:
    """Return a new run's id."""
    return RunId(secrets.token_hex(8))


async def assemble(settings: WorkerSettings, database: Database, *, catalogue: Catalogue, faults: Faults) -> Workshop:
    """Return all that a worker works with. Asks GitLab who our bot is; raises OutboundError when it does not answer."""
    writer = Connection(settings.gitlab_url, settings.gitlab_token)
    starter = Connection(settings.gitlab_url, settings.gitlab_starter_token)
    merger = Connection(settings.gitlab_url, settings.gitlab_merge_token) if settings.gitlab_merge_token else writer
    async for attempt in stamina.retry_context(on=UnavailableError, attempts=8, timeout=60):
        with attempt:
            bot = await asyncio.to_thread(writer.user_id)
            merge_bot = await asyncio.to_thread(merger.user_id)
    jira = JiraClient(settings.jira_url, user=settings.jira_user, token=settings.jira_token)
    desk = Desk(
        database=database,
        starters={PipelineKind.FIX: Pipelines(starter)},
        reader=Pipelines(writer),
        repositories=Repositories(writer),
        commits=Commits(writer),
        merging=MergeRequestMerging(merger),
        jira=jira,
        notes=StatusNotes(catalogue=lambda: catalogue, public_url=settings.public_url, clock=now),
        catalogue=lambda: catalogue,
        public_url=settings.public_url,
        evidence_retention_days=settings.evidence_retention_days,
        faults=faults,
        clock=now,
    )
    return Workshop(
        database=database,
        desk=desk,
        setting=Setting(
            catalogue=catalogue,
            clock=now,
            new_run=new_run,
            bot=bot,
            merge_bot=merge_bot,
            jira_account=await _jira_account(jira),
            release=installed(),
        ),
        retention=Retention(
            deliveries=timedelta(days=settings.deliveries_retention_days),
            transcripts=timedelta(days=settings.transcripts_retention_days),
        ),
        hooks=Hooks(Connection(settings.gitlab_url, settings.gitlab_hooks_token))
        if settings.gitlab_hooks_token
        else None,
    )


async def _jira_account(jira: JiraClient) -> AccountId | None:
    """Return our account in Jira. A worker starts without Jira, too: then our comments are known by their marker."""
    try:
        return await asyncio.to_thread(jira.account)
    except OutboundError as error:
        log.warning("jira.account_unknown", error=str(error))
        return None
