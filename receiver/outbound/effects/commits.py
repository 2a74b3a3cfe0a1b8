"""Commit the accepted fix to the run's branch, and never over others' work.

While a merge request of the branch is open, nothing is forced: the fix becomes a commit on the branch's head, and its
parent in GitLab's answer says whether somebody pushed meanwhile. A branch without one, on which only our commits are,
is made anew upon the commit that the fix was made for.
"""

from __future__ import annotations

import asyncio
import re
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pipelines.language import CommitSha, RunId
from pipelines.language.change_set import ChangeSet, ChangeSetError
from pipelines.language.policy import TargetPipeline
from receiver.outbound.effects import patch_check
from receiver.outbound.effects.accepted_fix import AcceptedFix
from receiver.outbound.effects.commit_actions import actions_of, fits, guarded, holds, lacking
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Commits, Head
from receiver.outbound.gitlab.repositories_api import Project
from receiver.store.jobs import blobs
from receiver.store.run import merge_requests
from receiver.store.run.runs import RunFacts
from receiver.workflow.stages.start import branch_name

SKIP: Final = "[skip ci]"
"""In a commit's message, it lets GitLab make no pipeline of a push: neither a branch's nor a merge request's."""


class CommitPipeline(StrEnum):
    """Whether the repository's own CI may run a commit."""

    RUNS = "runs"
    WAITS = "waits"


def wanted(facts: RunFacts) -> CommitPipeline:
    """Return what the run's policy says about a commit that nobody has seen yet."""
    policy = facts.catalogue.policy.target_pipeline if facts.catalogue else TargetPipeline.SKIP_UNTIL_APPROVED
    return CommitPipeline.WAITS if policy is TargetPipeline.SKIP_UNTIL_APPROVED else CommitPipeline.RUNS


async def on_branch(desk: Desk, facts: RunFacts, project: Project) -> RunFacts:
    """Return the run's facts with the branch that its fix gets in a project.

    A confidential run makes no branch whose name tells of the ticket. One that is there already, with its merge request
    or left by a crash between push and note, is gone on with: another beside it would take nothing back.
    """
    async with desk.database.begin() as session:
        rows = await merge_requests.of_run(session, facts.id)
    used = next((one.source_branch for one in rows if one.project_id == project.id), None)
    if used is not None:
        return replace(facts, branch=used)
    neutral = branch_name(facts.issue_key, "", facts.audience)
    if facts.audience.is_public or facts.branch == neutral:
        return facts
    head = await asyncio.to_thread(desk.commits.head, project.id, facts.branch)
    return facts if head is not None else replace(facts, branch=neutral)


_TRAILER = re.compile(r"^Bug-Fix-Run: (\S+) ([0-9a-f]{64})\s*\Z", re.MULTILINE)
"""At the end of our commits' messages; nothing before it is ours to trust."""


def trailer(run: str, change_sha256: str) -> str:
    """Return the line by which our own commits are known."""
    return f"Bug-Fix-Run: {run} {change_sha256}"


class Committed(Struct, frozen=True, kw_only=True):
    """The head of the run's branch."""

    sha: CommitSha
    held_back: bool
    """The repository's own CI leaves it alone."""


class Branch(Struct, frozen=True, kw_only=True):
    """A branch that looks as ours do: commits in a row upon one of the default branch."""

    head: Head
    base: CommitSha
    """The newest commit that the default branch has as well."""
    commits: tuple[CommitSha, ...]
    """Those beyond it, the newest first."""


def read_branch(desk: Desk, project: Project, head: Head) -> Branch | None:
    """Return what a branch is made of; None when it is no row of commits, or a long one."""
    own = desk.commits.beyond(project.id, project.default_branch, sha=head.sha)
    if own is None or any(len(one.parents) != 1 for one in own):
        return None
    if any(above.parents != (below.sha,) for above, below in pairwise(own)):
        return None
    base = own[-1].parents[0] if own else head.sha
    return Branch(head=head, base=CommitSha(base), commits=tuple(CommitSha(one.sha) for one in own))


async def our_branch(desk: Desk, facts: RunFacts, project: Project, head: Head) -> Branch:
    """Return the branch if all its commits are ours. Raises RefusedError: a person's work is on it.

    They are when we noted the head, for what is below a commit of ours was ours when we made it; or when base and head
    differ by a change of ours to the byte, which is what a crash between commit and note leaves behind. A person who
    amends our commit keeps its message and parent, so these prove nothing.
    """
    branch = await asyncio.to_thread(read_branch, desk, project, head)
    async with desk.database.begin() as session:
        is_ours = head.sha in await merge_requests.heads(session, project.id, branch=facts.branch)
        named = None if is_ours else _TRAILER.search(head.message)
        data = None if named is None else await blobs.read(session, named[2], run=RunId(named[1]))
    if branch is not None and data is not None:
        is_ours = await asyncio.to_thread(_is_change, desk.commits, project, branch, data)
    if branch is None or not is_ours:
        raise RefusedError(
            f"Branch {facts.branch} of {project.path} ends in a commit that is not ours; it is left alone. "
            "Merge or delete the branch, then set the label again."
        )
    return branch


def _is_change(commits: Commits, project: Project, branch: Branch, data: bytes) -> bool:
    """Say whether a branch holds the change that a job handed in, upon files that it was made for."""
    try:
        change = patch_check.handed_in(commits, project.id, data, base=branch.base)
    except ChangeSetError:
        return False
    is_for_it = fits(change, partial(commits.folder, project.id, ref=branch.base))
    return is_for_it and not _lacking(commits, project, branch, change).files


def _lacking(commits: Commits, project: Project, branch: Branch, change: ChangeSet) -> ChangeSet:
    touched = {path for sha in branch.commits for path in commits.changed_paths(project.id, sha)}
    return lacking(commits, project.id, change, base=branch.base, head=CommitSha(branch.head.sha), touched=touched)


async def commit(
    desk: Desk, facts: RunFacts, project: Project, fix: AcceptedFix, *, subject: str, pipeline: CommitPipeline
) -> Committed:
    """Make the branch hold the change and nothing else; a branch that does already is left alone.

    A commit that may run is never replaced by one that waits: somebody approved it. Raises RefusedError where a person
    has to decide, and says so.
    """
    line = trailer(facts.id, fix.sha256)
    mark = f"{SKIP}\n\n" if pipeline is CommitPipeline.WAITS else ""
    message = f"{subject}\n\n{mark}{line}\n"
    head = await asyncio.to_thread(desk.commits.head, project.id, facts.branch)
    branch = None if head is None else await our_branch(desk, facts, project, head)
    if branch is not None:
        is_open = bool(await asyncio.to_thread(desk.repositories.merge_requests_of, project.id, facts.branch))
        if is_open:
            lacks = await asyncio.to_thread(_lacks, desk, project, fix, branch)
        elif branch.base == fix.base and line in branch.head.message:
            lacks = await asyncio.to_thread(_lacking, desk.commits, project, branch, fix.change)
        else:
            lacks = fix.change
        is_held_back = SKIP in branch.head.message
        if not lacks.files and (pipeline is CommitPipeline.WAITS or not is_held_back):
            return Committed(sha=CommitSha(branch.head.sha), held_back=is_held_back)
        if is_open:
            sha = await asyncio.to_thread(_add, desk, facts, project, branch.head, lacks, message=message)
            return Committed(sha=sha, held_back=bool(mark))
    sha = await asyncio.to_thread(_start, desk, facts, project, fix, message=message, replaces=branch is not None)
    return Committed(sha=sha, held_back=bool(mark))


def _lacks(desk: Desk, project: Project, fix: AcceptedFix, branch: Branch) -> ChangeSet:
    """Return what the branch of an open merge request lacks of the fix. Raises RefusedError if it can't hold it."""
    if branch.base != fix.base and not fits(fix.change, partial(desk.commits.folder, project.id, ref=branch.base)):
        raise RefusedError(
            f"The open merge request in {project.path} stands on commit {branch.base[:12]}; since then "
            f"{project.default_branch} has changed files that the fix changes, too. While a merge request is open, its "
            "branch is never rewritten. Merge or close it, then set the label again."
        )
    return _lacking(desk.commits, project, branch, fix.change)


def _start(
    desk: Desk, facts: RunFacts, project: Project, fix: AcceptedFix, *, message: str, replaces: bool
) -> CommitSha:
    actions = actions_of(fix.change)
    desk.faults.reach("OpenMergeRequest:before_push")
    made = desk.commits.start(
        project.id, branch=facts.branch, at=fix.base, message=message, actions=actions, replaces=replaces
    )
    desk.faults.reach("OpenMergeRequest:after_push")
    _check(desk, facts, project, fix.change, made)
    return CommitSha(made)


def _add(desk: Desk, facts: RunFacts, project: Project, head: Head, lacks: ChangeSet, *, message: str) -> CommitSha:
    actions = guarded(actions_of(lacks), partial(desk.commits.last_change, project.id, ref=head.sha))
    desk.faults.reach("OpenMergeRequest:before_push")
    try:
        made = desk.commits.add(project.id, branch=facts.branch, message=message, actions=actions)
    except RefusedError as error:
        now = desk.commits.head(project.id, facts.branch)
        if now is None or now.sha == head.sha:
            raise
        raise RefusedError(_pushed(facts, project, now.sha, "The fix was not committed.")) from error
    desk.faults.reach("OpenMergeRequest:after_push")
    if made.parents != (head.sha,):
        what = f"Our commit {made.sha[:12]} is on top of theirs; the two together were not tested."
        raise RefusedError(_pushed(facts, project, made.parents[0], what))
    _check(desk, facts, project, lacks, made.sha)
    return CommitSha(made.sha)


def _pushed(facts: RunFacts, project: Project, theirs: str, what: str) -> str:
    return (
        f"Somebody pushed {theirs[:12]} to branch {facts.branch} of {project.path} while the fix was being committed. "
        f"Nothing of it was overwritten. {what} Look at the branch, then merge or close its merge request."
    )


def _check(desk: Desk, facts: RunFacts, project: Project, change: ChangeSet, made: str) -> None:
    if not holds(desk.commits, project.id, change, sha=made):
        raise RefusedError(
            f"Commit {made[:12]} on {facts.branch} of {project.path} is not what was tested, so no merge request is "
            "opened for it. Delete the branch; what GitLab did to the files has to be found out."
        )


async def release(desk: Desk, facts: RunFacts, project: Project, head: Head, *, subject: str) -> Head:
    """Put a commit without the mark and without a change on the branch's head, which is ours; return it.

    Raises RefusedError when the head is not ours.
    """
    await our_branch(desk, facts, project, head)
    named = _TRAILER.search(head.message)
    line = "" if named is None else f"\n{named[0].strip()}\n"
    message = f"{subject}\n\nSomebody approved the commit before, so its pipeline may run. Changes no file.\n{line}"
    desk.faults.reach("OpenMergeRequest:before_push")
    made = await asyncio.to_thread(desk.commits.add, project.id, branch=facts.branch, message=message, actions=())
    desk.faults.reach("OpenMergeRequest:after_push")
    return made
