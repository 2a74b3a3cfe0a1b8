"""Show evidence: fetch it from jobs' artifacts, upload it to GitLab, attach it to the ticket. Some may be left out."""

from __future__ import annotations

import asyncio

from pipelines.language import ArtifactKind, RunId, evidence_format
from pipelines.language.wire import sha256
from receiver import limits
from receiver.notes.view import EvidenceLink
from receiver.outbound.effects import evidence_choice
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.evidence_choice import Chosen
from receiver.outbound.errors import OutboundError, RefusedError
from receiver.store.run import runs
from receiver.store.run.runs import RunFacts
from receiver.store.story import Story, rows
from receiver.workflow.effects import AttachEvidence
from receiver.workflow.events.merge_request_events import PicturesAttached


async def content(desk: Desk, chosen: Chosen) -> bytes | None:
    """Return a chosen file; None when it is not what its report said. Raises OutboundError."""
    report, file = chosen.report, chosen.file
    found = await asyncio.to_thread(desk.reader.artifact, report.project_id, report.job, file.path, limit=file.size)
    is_same = sha256(found) == file.sha256  # a job can change a file after it has reported; it proves nothing then
    return found if is_same and not evidence_format.fault(file.kind, found) else None


async def upload(
    desk: Desk, story: Story, project_id: int, *, repository: str, iteration: int
) -> tuple[EvidenceLink, ...]:
    """Upload what shows before and after to a project; nothing of a confidential run."""
    shown: list[EvidenceLink] = []
    if not story.run.audience.is_public:
        return ()
    for chosen in evidence_choice.chosen(story.counting(iteration), repository=repository):
        try:
            found = await content(desk, chosen)
            if found is None:
                continue
            text = await asyncio.to_thread(desk.repositories.upload, project_id, filename=chosen.name, content=found)
        except OutboundError:
            continue
        shown.append(EvidenceLink(moment=chosen.moment, kind=chosen.file.kind, markdown=text))
    return tuple(shown)


async def attach(desk: Desk, run: RunId, effect: AttachEvidence) -> Performed:
    """Attach the pictures of before and after, unless they are there already, by names of their own."""
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
        story = await rows.story(session, await runs.find(session, run))
    if not story.run.audience.is_public:  # it may have become so after this was wanted
        return Performed(result={"files": []})
    key = facts.issue_key
    there = await asyncio.to_thread(desk.jira.attachments, key)
    ours = {(one.filename, one.size) for one in there if one.is_ours}
    attached = []
    for chosen in evidence_choice.chosen(story.counting(effect.iteration), repository=effect.repository):
        if chosen.file.kind is not ArtifactKind.SCREENSHOT or chosen.file.size > limits.ATTACHED_PICTURE:
            continue
        name = _name(facts, effect, chosen)
        if (name, chosen.file.size) not in ours:
            found = await _or_nothing(desk, chosen)
            if found is None:
                continue
            desk.faults.reach("AttachEvidence:before_post")
            await asyncio.to_thread(desk.jira.attach, key, filename=name, content=found)
            desk.faults.reach("AttachEvidence:after_post")
        attached.append(name)
    event = PicturesAttached(iteration=effect.iteration, repository=effect.repository, files=tuple(attached))
    return Performed(events=(event,) if attached else (), result={"files": attached})


def _name(facts: RunFacts, effect: AttachEvidence, chosen: Chosen) -> str:
    repository = facts.catalogue.repositories.get(effect.repository) if facts.catalogue else None
    where = repository.key if repository else effect.repository.replace("/", "-")
    return f"bug-fix-{facts.id}-{effect.iteration}-{where}-{chosen.name}"


async def _or_nothing(desk: Desk, chosen: Chosen) -> bytes | None:
    """Return a file; None also when it is no longer kept. That GitLab is away is worth another attempt."""
    try:
        return await content(desk, chosen)
    except RefusedError:
        return None
