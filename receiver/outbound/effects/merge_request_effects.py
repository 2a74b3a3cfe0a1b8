"""Effects on merge requests: open or update one for the accepted patch, ask for reviewers, keep its status note."""

from __future__ import annotations

import asyncio
from typing import Final

from pipelines.language import ProjectPath, RunId
from receiver.notes import markup
from receiver.outbound.effects import accepted_fix, commits, evidence_upload, restriction_check, reviewers
from receiver.outbound.effects.accepted_fix import AcceptedFix
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.reviewers import Reviewers
from receiver.outbound.effects.status_notes import NoteLocation, keep_note
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.repositories_api import MergeRequest, Project
from receiver.store.run import merge_requests, runs
from receiver.store.run.runs import RunFacts
from receiver.store.story import Story
from receiver.store.story import rows as stories
from receiver.workflow.effects import NeutraliseMergeRequest, OpenDraft, OpenMergeRequest, UpdateMergeRequestNote
from receiver.workflow.events.merge_request_events import MergeRequestOpened

DRAFT: Final = "Draft: "
"""Before the title of a draft (doc/user/project/merge_requests/drafts.md)."""


async def open_one(desk: Desk, run: RunId, effect: OpenMergeRequest | OpenDraft) -> Performed:
    """Commit the accepted patch, or partial work, to the run's branch and open or update the merge request.

    Checks and uploads take a while, so before the commit and again before the merge request Jira is asked whether the
    ticket was restricted meanwhile. Raises RestrictedError.
    """
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
        story = await stories.story(session, await runs.find(session, run))
    if isinstance(effect, OpenDraft):
        fix = await accepted_fix.partial(desk, facts, effect.repository, iteration=effect.iteration)
    else:
        fix = await accepted_fix.accepted(desk, facts, effect.repository, iteration=effect.iteration)
    project = await asyncio.to_thread(desk.repositories.project, effect.repository)
    facts = await commits.on_branch(desk, facts, project)
    await restriction_check.ensure_open(desk, run)
    waits = commits.CommitPipeline.WAITS if fix.is_draft else commits.wanted(facts)
    head = await commits.commit(desk, facts, project, fix, subject=title(story), pipeline=waits)
    shown = await evidence_upload.upload(
        desk, story, project.id, repository=effect.repository, iteration=effect.iteration
    )
    asked = await asyncio.to_thread(_reviewers, desk, facts, project, fix)
    await restriction_check.ensure_open(desk, run)
    text = desk.notes.description(
        story, repository=project.path, evidence=shown, remarks=fix.remarks, test=fix.test.decode(errors="replace")
    )
    name = f"{DRAFT if fix.is_draft else ''}{title(story)}"
    made = await asyncio.to_thread(_merge_request, desk, facts, project, name, text, asked)
    event = MergeRequestOpened(
        repository=effect.repository,
        project_id=project.id,
        iid=made.iid,
        url=made.url,
        head_sha=head.sha,
        branch=facts.branch,
        iteration=effect.iteration,
        held_back=head.held_back,
        has_reviewer=bool(made.reviewer_ids),
    )
    result = {
        "iid": made.iid,
        "url": made.url,
        "head": head.sha,
        "reviewers": [person.username for person in asked.people if person.id in made.reviewer_ids],
    }
    return Performed(events=(event,), result=result, remark=reviewers.remark(asked, set_=made.reviewer_ids))


def _reviewers(desk: Desk, facts: RunFacts, project: Project, fix: AcceptedFix) -> Reviewers:
    repository = facts.catalogue.repositories.get(project.path) if facts.catalogue else None
    configured = repository.reviewers if repository else ()
    paths = {file.path for file in fix.change.files}
    return reviewers.find(desk, project, configured=configured, paths=sorted(paths))


def title(story: Story) -> str:
    """Return the merge request's title, which GitLab's Jira integration links by; a confidential one says nothing."""
    what = story.plan.title if story.plan and story.run.audience.is_public else ""
    return f"{story.run.issue_key}: {markup.title(what) or 'Fix'}"


def _merge_request(
    desk: Desk, facts: RunFacts, project: Project, name: str, description: str, asked: Reviewers
) -> MergeRequest:
    people = tuple(person.id for person in asked.people)
    there = desk.repositories.merge_request_of(project.id, branch=facts.branch, target=project.default_branch)
    if there is not None and there.author_id != desk.repositories.bot:
        raise RefusedError(
            f"Somebody else opened !{there.iid} from branch {facts.branch} of {project.path}; it is left alone. "
            "Close it, then set the label again."
        )
    if there is not None:
        return desk.repositories.describe(there, title=name, description=description, reviewers=people)
    desk.faults.reach("OpenMergeRequest:before_post")
    made = desk.repositories.open_merge_request(
        project.id,
        branch=facts.branch,
        target=project.default_branch,
        title=name,
        description=description,
        labels=("bug-fix",),
        reviewers=people,
    )
    desk.faults.reach("OpenMergeRequest:after_post")
    return made


async def neutralise(desk: Desk, run: RunId, effect: NeutraliseMergeRequest) -> Performed:
    """Give a merge request the title and the description of a confidential run, if it has others."""
    async with desk.database.begin() as session:
        story = await stories.story(session, await runs.find(session, run))
        rows = await merge_requests.of_run(session, run)
    row = next((one for one in rows if one.repository == effect.repository), None)
    if row is None or story.run.audience.is_public:
        raise RefusedError(f"{effect.repository} has no merge request of this run that has to be neutral.")
    there = await asyncio.to_thread(desk.repositories.merge_request, row.project_id, row.iid)
    description = desk.notes.description(story, repository=effect.repository, evidence=())
    is_draft = await asyncio.to_thread(desk.repositories.suggestions.is_draft, row.project_id, row.iid)
    mark = DRAFT if is_draft else ""
    await asyncio.to_thread(
        desk.repositories.describe, there, title=f"{mark}{title(story)}", description=description, reviewers=()
    )
    return Performed(result={"iid": row.iid})


async def update_note(desk: Desk, run: RunId, effect: UpdateMergeRequestNote) -> Performed:
    """Make the status note on a merge request tell the truth."""
    async with desk.database.begin() as session:
        story = await stories.story(session, await runs.find(session, run))
        rows = await merge_requests.of_run(session, run)
    row = next((one for one in rows if one.repository == effect.repository), None)
    if row is None:
        raise RefusedError(f"{effect.repository} has no merge request of this run.")
    project_id, iid, notes = row.project_id, row.iid, desk.repositories.notes
    place = NoteLocation(
        target=effect.repository,
        find=lambda: [str(n) for n in notes.with_marker(project_id, iid, f"{desk.notes.marker(run)} -->")],
        edit=lambda note, body: notes.edit(project_id, iid, int(note), body),
        add=lambda body: str(notes.add(project_id, iid, body)),
    )
    body = desk.notes.merge_request(story, repository=ProjectPath(effect.repository))
    return Performed(result={"note": await keep_note(desk, run, place, body, point="UpdateMergeRequestNote")})
