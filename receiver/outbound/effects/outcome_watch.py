"""Look what became of a merged fix: taken back on the target branch, ticket opened again, thumbs on our note."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pipelines.language import ProjectPath, RunId
from receiver import limits
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Landed
from receiver.outbound.jira.status_history import StatusMove, left_done
from receiver.store.effects import note_locations
from receiver.store.run import merge_requests, runs
from receiver.store.schema import MergeRequestRow
from receiver.workflow.effects import WatchOutcome
from receiver.workflow.events.outcome_events import OutcomeSeen, Vote

_REVERTS_COMMIT: Final = re.compile(r"^\(?This reverts commit ([0-9a-f]{7,64})\b", re.MULTILINE)
"""As git and GitLab write it."""
_REVERTS_REQUEST: Final = re.compile(r"^This reverts merge request (\S*)!(\d{1,18})\b", re.MULTILINE)
"""As GitLab writes it (app/models/commit.rb, revert_description): with the path, seen from another project."""


async def watch(desk: Desk, run: RunId, effect: WatchOutcome) -> Performed:
    """Return what became of the fix in a repository within the days in which it is watched."""
    async with desk.database.begin() as session:
        facts = await runs.find(session, run)
        rows = await merge_requests.of_run(session, run)
        note = await note_locations.known(session, run, effect.repository)
    row = next((one for one in rows if one.repository == effect.repository), None)
    if row is None or row.merged_at is None:
        return Performed(result={"merged": False})
    until = row.merged_at + limits.OUTCOME_WATCHED
    landed = await asyncio.to_thread(_landed, desk, row, row.merged_at)
    revert = reverting(landed, row, path=effect.repository)
    moves, unread = await asyncio.to_thread(_moves, desk, facts.issue_key)
    votes: tuple[Vote, ...] = ()
    if note is not None:
        thumbs = await asyncio.to_thread(desk.repositories.notes.thumbs, row.project_id, row.iid, int(note.note_id))
        votes = tuple(Vote(user=user, is_up=is_up) for user, is_up in sorted(thumbs.items()))
    seen = OutcomeSeen(
        repository=effect.repository,
        reverted_at=None if revert is None or revert.at > until else revert.at,
        reverted_by="" if revert is None or revert.at > until else revert.sha,
        reopened_at=left_done(moves, after=row.merged_at, until=until),
        votes=votes,
    )
    return Performed(events=(seen,), result={"commits": len(landed), "votes": len(votes), "unread": unread})


def _moves(desk: Desk, key: str) -> tuple[list[StatusMove], str]:
    """Return the ticket's moves, and why they can't be read: a ticket that we don't see hides nothing in GitLab."""
    try:
        return desk.jira.status_moves(key), ""
    except RefusedError as error:
        return [], str(error)


def _landed(desk: Desk, row: MergeRequestRow, since: datetime) -> list[Landed]:
    target = desk.repositories.merge_request(row.project_id, row.iid).target_branch
    # git keeps whole seconds, and clocks differ
    return desk.commits.since(row.project_id, target, since=since - limits.HOOK_ON_ITS_WAY)


def reverting(landed: Iterable[Landed], row: MergeRequestRow, *, path: ProjectPath) -> Landed | None:
    """Return the first commit that says it takes the merge request back, or one of its commits."""
    ours = [sha for sha in (row.merge_commit_sha, row.head_sha, row.seen_head_sha) if sha]
    for one in sorted(landed, key=lambda commit: commit.at):
        commits = _REVERTS_COMMIT.findall(one.message)
        requests = [int(iid) for where, iid in _REVERTS_REQUEST.findall(one.message) if _is(where, path)]
        if row.iid in requests or any(sha.startswith(said) for said in commits for sha in ours):
            return one
    return None


def _is(where: str, path: str) -> bool:
    return not where or where.casefold() in {path.casefold(), path.rpartition("/")[2].casefold()}
