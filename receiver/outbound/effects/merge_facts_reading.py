"""Read everything that decides on the merge of a merge request: from GitLab as it is now, and from what we noted."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from msgspec import Struct

from pipelines.language import Phase, ProjectPath, ReportOutcome, ReviewResult, Severity, TestingResult, TestWord
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import MergePolicy
from receiver import limits
from receiver.outbound.effects import rights
from receiver.outbound.effects.desk import Desk
from receiver.outbound.gitlab.merging_api import Given, MergeView, Version
from receiver.store.schema import MergeRequestRow
from receiver.workflow.merging.merge_facts import Approval, HeadOrigin, MergeFacts, OwnPipeline, TrainState
from receiver.workflow.person import Right
from receiver.workflow.run import MergeRequestView, Run

_DOUBTS = frozenset({TestWord.CONTRADICTED, TestWord.UNPROVABLE})


class Noted(Struct, frozen=True, kw_only=True):
    """What we know ourselves."""

    run: Run
    catalogue: Catalogue
    """The run's."""
    known: MergeRequestRow
    pushers: frozenset[int]
    """Who pushed a commit that is not ours, as hooks told."""


def read(desk: Desk, noted: Noted, view: MergeView) -> MergeFacts:
    """Return what a judgement depends on. Raises OutboundError."""
    project_id, iid = view.project_id, view.iid
    versions = desk.merging.versions(project_id, iid)
    given = desk.merging.approvals(project_id, iid)
    talk = desk.merging.talk(project_id, iid)
    result, now = _tested(noted), desk.catalogue().policy
    bots = frozenset({desk.repositories.bot, desk.merging.bot})
    repository, iteration = ProjectPath(noted.known.repository), noted.known.iteration
    is_tested = result is not None and not noted.run.offers_remedy(repository, iteration=iteration)
    origin = HeadOrigin.UNPROVEN if not is_tested else _origin(noted.known, view, versions, talk.pushers, bots)
    is_manual = MergePolicy.MANUAL in {noted.catalogue.policy.merge, now.merge}
    return MergeFacts(
        state=view.state,
        head_sha=view.sha,
        status=view.status,
        target_branch=view.target_branch,
        is_draft=view.is_draft,
        is_rebasing=view.is_rebasing,
        may_merge=view.may_merge,
        origin=origin,
        was_rebased=bool(noted.known.rebased_from),
        tree_since=None if not versions else _tree_since(desk, view, versions),
        approvals=_approvals(desk, view, given.given),
        approvals_required=given.required,
        approvals_left=given.left,
        our_bots=bots,
        pushers=frozenset(talk.pushers) | noted.pushers,
        open_threads=talk.open_threads,
        pipeline=_pipeline(desk, view),
        contradicted=() if result is None else tuple(t.name for t in result.proof.tests if t.word in _DOUBTS),
        must_fix=_must_fix(noted),
        goes_after=tuple(_goes_after(noted)),
        train=_train(desk, noted, view),
        merge=MergePolicy.MANUAL if is_manual else MergePolicy.WHEN_APPROVED,
        approvals_wanted=max(noted.catalogue.policy.approvals, now.approvals),
    )


def _tested(noted: Noted) -> TestingResult | None:
    report = noted.run.report(Phase.TESTING, ProjectPath(noted.known.repository))
    is_accepted = report is not None and report.outcome is ReportOutcome.SUCCEEDED
    return report.result if report is not None and is_accepted and isinstance(report.result, TestingResult) else None


def _must_fix(noted: Noted) -> int:
    report = noted.run.report(Phase.REVIEW, ProjectPath(noted.known.repository))
    found = report.result.findings if report is not None and isinstance(report.result, ReviewResult) else ()
    return sum(one.severity is Severity.MUST_FIX for one in found)


def _origin(
    known: MergeRequestRow, view: MergeView, versions: list[Version], pushers: tuple[int, ...], bots: frozenset[int]
) -> HeadOrigin:
    """Say where the head comes from. A rebased one is ours if we asked for it and it is the same change."""
    if view.sha == known.head_sha:
        return HeadOrigin.TESTED
    patches = {one.head: one.patch_id for one in versions}
    asked, same = known.rebased_from, patches.get(known.rebased_from, "")
    is_ours = asked == known.head_sha and bool(pushers) and pushers[-1] in bots
    return HeadOrigin.REBASED if is_ours and same and patches.get(view.sha) == same else HeadOrigin.UNPROVEN


def _tree_since(desk: Desk, view: MergeView, versions: list[Version]) -> datetime | None:
    """Return when the head's tree was pushed: commits below that change no file are of the same tree."""
    same, sha = {view.sha}, view.sha
    for _ in range(limits.EMPTY_COMMITS):
        commit = desk.commits.commit(view.project_id, sha)
        if len(commit.parents) != 1 or desk.commits.changed_paths(view.project_id, sha):
            break
        (sha,) = commit.parents
        same.add(sha)
    times = [one.at for one in takewhile(lambda one: one.head in same, versions)]
    return times[-1] if times and versions[0].head == view.sha else None


def _approvals(desk: Desk, view: MergeView, given: tuple[Given, ...]) -> tuple[Approval, ...]:
    times = desk.repositories.approved_at(view.project_id, view.iid) if given else {}
    return tuple(
        Approval(
            user=one.user,
            name=one.name,
            at=times.get(one.user),
            is_bot=_is_bot(desk, one.user),
            may_develop=rights.in_project(desk.repositories.users, one.user, project_id=view.project_id).has_any(
                {Right.DEVELOP}
            ),
        )
        for one in given
    )


def _is_bot(desk: Desk, user: int) -> bool:
    """Say whether a user is no person; one that GitLab does not show us is none."""
    found = desk.repositories.users.user(user)
    return found is None or found.is_bot


def _pipeline(desk: Desk, view: MergeView) -> OwnPipeline | None:
    """Return the pipeline that it shows; that of a merged result runs on a commit which merges the head."""
    shown = view.pipeline
    if shown is None:
        return None
    is_of_head = shown.sha == view.sha
    if not is_of_head and shown.ref == f"refs/merge-requests/{view.iid}/merge" and shown.sha:
        is_of_head = view.sha in desk.commits.commit(view.project_id, shown.sha).parents
    return OwnPipeline(id=shown.id, status=shown.status, source=shown.source, is_of_head=is_of_head)


def _train(desk: Desk, noted: Noted, view: MergeView) -> TrainState:
    if not desk.merging.uses_trains(view.project_id):
        return TrainState.NONE
    if desk.merging.train(view.project_id, view.iid) is not None:  # one that came off has no car any more
        return TrainState.RIDING
    return TrainState.LEFT if noted.known.train_head_sha == view.sha else TrainState.OFF


def _goes_after(noted: Noted) -> list[str]:
    """Return merge requests of earlier waves that are not merged."""
    keys = {path: repository.key for path, repository in noted.catalogue.repositories.items()}
    waves = {key: number for number, wave in enumerate(noted.catalogue.deploy.order) for key in wave}

    def wave(one: MergeRequestView) -> int:
        return waves.get(keys.get(one.repository, ""), 0)

    mine = next((one for one in noted.run.merge_requests if one.repository == noted.known.repository), None)
    first = [one for one in noted.run.merge_requests if mine is not None and wave(one) < wave(mine)]
    return [f"{one.repository}!{one.iid}" for one in first if one.state != "merged"]
