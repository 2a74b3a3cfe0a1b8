"""Remedies on an open merge request: suggestions that stand on its head, and what people say of them.

Never on a default or protected branch. Performed again, a look finds its own threads and posts nothing twice.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from pipelines.language import CommitSha, ProjectPath, RunId
from pipelines.language.change_set import ChangeSet, read_change_set
from pipelines.language.remedy import Action as RemedyAction
from receiver.healing import hunks as lines_changed
from receiver.healing.hunks import REACH, Hunk, Place, hunks_of, lines_of
from receiver.outbound.effects import commits
from receiver.outbound.effects.commit_actions import guarded
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.errors import RefusedError, UnavailableError
from receiver.outbound.gitlab.commits_api import Action
from receiver.outbound.gitlab.repositories_api import Project
from receiver.outbound.gitlab.suggestions_api import DiffView, Line, SuggestionThread
from receiver.store.run import merge_requests, offered_remedies, runs
from receiver.store.run.offered_remedies import Offer
from receiver.store.run.runs import RunFacts
from receiver.store.schema import MergeRequestRow
from receiver.workflow.effects import AnswerRemedy, RemedyAnswer, ShowRemedies
from receiver.workflow.events.merge_request_events import MergeRequestOpened
from receiver.workflow.events.remedy_events import RemedyTold
from receiver.workflow.remedy_standing import HunkFate, Standing, Thread, standing, state_of
from receiver.workflow.remedy_state import RemedyState

WHOLE: Final = "whole"
"""In place of a hunk's hash: a proposal of all of a remedy's change."""
_KEY: Final = re.compile(r"<!-- bug-fix:remedy (\S+) (\d+) (\w+) -->")


class _Scene(Struct, frozen=True, kw_only=True):
    """An open merge request whose diff GitLab has reloaded, and what is offered on it."""

    facts: RunFacts
    project: Project
    row: MergeRequestRow
    view: DiffView
    offers: tuple[Offer, ...]


class _File:
    """Files at the head and at the base of a merge request; nothing is read twice."""

    def __init__(self, desk: Desk, scene: _Scene) -> None:
        self._desk, self._scene = desk, scene
        self._known: dict[tuple[str, str], bytes | None] = {}

    def content(self, path: str, ref: str) -> bytes | None:
        if (path, ref) not in self._known:
            self._known[path, ref] = self._desk.commits.file(self._scene.project.id, path, ref=ref)
        return self._known[path, ref]

    def lines(self, path: str) -> list[str]:
        return lines_of(self.content(path, self._scene.view.head_sha) or b"") or []

    def line_before(self, path: str, number: int) -> int | None:
        """Return the number that an unchanged line of the head has at the base; None: it is new."""
        old = lines_of(self.content(path, self._scene.view.base_sha) or b"") or []
        blocks = difflib.SequenceMatcher(a=old, b=self.lines(path), autojunk=False).get_matching_blocks()
        return next((number - b + a for a, b, n in blocks if b < number <= b + n), None)


async def show(desk: Desk, run: RunId, effect: ShowRemedies) -> Performed:
    """Make what is offered stand on the head of the merge request. Raises UnavailableError until GitLab reloaded it."""
    scene = await _scene(desk, run, effect.repository)
    if scene is None:
        return Performed(result={"shown": 0})
    told = await asyncio.to_thread(_stand, desk, scene)
    return Performed(events=told, result={"shown": len(scene.offers)})


async def answer(desk: Desk, run: RunId, effect: AnswerRemedy) -> Performed:
    """Commit what somebody wants, or have it taken off; its threads are settled by the look that follows."""
    scene = await _scene(desk, run, effect.repository)
    offer = None if scene is None else next((o for o in scene.offers if o.iteration == effect.iteration), None)
    if scene is None or offer is None:
        raise RefusedError("The remedy is not offered any more.")
    then = (ShowRemedies(repository=effect.repository),)
    if effect.answer is RemedyAnswer.REJECT:
        said = f"{effect.who} does not want it. {effect.reason}".strip()
        rejected = RemedyTold(
            iteration=offer.iteration, repository=effect.repository, state=RemedyState.REJECTED, sentence=said
        )
        return Performed(events=(rejected,), result={"answer": effect.answer}, then=then)
    made = await _committed(desk, scene, offer, who=effect.who)
    accepted = RemedyTold(
        iteration=offer.iteration,
        repository=effect.repository,
        state=RemedyState.ACCEPTED,
        sentence=f"{effect.who} approved it; the branch has it.",
    )
    events = (accepted,) if made is None else (made, accepted)
    return Performed(events=events, result={"answer": effect.answer}, then=then)


async def _scene(desk: Desk, run: RunId, repository: ProjectPath) -> _Scene | None:
    async with desk.database.begin() as session:
        row = await runs.find(session, run)
        facts = await runs.facts(session, run)
        known = next((one for one in await merge_requests.of_run(session, run) if one.repository == repository), None)
        offers = await offered_remedies.offers(session, row, repository)
    if known is None or known.state != "opened" or not offers:
        return None
    return await asyncio.to_thread(_seen, desk, facts, known, offers)


def _seen(desk: Desk, facts: RunFacts, row: MergeRequestRow, offers: tuple[Offer, ...]) -> _Scene | None:
    project = desk.repositories.project(ProjectPath(row.repository))
    view = desk.repositories.suggestions.view(project.id, row.iid)
    if view.state != "opened":
        return None
    branch = view.source_branch
    if branch in {project.default_branch, view.target_branch} or desk.repositories.suggestions.is_protected(
        project.id, branch
    ):
        raise RefusedError(f"{branch} of {project.path} is a default or protected branch; no remedy touches it.")
    head = desk.commits.head(project.id, branch)
    if head is None or head.sha != view.head_sha:
        raise UnavailableError("GitLab has not reloaded the diff after the last push.")
    return _Scene(facts=facts, project=project, row=row, view=view, offers=offers)


def _changes(offer: Offer) -> tuple[ChangeSet, ChangeSet]:
    return read_change_set(offer.before), read_change_set(offer.after)


def _stand(desk: Desk, scene: _Scene) -> tuple[RemedyTold, ...]:
    api, (project_id, iid) = desk.repositories.suggestions, (scene.project.id, scene.row.iid)
    threads = api.threads(project_id, iid, f"<!-- bug-fix:remedy {scene.facts.id} ")
    files, told = _File(desk, scene), []
    for offer in scene.offers:
        found = hunks_of(*_changes(offer)) or ()
        is_wanted = offer.state in {RemedyState.VERIFIED, RemedyState.SHOWN}
        by_line = offer.action is RemedyAction.SUGGEST and bool(found)
        mine = {key: _of(threads, offer, key) for key in [WHOLE, *(one.sha256[:16] for one in found)]}
        standings = [standing(one, mine[one.sha256[:16]], files.lines(one.path), is_wanted=is_wanted) for one in found]
        left = [one for one in standings if one.place is not None] if by_line else []
        unplaced = [one.hunk for one in left if not _suggest(desk, scene, files, offer, one)]
        is_open = any(one.fate is HunkFate.OPEN for one in standings) or not found
        whole = mine[WHOLE]
        is_dismissed = any(one.by_person for one in whole)
        if (unplaced or not by_line) and is_open and is_wanted and not whole:
            desk.faults.reach("ShowRemedies:before_post")
            api.begin(project_id, iid, _proposal(scene.facts, offer, unplaced or found))
        fates = [HunkFate.DISMISSED if is_dismissed and one.fate is HunkFate.OPEN else one.fate for one in standings]
        dead = [thread for one in standings for thread in one.resolves]
        settled = [] if is_open and is_wanted and not is_dismissed else [one.id for one in whole if not one.is_resolved]
        for thread in (*dead, *settled):
            api.resolve(project_id, iid, thread)
        if fates:
            state = state_of(fates, before=offer.state)
        elif is_dismissed and offer.state is not RemedyState.ACCEPTED:
            state = RemedyState.REJECTED
        else:
            state = RemedyState.SHOWN if offer.state is RemedyState.VERIFIED else offer.state
        if state is not offer.state:
            told.append(_told(scene, offer, state))
    return tuple(told)


_SENTENCES: Final = {
    RemedyState.SHOWN: "It was verified by the command that failed, and waits for somebody who takes it or not.",
    RemedyState.ACCEPTED: "The branch has it.",
    RemedyState.REJECTED: "Its threads were resolved, or its lines changed, without it.",
    RemedyState.REVERTED: "Somebody took it back.",
}


def _told(scene: _Scene, offer: Offer, state: RemedyState) -> RemedyTold:
    repository = ProjectPath(scene.row.repository)
    return RemedyTold(iteration=offer.iteration, repository=repository, state=state, sentence=_SENTENCES[state])


def _of(threads: Sequence[SuggestionThread], offer: Offer, key: str) -> list[Thread]:
    found = []
    for one in threads:
        named = _KEY.search(one.body)
        if named is None or (int(named[2]), named[3]) != (offer.iteration, key):
            continue
        found.append(
            Thread(
                id=one.id,
                is_resolved=one.is_resolved,
                is_appliable=one.is_appliable,
                is_applied=one.is_applied,
                by_person=one.by_person,
            )
        )
    return found


def _suggest(desk: Desk, scene: _Scene, files: _File, offer: Offer, one: Standing) -> bool:
    """Suggest a hunk on the last of its lines; False when the diff does not hold that line."""
    place, hunk = one.place, one.hunk
    if place is None or place.last - place.first > REACH:
        return False
    fence = "`" * (max((len(run) for line in hunk.new for run in re.findall("`+", line)), default=0) + 3)
    block = "\n".join([f"{fence}suggestion:-{place.last - place.first}+0", *hunk.new, fence])
    body = f"{_heading(scene.facts, offer)}\n\n{block}\n\n{_key(scene.facts, offer, hunk.sha256[:16])}"
    old = files.line_before(hunk.path, place.last)
    desk.faults.reach("ShowRemedies:before_post")
    tries = (Line(path=hunk.path, new=place.last), Line(path=hunk.path, new=place.last, old=old))
    api, where = desk.repositories.suggestions, (scene.project.id, scene.row.iid)
    return any(api.suggest(*where, body, at=at, view=scene.view) for at in tries[: 1 if old is None else 2])


def _heading(facts: RunFacts, offer: Offer) -> str:
    remedy = (
        next((one for one in facts.catalogue.healing.remedies if one.id == offer.remedy), None)
        if (facts.catalogue and facts.audience.is_public)
        else None
    )
    what = "A remedy" if remedy is None else f"**{remedy.title}.** {remedy.remedy}"
    n = offer.number
    return (
        f"{what}\n\nVerified in CI by the command that failed. Apply it, or resolve this thread; "
        f"`/bug-fix approve remedy {n}` and `/bug-fix reject remedy {n}` do the same."
    )


def _key(facts: RunFacts, offer: Offer, key: str) -> str:
    return f"<!-- bug-fix:remedy {facts.id} {offer.iteration} {key} -->"


def _proposal(facts: RunFacts, offer: Offer, hunks: Sequence[Hunk]) -> str:
    text = lines_changed.patch(hunks)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 3)
    shown = f"{fence}diff\n{text}\n{fence}" if text else "It changes whole files."
    folded = f"<details><summary>What it changes</summary>\n\n{shown}\n\n</details>"
    return f"{_heading(facts, offer)}\n\n{folded}\n\n{_key(facts, offer, WHOLE)}"


async def _committed(desk: Desk, scene: _Scene, offer: Offer, *, who: str) -> MergeRequestOpened | None:
    """Commit a remedy and return the head that this makes; None where the branch has it, whoever put it there."""
    actions = await asyncio.to_thread(_actions, desk, scene, offer)
    if not actions:
        return None
    held_back = commits.wanted(scene.facts) is commits.CommitPipeline.WAITS
    mark = f"\n\n{commits.SKIP}" if held_back else ""
    message = f"Take remedy {offer.number}: {offer.remedy}\n\n{who} approved it.{mark}\n"
    desk.faults.reach("AnswerRemedy:before_push")
    made = await asyncio.to_thread(
        desk.commits.add, scene.project.id, branch=scene.view.source_branch, message=message, actions=actions
    )
    desk.faults.reach("AnswerRemedy:after_push")
    if made.parents != (scene.view.head_sha,):
        raise RefusedError(
            f"Somebody pushed {made.parents[0][:12]} while the remedy was being committed; nothing was overwritten."
        )
    return MergeRequestOpened(
        repository=ProjectPath(scene.row.repository),
        project_id=scene.project.id,
        iid=scene.row.iid,
        url=scene.row.url,
        head_sha=CommitSha(made.sha),
        branch=scene.row.source_branch,
        held_back=held_back,
    )


def _actions(desk: Desk, scene: _Scene, offer: Offer) -> tuple[Action, ...]:
    """Return the commit that takes a remedy; nothing where the branch has it. Raises RefusedError: lines changed."""
    before, after = _changes(offer)
    found, files = hunks_of(before, after), _File(desk, scene)
    if found is None:
        raise RefusedError("It changes more than lines of text files: take it by `/bug-fix retry`, or by hand.")
    contents: dict[str, bytes] = {}
    for path in sorted({one.path for one in found}):
        lines, mine = files.lines(path), [one for one in found if one.path == path]
        placed: list[tuple[Place, Hunk]] = []
        for one in mine:
            place = lines_changed.find(one, lines)
            if place is not None:
                placed.append((place, one))
            elif not lines_changed.is_in(one, lines):
                raise RefusedError(f"The lines of {path} that it is for were changed since; it is not taken over them.")
        for place, one in sorted(placed, key=lambda pair: -pair[0].first):
            lines = lines_changed.replaced(lines, one, place)
        if placed:
            end = "\n" if (files.content(path, scene.view.head_sha) or b"").endswith(b"\n") else ""
            contents[path] = ("\n".join(lines) + end).encode()
    updates = [Action(action="update", path=path, content=content) for path, content in contents.items()]
    return guarded(updates, lambda path: desk.commits.last_change(scene.project.id, path, ref=scene.view.head_sha))
