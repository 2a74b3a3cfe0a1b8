"""Lists of runs with their pipelines, merge requests and costs: one query for each kind of row.

Does not build stories, because a list of a hundred runs must not load their full history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Row, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from receiver.store.admissions import contenders
from receiver.store.schema import MergeRequestRow, PipelineRow, RunRow, TargetPipelineRow, UsageRow
from receiver.workflow import audience
from receiver.workflow.audience import Audience
from receiver.workflow.end_codes import FailureClass, failure_class
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus, of_status
from receiver.workflow.turns import place_in_words

CONFIDENTIAL = "Confidential: what was found, and what people do next, is told in the run's story."
"""Stands in a list in place of a confidential run's reason."""


class Listed(Struct, frozen=True, kw_only=True):
    """A run in a list."""

    id: str
    issue_key: str
    summary: str
    """Of the ticket; untrusted."""
    status: str
    position: int | None = None
    """In the queue, from 1; None: it does not wait for its turn."""
    iteration: int
    reason: str
    """Reason of the status; of a confidential run only where to read it."""
    reason_code: str | None
    """`EndCode` of a run that ended; None of a confidential one."""
    failure_class: FailureClass | None
    """Who has to act on a failure; None of other ends and of a confidential run."""
    audience: Audience
    """Who may read what it found."""
    created_at: datetime
    finished_at: datetime | None

    @property
    def place(self) -> str:
        """Where it stands in the queue, for people; empty: it does not wait for its turn."""
        return place_in_words(self.position)


class PipelineLink(Struct, frozen=True, kw_only=True):
    """Link to a pipeline."""

    url: str
    parent: int | None


class MergeRequestLink(Struct, frozen=True, kw_only=True):
    """Link to a merge request, with its state."""

    repository: str
    iid: int
    url: str
    state: str
    own_status: str | None
    """GitLab's status of the newest pipeline of the repository's own CI for our commit."""
    target_url: str | None

    @property
    def target_pipeline(self) -> TargetPipelineStatus:
        """Status of the repository's own CI."""
        return of_status(self.own_status)


class Glance(Struct, frozen=True, kw_only=True):
    """A run in a list with its links and costs."""

    run: Listed
    pipelines: tuple[PipelineLink, ...]
    merge_requests: tuple[MergeRequestLink, ...]
    cost_usd: Decimal | None
    """None if the cost of any call is unknown, or not known yet."""

    @property
    def trouble(self) -> tuple[str, ...]:
        """Problems of open merge requests that the run's reason does not name, one sentence each."""
        failed = [
            m for m in self.merge_requests if m.state == "opened" and m.target_pipeline is TargetPipelineStatus.FAILED
        ]
        return tuple(f"The own pipeline of {one.repository}!{one.iid} failed." for one in failed)


async def recent(session: AsyncSession, *, limit: int, issue_key: str | None = None) -> list[Listed]:
    """Return at most `limit` runs, newest first; only those of one ticket if its key is given."""
    # Postgres accepts no NUL in text, and keys have printable characters only.
    if issue_key is not None and not issue_key.isprintable():
        return []
    query = select(
        RunRow.id,
        RunRow.issue_key,
        func.coalesce(RunRow.ticket["summary"].astext, "").label("summary"),
        RunRow.status,
        RunRow.iteration,
        RunRow.reason,
        RunRow.reason_code,
        RunRow.confidential,
        RunRow.names_readers,
        RunRow.created_at,
        RunRow.finished_at,
    )
    if issue_key is not None:
        query = query.where(RunRow.issue_key == issue_key)
    rows = (await session.execute(query.order_by(RunRow.created_at.desc()).limit(limit))).all()
    is_queue = any(row.status == RunStatus.QUEUED for row in rows)
    positions = await contenders.positions(session) if is_queue else {}
    return [_listed(row, positions.get(row.id)) for row in rows]


def _listed(row: Row[Any], position: int | None) -> Listed:
    who = audience.of(is_confidential=row.confidential, names_readers=row.names_readers)
    told = who.is_public
    return Listed(
        id=row.id,
        issue_key=row.issue_key,
        summary=row.summary,
        status=row.status,
        position=position,
        iteration=row.iteration,
        reason=row.reason if told else CONFIDENTIAL,
        reason_code=row.reason_code if told else None,
        failure_class=failure_class(row.reason_code) if told else None,
        audience=who,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


async def glance(session: AsyncSession, *, limit: int) -> list[Glance]:
    """Return at most `limit` runs, newest first, with pipelines, merge requests and costs. Makes four queries."""
    listed = await recent(session, limit=limit)
    ids = [run.id for run in listed]
    pipelines = await session.execute(
        select(PipelineRow.run_id, PipelineRow.url, PipelineRow.parent_id.label("parent"))
        .where(PipelineRow.run_id.in_(ids))
        .order_by(PipelineRow.id)
    )
    requests = await session.execute(
        select(
            MergeRequestRow.run_id,
            MergeRequestRow.repository,
            MergeRequestRow.iid,
            MergeRequestRow.url,
            MergeRequestRow.state,
            _newest_own(TargetPipelineRow.status).label("own_status"),
            _newest_own(TargetPipelineRow.url).label("target_url"),
        )
        .where(MergeRequestRow.run_id.in_(ids))
        .order_by(MergeRequestRow.id)
    )
    links, opened = _by_run(pipelines, PipelineLink), _by_run(requests, MergeRequestLink)
    costs = await _costs(session, ids)
    return [
        Glance(
            run=run,
            pipelines=tuple(links[run.id]),
            merge_requests=tuple(opened[run.id]),
            cost_usd=costs.get(run.id, Decimal(0)),
        )
        for run in listed
    ]


def _newest_own(column: InstrumentedAttribute[str]) -> ScalarSelect[str]:
    """Return a column of the newest pipeline of the repository's own CI for a merge request's commit."""
    of_it = (
        TargetPipelineRow.merge_request_id == MergeRequestRow.id,
        TargetPipelineRow.sha == MergeRequestRow.head_sha,
    )
    return select(column).where(*of_it).order_by(TargetPipelineRow.id.desc()).limit(1).scalar_subquery()


async def _costs(session: AsyncSession, ids: Sequence[str]) -> dict[str, Decimal | None]:
    """Return the cost of each run with calls, computed as in `spending.costs`."""
    known = func.count(UsageRow.cost_usd).filter(UsageRow.state == "settled")
    rows = await session.execute(
        select(UsageRow.run_id, func.count(), known, func.sum(UsageRow.cost_usd).filter(UsageRow.state == "settled"))
        .where(UsageRow.run_id.in_(ids), UsageRow.state != "released")
        .group_by(UsageRow.run_id)
    )
    return {run: total if priced == calls else None for run, calls, priced, total in rows if run is not None}


Kind = TypeVar("Kind", bound=Struct)


def _as(kind: type[Kind], row: object) -> Kind:
    return msgspec.convert(row, kind, from_attributes=True)


def _by_run(rows: Iterable[object], kind: type[Kind]) -> defaultdict[str, list[Kind]]:
    found: defaultdict[str, list[Kind]] = defaultdict(list)
    for row in rows:
        found[row.run_id].append(_as(kind, row))  # type: ignore[attr-defined]  # each of these queries selects it
    return found
