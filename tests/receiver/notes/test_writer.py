"""The notes of a run, word for word, as people read them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    AnalysisResult,
    ArtifactKind,
    CheckResult,
    Coverage,
    Diagnosis,
    DiagnosisKind,
    FileRationale,
    FileWord,
    Finding,
    FixSubmission,
    ImplementationResult,
    Isolation,
    NamedTest,
    Phase,
    PhaseResult,
    PlanOutcome,
    PrepareResult,
    ProbedFile,
    ProjectPath,
    ReproductionResult,
    ReviewResult,
    Severity,
    SuiteResult,
    TestWord,
)
from pipelines.language import Proof as Showing
from pipelines.language import (
    TestingResult as Proof,
)
from pipelines.language.catalogue import Agent, Catalogue, Deploy, Jira, Start
from pipelines.language.policy import Policy
from pipelines.language.repository import Repository, Stack
from receiver.notes import (
    StatusNotes,
    render_merge_request_description,
    render_merge_request_note,
    render_ticket_note,
)
from receiver.notes.render import WithheldError
from receiver.notes.view import EvidenceLink, Moment
from receiver.store.money.spending import Cost, Costs
from receiver.store.story import (
    Act,
    Iteration,
    Job,
    MergeRequest,
    Pipeline,
    Report,
    ReportedFile,
    RunFacts,
    Story,
    TargetPipelineState,
    TicketPicture,
)
from receiver.workflow.audience import Audience, Readers
from receiver.workflow.run import RunStatus
from tests.plans import a_part, a_plan

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
REPOSITORY = ProjectPath("payk12/contacts")
SHA, HASH = "a" * 40, "b" * 64
GITLAB = "https://gitlab.example/payk12"

PLAN = a_plan(
    reason="",
    expected="",
    actual="",
    summary="Names with an apostrophe give 500",
    repositories=[a_part(reason="", approach="")],
)


def suite(passed: int, failed: int = 0) -> SuiteResult:
    return SuiteResult(passed=passed, failed=failed, errors=0, skipped=0, duration_s=1.0, exit_code=0)


RESULTS: dict[Phase, PhaseResult] = {
    Phase.PREPARE: PrepareResult(base_sha=SHA, baseline=suite(40)),
    Phase.ANALYSIS: AnalysisResult(plan=PLAN),
    Phase.REPRODUCTION: ReproductionResult(
        base_sha=SHA,
        reproduced=True,
        test_path="t.py",
        test_sha256=HASH,
        failure='saving "O\'Brien" gave 500',
        symptom='saving "O\'Brien" returns 500',
        steps=("Open the form.", "Save O'Brien."),
    ),
    Phase.IMPLEMENTATION: ImplementationResult(
        base_sha=SHA,
        patch_sha256=HASH,
        files=("src/contacts.py", "src/form.ts"),
        insertions=7,
        deletions=2,
        fix=FixSubmission(
            summary="",
            files=[FileRationale(file="src/contacts.py", rationale="a bound parameter")],
            risk="One statement.",
            rollback="",
        ),
    ),
    Phase.TESTING: Proof(
        base_sha=SHA,
        patch_sha256=HASH,
        test_sha256=HASH,
        reproduction_before_failed=True,
        reproduction_after_passed=True,
        suite=suite(41),
        new_failures=(),
    ),
}


def job(number: int, phase: Phase, status: str) -> Job:
    return Job(
        id=number,
        name=phase,
        stage="",
        phase=phase,
        repository=None if phase is Phase.ANALYSIS else REPOSITORY,
        agent=None,
        status=status,
        allow_failure=False,
        failure_reason=None,
        queued_s=None,
        started_at=None,
        finished_at=None,
        duration_s=None,
    )


def report(number: int, phase: Phase, *, state: str = "accepted") -> Report:
    return Report(
        job=number,
        project_id=1,
        iteration=1,
        phase=phase,
        repository=None if phase is Phase.ANALYSIS else REPOSITORY,
        outcome="succeeded",
        state=state,
        reason="",
        why_discarded="",
        agent=None,
        model=None,
        turns=1,
        job_seconds=1.0,
        stripped_characters=0,
        result=RESULTS[phase],
        artifacts=(),
    )


def cost(dollars: str, *, known: bool = True) -> Cost:
    return Cost(
        calls=1,
        uncached=0,
        cache_read=0,
        cache_write_5m=0,
        cache_write_1h=0,
        output=0,
        cost_usd=Decimal(dollars) if known else None,
        known_usd=Decimal(dollars),
        unsettled=0,
        unpriced=0,
        held_usd=Decimal(0),
    )


SECOND = Iteration(
    number=2,
    kind="fix",
    diagnoses=(Diagnosis(kind=DiagnosisKind.UNCLASSIFIED, messages=("Two tests failed.",)),),
    started_at=NOW,
    finished_at=NOW,
)
PHASES = (Phase.ANALYSIS, Phase.PREPARE, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING)


def a_story() -> Story:
    """Return a run that waits for review."""
    return Story(
        run=RunFacts(
            id="0123456789abcdef",
            issue_key="PL-479",
            summary="Contact creation fails",
            ticket_url="https://jira.example/browse/PL-479",
            reporter="Dana Whitfield",
            status="in_review",
            reason="payk12/contacts!1 wait for review.",
            iteration=1,
            branch="bug-fix/PL-479",
            audience=Audience.PUBLIC,
            actor_name="Mara",
            created_at=NOW,
            finished_at=None,
        ),
        plan=PLAN,
        iterations=(Iteration(number=1, kind="fix", started_at=NOW, finished_at=None),),
        moments=(),
        effects=(),
        pipelines=(
            Pipeline(
                id=100,
                project_id=1,
                iteration=1,
                kind="parent",
                parent=None,
                status="success",
                url=f"{GITLAB}/bug-fix/-/pipelines/100",
                created_at=NOW,
                finished_at=NOW,
                jobs=tuple(job(n, phase, "success") for n, phase in enumerate(PHASES)),
            ),
        ),
        reports=tuple(report(n, phase) for n, phase in enumerate(PHASES)),
        merge_requests=(
            MergeRequest(
                repository=REPOSITORY,
                iid=1,
                url=f"{GITLAB}/contacts/-/merge_requests/1",
                source_branch="bug-fix/PL-479",
                state="opened",
                head_sha="c" * 40,
                opened_at=NOW,
                merged_at=None,
            ),
        ),
        interventions=(),
        costs=Costs(
            total=cost("1.12"),
            by_phase={"analysis": cost("0.48"), "implementation": cost("0.64")},
            by_purpose={},
            parts=(),
            budget_usd=Decimal(6),
        ),
    )


@pytest.fixture
def story() -> Story:
    return a_story()


def status_notes() -> StatusNotes:
    catalogue = Catalogue(
        automation_project="payk12/bug-fix",
        automation_ref="main",
        jira=Jira(project="PL", start=Start()),
        policy=Policy(iterations=3),
        agents={"default": Agent(name="default", model="m")},
        repositories={},
    )
    return StatusNotes(catalogue=lambda: catalogue, public_url="https://receiver.example/", clock=lambda: NOW)


@pytest.fixture
def notes() -> StatusNotes:
    return status_notes()


def shown(text: str) -> str:
    """Return text without what no reader sees."""
    return text.replace("\u2060", "")


def changed(story: Story, **changes: Any) -> Story:
    return replace(story, run=replace(story.run, **changes))


FOOT = (
    f"[Pipeline|{GITLAB}/bug-fix/-/pipelines/100] · [story|https://receiver.example/runs/0123456789abcdef] · "
    "updated 2026-11-22 10:00 UTC · bug-fix:run=0123456789abcdef\n"
)


def test_the_ticket_says_what_was_found_and_whose_turn_it_is(notes: StatusNotes, story: Story) -> None:
    assert shown(notes.ticket(story)) == (
        "*Bug fix: waiting for review* (iteration 1 of 3, $1.12 of $6.00)\n"
        'Reproduced: saving "O\'Brien" returns 500. Tests 41/41.\n'
        f"Fix: [payk12/contacts\\!1|{GITLAB}/contacts/-/merge_requests/1] (opened)\n"
        f"You need to: review [\\!1|{GITLAB}/contacts/-/merge_requests/1].\n" + FOOT
    )


def test_a_ticket_whose_run_waits_for_its_turn_says_its_position(notes: StatusNotes, story: Story) -> None:
    queued = changed(story, status=RunStatus.QUEUED, position=3, reason="Four bug fixes are at work")
    text = shown(notes.ticket(queued))
    assert text.startswith("*Bug fix: 3rd in the queue* ")
    assert "Now: Four bug fixes are at work.\n" in text


def act(number: int, kind: str, remark: str = "", *, repository: str | None = REPOSITORY, state: str = "done") -> Act:
    return Act(
        id=number,
        kind=kind,
        name="",
        payload={} if repository is None else {"repository": repository},
        state=state,
        attempts=1,
        created_at=NOW,
        performed_at=NOW,
        last_error=None,
        result=None,
        remark=remark,
        wanted_by=1,
    )


def test_the_ticket_shows_before_and_after_where_they_are_attached(notes: StatusNotes, story: Story) -> None:
    names = ("bug-fix-0123456789abcdef-1-contacts-screenshot-before.png", "b.png", "x|width=1!.png", "c.svg")
    pictures = tuple(TicketPicture(iteration=1, repository=REPOSITORY, filename=name) for name in names)
    other = TicketPicture(iteration=2, repository=REPOSITORY, filename="of-another-attempt.png")
    lines = shown(notes.ticket(replace(story, pictures=(*pictures, other)))).splitlines()
    assert lines[3:5] == ["Before and after, as the test saw it:", f"!{names[0]}|thumbnail! !b.png|thumbnail!"]


def test_the_ticket_shows_the_work_while_it_goes_on(notes: StatusNotes, story: Story) -> None:
    jobs = (job(0, Phase.ANALYSIS, "success"), job(2, Phase.REPRODUCTION, "running"), job(4, Phase.TESTING, "created"))
    pipelines = (replace(story.pipelines[0], jobs=jobs),)
    working = replace(changed(story, status="running"), pipelines=pipelines, reports=story.reports[:1])
    working = replace(working, merge_requests=(), costs=replace(story.costs, total=cost("0.40", known=False)))
    assert shown(notes.ticket(working)) == (
        "*Bug fix: at work* (iteration 1 of 3, at least $0.40 of $6.00)\n"
        f"✓ [analysis|{GITLAB}/bug-fix/-/jobs/0]: src/contacts.py:42\n"
        f"… [reproduction|{GITLAB}/bug-fix/-/jobs/2] payk12/contacts\n"
        "Nobody has to do anything yet.\n" + FOOT
    )


def test_an_escalation_says_why_and_what_could_not_be_done(notes: StatusNotes, story: Story) -> None:
    left = act(1, "TransitionIssue", "Jira offers no transition to In Review from here.", repository=None)
    failed = replace(changed(story, status="escalated", reason="Two tests fail."), merge_requests=(), effects=(left,))
    assert shown(notes.ticket(failed)).splitlines()[2:4] == [
        "Why: Two tests fail.",
        "Note: Jira offers no transition to In Review from here.",
    ]
    moved = act(2, "TransitionIssue", repository=None)
    assert "Note:" not in notes.ticket(replace(failed, effects=(left, moved)))
    pending = act(2, "TransitionIssue", repository=None, state="pending")
    assert "Note:" in notes.ticket(replace(failed, effects=(left, pending)))


EXHIBITS = (
    EvidenceLink(moment=Moment.BEFORE, kind=ArtifactKind.SCREENSHOT, markdown="![red](/uploads/1/red.png)"),
    EvidenceLink(moment=Moment.AFTER, kind=ArtifactKind.SCREENSHOT, markdown="![green](/uploads/2/green.png)"),
    EvidenceLink(moment=Moment.BEFORE, kind=ArtifactKind.TRACE, markdown="[red.zip](/uploads/3/red.zip)"),
    EvidenceLink(moment=Moment.AFTER, kind=ArtifactKind.TRACE, markdown="[x](http://evil)"),
)


def test_the_merge_request_is_described_with_its_evidence(notes: StatusNotes, story: Story) -> None:
    text = notes.description(story, repository=REPOSITORY, evidence=EXHIBITS, test="def test_red():\n    ...\n")
    assert shown(text) == (
        "**Risk low** · 2 files \\+7 −2 · iteration 1 of 3 · $1.12 of $6.00 · [PL-479](https://jira.example/browse/PL-479)"
        "\\\n**Shown** reproduction ✗ → ✓ \\(isolation: none\\)\n\n"
        "**Wrong** Names with an apostrophe give 500.\n\n"
        "**Cause** `src/contacts.py:42`: Quoting by hand.\n\n"
        "**Change**\n- `src/contacts.py`: a bound parameter\n\n"
        "| | before | after |\n|---|---|---|\n| reproduction | ✗ | ✓ |\n| unit tests | 40/40 | 41/41 |\n\n"
        "<details><summary>Reproduction test: red on the base commit, green with this change</summary>\n\n"
        "```\ndef test_red():\n    ...\n```\n\n</details>\n\n"
        "Pictures are the test's own account of what it saw:\n\n"
        "| before | after |\n|---|---|\n| ![red](/uploads/1/red.png) | ![green](/uploads/2/green.png) |\n\n"
        "Traces, which are the test's own account too: [red.zip](/uploads/3/red.zip) "
        "(open one with `playwright show-trace`)\n\n"
        "<details><summary>Steps of the reproduction</summary>\n\n"
        "1. Open the form.\n1. Save O'Brien.\n\n</details>\n\n"
        "**Risk** low: One statement.\\\n**Roll back** revert this commit.\\\n**Linked** none\n\n"
        "[How this came about](https://receiver.example/runs/0123456789abcdef)\n\n"
        "<!-- bug-fix:run=0123456789abcdef -->\n"
    )


def kept(kind: ArtifactKind, path: str, size: int = 1) -> ReportedFile:
    return ReportedFile(kind=kind, path=f".bug-fix/{path}", sha256=HASH, size=size)


LEFT = {
    Phase.REPRODUCTION: (
        kept(ArtifactKind.SCREENSHOT, "reproduction/screenshot-before.png"),
        kept(ArtifactKind.LOG, "reproduction/test-before.log"),
        kept(ArtifactKind.LOG, "reproduction/console-before.jsonl"),
        kept(ArtifactKind.LOG, "reproduction/server-before.log"),
        kept(ArtifactKind.REPRODUCTION_TEST, "reproduction/reproduction_test.py"),
        kept(ArtifactKind.BISECT, "reproduction/bisect.sh"),
    ),
    Phase.TESTING: (
        kept(ArtifactKind.LOG, "testing/server-after.log", size=0),
        kept(ArtifactKind.LOG, "testing/server-before.log"),
    ),
}


def with_files(story: Story, left: dict[Phase, tuple[ReportedFile, ...]]) -> Story:
    reports = tuple(replace(r, artifacts=left.get(Phase(r.phase), ())) for r in story.reports)
    return replace(story, reports=reports)


def test_the_description_links_what_reviewers_may_want_to_read(notes: StatusNotes, story: Story) -> None:
    job = f"{GITLAB}/bug-fix/-/jobs/2/artifacts/file/.bug-fix/reproduction"
    text = shown(notes.description(with_files(story, LEFT), repository=REPOSITORY, evidence=()))
    assert (
        f"Files of the jobs: [reproduction test]({job}/reproduction_test.py) · "
        f"[browser's console]({job}/console-before.jsonl) · [server's log before]({job}/server-before.log) · "
        f"[script for git bisect run]({job}/bisect.sh) "
        "(for developers of `payk12/bug-fix`, as long as artifacts are kept)\n"
    ) in text
    over_http = {Phase.REPRODUCTION: LEFT[Phase.REPRODUCTION][1:]}
    assert "console" not in notes.description(with_files(story, over_http), repository=REPOSITORY, evidence=())
    assert "Files of the jobs" not in notes.description(story, repository=REPOSITORY, evidence=())


@pytest.mark.parametrize("path", ["../x/bisect.sh", "x) [y](http://evil", "a b/bisect.sh", "x/../../bisect.sh"])
def test_a_file_whose_path_a_job_made_up_is_not_linked(notes: StatusNotes, story: Story, path: str) -> None:
    left = {Phase.REPRODUCTION: (replace(LEFT[Phase.REPRODUCTION][5], path=path),)}
    text = notes.description(with_files(story, left), repository=REPOSITORY, evidence=())
    assert "Files of the jobs" not in text


def test_a_confidential_fix_links_no_file(notes: StatusNotes, story: Story) -> None:
    secret = changed(with_files(story, LEFT), audience=Audience.WITHHELD)
    assert "artifacts" not in notes.description(secret, repository=REPOSITORY, evidence=())


def with_everything(story: Story) -> Story:
    """Return a run of which every phase told all that it can."""
    tested, prepared, fixed = RESULTS[Phase.TESTING], RESULTS[Phase.PREPARE], RESULTS[Phase.IMPLEMENTATION]
    assert isinstance(tested, Proof)
    assert isinstance(prepared, PrepareResult)
    assert isinstance(fixed, ImplementationResult)
    results: dict[Phase, PhaseResult] = {
        Phase.PREPARE: replace(
            prepared,
            integration=suite(5),
            coverage=Coverage(covered=1, coverable=2),
            lint=CheckResult(exit_code=1, duration_s=1.0),
        ),
        Phase.IMPLEMENTATION: replace(fixed, fix=replace(fixed.fix, documentation="CHANGELOG.md tells of it")),
        Phase.TESTING: replace(
            tested,
            integration=replace(suite(4, 1), flaky=("test_clock",)),
            coverage_before=Coverage(covered=812, coverable=1000),
            coverage=Coverage(covered=819, coverable=1000),
            changed_coverage=Coverage(covered=4, coverable=4),
            lint=CheckResult(exit_code=0, duration_s=1.0),
        ),
        Phase.REVIEW: ReviewResult(
            patch_sha256=HASH,
            summary="Sound",
            findings=(
                Finding(
                    file="src/contacts.py",
                    line=50,
                    severity=Severity.NOTE,
                    claim="A long name",
                    suggestion="Shorten it",
                ),
                Finding(file="src/form.ts", line=0, severity=Severity.MUST_FIX, claim="null is stored", suggestion=""),
            ),
        ),
    }
    told = {r.phase: r for r in story.reports}
    told[Phase.REVIEW] = replace(told[Phase.TESTING], job=9, phase=Phase.REVIEW)
    reports = tuple(replace(r, result=results.get(Phase(r.phase), r.result)) for r in told.values())
    above = story.pipelines[0]
    pipelines = (replace(above, jobs=(*above.jobs, job(9, Phase.REVIEW, "success"))),)
    return replace(story, reports=reports, pipelines=pipelines)


def test_the_description_compares_all_that_was_measured(notes: StatusNotes, story: Story) -> None:
    text = shown(notes.description(with_everything(story), repository=REPOSITORY, evidence=()))
    assert (
        "| reproduction | ✗ | ✓ |\n"
        "| unit tests | 40/40 | 41/41 |\n"
        "| integration tests | 5/5 | 4/5, 1 flaky |\n"
        "| coverage, all lines | 81.2 % | 81.9 % (+0.7 pp) |\n"
        "| coverage, changed lines |  | 100 % (4 of 4) |\n"
        "| lint and types | ✗ | ✓ |\n"
    ) in text


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.RESTRICTED, Audience.WITHHELD])
def test_the_description_names_what_people_should_look_at(notes: StatusNotes, story: Story, audience: Audience) -> None:
    story = replace(story, run=replace(story.run, audience=audience))
    remarks = ("`LICENSE` says what people may do.", "`@all` <b>mixes</b> letters.")
    text = shown(notes.description(story, repository=REPOSITORY, evidence=(), remarks=remarks))
    assert "**Look at**\n\n- `LICENSE` says what people may do.\n" in text
    assert "<b>" not in text
    many = notes.description(story, repository=REPOSITORY, evidence=(), remarks=remarks * 20)
    assert "- and 20 more of the kind" in many
    assert "Look at" not in notes.description(story, repository=REPOSITORY, evidence=())


def test_the_description_tells_what_a_reviewer_found_the_weightiest_first(notes: StatusNotes, story: Story) -> None:
    text = shown(notes.description(with_everything(story), repository=REPOSITORY, evidence=()))
    assert (
        "**Review** by an agent that can't write: 1 must be fixed, 1 note. Sound.\n\n"
        "<details><summary>Findings</summary>\n\n"
        "- **must be fixed** `src/form.ts`: null is stored.\n"
        "- **note** `src/contacts.py:50`: A long name. Shorten it.\n"
    ) in text
    assert "**Documentation** CHANGELOG.md tells of it.\\\n" in text


@pytest.mark.parametrize(
    ("said", "shown_as"),
    [
        ("Low. Same statements", "low: Same statements."),
        ("low", "low."),
        ("Lower bounds move", "low: Lower bounds move."),
        ("", "low: One statement."),
    ],
)
def test_the_risk_is_said_once(notes: StatusNotes, story: Story, said: str, shown_as: str) -> None:
    fixed = RESULTS[Phase.IMPLEMENTATION]
    assert isinstance(fixed, ImplementationResult)
    result = replace(fixed, fix=replace(fixed.fix, risk=said))
    reports = tuple(replace(r, result=result) if r.phase is Phase.IMPLEMENTATION else r for r in story.reports)
    text = notes.description(replace(story, reports=reports), repository=REPOSITORY, evidence=())
    assert f"**Risk** {shown_as}\\\n" in text


def test_what_reviewers_should_know_is_told_them_and_not_on_the_ticket(notes: StatusNotes, story: Story) -> None:
    asked = act(1, "OpenMergeRequest", "Not asked to review: tomas is blocked.")
    told = replace(story, effects=(asked,))
    assert "Note: Not asked to review: tomas is blocked.\n" in notes.merge_request(told, repository=REPOSITORY)
    assert "tomas is blocked" not in notes.ticket(told)


def test_pictures_that_no_model_is_shown_are_told_on_the_ticket_as_it_was_read_last(
    notes: StatusNotes, story: Story
) -> None:
    first = act(1, "AdmitTicket", "Not shown to the model: a.png is empty.", repository=None)
    assert "Note: Not shown to the model: a.png is empty.\n" in notes.ticket(replace(story, effects=(first,)))
    again = act(2, "RefreshTicket", repository=None)
    assert "Not shown" not in notes.ticket(replace(story, effects=(first, again)))


@pytest.mark.parametrize(
    ("covered", "shown_as"),
    [(8120, "81.2 %"), (8123, "81.2 %"), (8190, "81.9 % (+0.7 pp)"), (8050, "80.5 % (−0.7 pp)")],
)
def test_a_change_of_coverage_is_told_when_it_can_be_seen(
    notes: StatusNotes, story: Story, covered: int, shown_as: str
) -> None:
    tested = RESULTS[Phase.TESTING]
    assert isinstance(tested, Proof)
    before, after = Coverage(covered=8120, coverable=10_000), Coverage(covered=covered, coverable=10_000)
    result = replace(tested, coverage_before=before, coverage=after)
    reports = tuple(replace(r, result=result) if r.phase is Phase.TESTING else r for r in story.reports)
    text = notes.description(replace(story, reports=reports), repository=REPOSITORY, evidence=())
    assert f"| coverage, all lines | 81.2 % | {shown_as} |\n" in text


def test_what_runs_showed_and_did_not_show_is_said(notes: StatusNotes, story: Story) -> None:
    tested = RESULTS[Phase.TESTING]
    assert isinstance(tested, Proof)
    proof = Showing(
        isolation=Isolation.USERS,
        base_tests=40,
        base_passed=39,
        red_tests=("test_new",),
        tests=(
            NamedTest(
                name="t::old", word=TestWord.CONTRADICTED, asserted="assert 1 == 0", change="--- a == 0\n+a == 1\n"
            ),
        ),
        files=(ProbedFile(path="src/form.ts", word=FileWord.UNEXPLAINED),),
    )
    result = replace(tested, proof=proof)
    reports = tuple(replace(r, result=result) if r.phase is Phase.TESTING else r for r in story.reports)
    text = shown(notes.description(replace(story, reports=reports), repository=REPOSITORY, evidence=()))
    assert (
        "**Shown** reproduction ✗ → ✓ (isolation: users) · 39/40 of the old tests (as the test run reports) · "
        "1 new test red on the old code\\\n"
        "**Not shown** t::old: red on the changed code with the base commit's files; it asserted the bug or caught a "
        "flaw (contradicted) · src/form.ts: no effect on the reproduction or the new tests (unexplained)\n\n**Wrong**"
    ).replace("(", "\\(").replace(")", "\\)") in text
    assert "- `t::old` said: assert 1 == 0.\n  - `--- a == 0`\n  - `+a == 1`\n" in text
    assert text.startswith("**Risk high** · ")
    assert "**Risk** high, and merged by people only" in text


def test_more_than_the_card_holds_is_told_below_it(notes: StatusNotes, story: Story) -> None:
    tested = RESULTS[Phase.TESTING]
    assert isinstance(tested, Proof)
    words = (TestWord.CONTRADICTED, TestWord.UNPROVABLE, TestWord.UNPROVEN)
    tests = tuple(NamedTest(name=f"t::{word}", word=word) for word in words)
    result = replace(tested, proof=Showing(tests=tests))
    reports = tuple(replace(r, result=result) if r.phase is Phase.TESTING else r for r in story.reports)
    text = shown(notes.description(replace(story, reports=reports), repository=REPOSITORY, evidence=()))
    card, _, below = text.partition("**Wrong**")
    assert "· and 1 more" in card
    assert below.count("\n- t::") == 3
    assert len(card.strip().splitlines()) <= 12


def test_partial_work_says_so_first_and_is_of_high_risk_whatever_was_planned(notes: StatusNotes, story: Story) -> None:
    failed = changed(story, status=RunStatus.ESCALATED, reason="8 tests fail that did not fail before")
    text = shown(notes.description(failed, repository=REPOSITORY, evidence=()))
    assert text.startswith("**Partial work, which fails.** The note below says how, and what people are asked.")
    assert "\n**Risk high** · 2 files" in text
    assert "**Risk** high: it fails. Of the whole fix was planned: low. One statement." in text


def test_a_patch_without_lines_to_cover_has_no_percentage(notes: StatusNotes, story: Story) -> None:
    tested = RESULTS[Phase.TESTING]
    assert isinstance(tested, Proof)
    result = replace(tested, changed_coverage=Coverage(covered=0, coverable=0))
    reports = tuple(replace(r, result=result) if r.phase is Phase.TESTING else r for r in story.reports)
    text = notes.description(replace(story, reports=reports), repository=REPOSITORY, evidence=())
    assert "| coverage, changed lines |  | no line to cover |" in text


def test_a_confidential_fix_tells_where_the_details_are_and_none_of_them(notes: StatusNotes, story: Story) -> None:
    view = replace(notes.view(with_everything(story)), audience=Audience.WITHHELD, diagnoses=("The token leaks.",))
    texts = [
        render_merge_request_description(view, repository=REPOSITORY, evidence=EXHIBITS),
        render_merge_request_note(view, repository=REPOSITORY),
        render_merge_request_note(
            replace(view, status=RunStatus.ESCALATED, reason="The token leaks."), repository=REPOSITORY
        ),
        render_ticket_note(view),
    ]
    for text in map(shown, texts):
        for detail in ("apostrophe", "O'Brien", "contacts.py", "form.ts", "uploads", "token leaks", "Quoting", "null"):
            assert detail not in text
    assert "told in the [run's story](https://receiver.example/runs/0123456789abcdef), to those who may read it." in (
        shown(texts[0])
    )
    assert "[PL-479](https://jira.example/browse/PL-479)" in shown(texts[0])


def opened_lines(text: str) -> list[str]:
    """Return the lines that are seen before anybody unfolds anything: not the marker, not what rules a table."""
    seen = re.sub(r"<details>.*?</summary>.*?</details>", "<fold>", text, flags=re.DOTALL)
    return [line for line in seen.splitlines() if line and not line.startswith(("<!--", "|---"))]


def test_the_status_note_opens_with_at_most_twelve_lines(notes: StatusNotes, story: Story) -> None:
    text = shown(notes.merge_request(story, repository=REPOSITORY))
    jobs = f"{GITLAB}/bug-fix/-/jobs"
    assert text.startswith(
        "<!-- bug-fix:run=0123456789abcdef -->\n"
        "**Bug fix: waiting for review** · risk low · 2 files \\+7 −2 · iteration 1 of 3 · $1.12 of $6.00. "
        "Your turn: review and merge.\n\n"
        "| | reproduction | implementation | testing | merge request |\n|---|---|---|---|---|\n"
        f"| payk12/contacts | [✓]({jobs}/2) | [✓]({jobs}/3) | [✓]({jobs}/4) | · |\n\n"
        "reproduction ✗ → ✓ · unit tests 40/40 → 41/41\n\n"
        "**Shown** reproduction ✗ → ✓ \\(isolation: none\\)\n"
    )
    assert "| analysis | $0.48 |\n| implementation | $0.64 |\n| in all | $1.12 |" in text
    assert "Updated 2026-11-22 10:00 UTC for `cccccccccccc`" in text
    assert len(opened_lines(text)) == 7


def test_with_five_repositories_and_many_hindrances_it_still_does(notes: StatusNotes, story: Story) -> None:
    names = [ProjectPath(f"payk12/{name}") for name in ("a", "b", "c", "d")]
    parts = [replace(PLAN.repositories[0], repository=name) for name in names]
    requests = [replace(story.merge_requests[0], repository=name, iid=n) for n, name in enumerate(names, start=2)]
    several = replace(
        with_everything(story),
        plan=replace(PLAN, repositories=[*PLAN.repositories, *parts]),
        merge_requests=(*requests, *story.merge_requests),
        iterations=(*story.iterations, SECOND),
    )
    text = shown(notes.merge_request(several, repository=REPOSITORY))
    opened = opened_lines(text)
    assert len(opened) <= 12
    assert [line.split(" |")[0] for line in opened if line.startswith("| ")][1:] == [
        "| payk12/contacts",
        "| payk12/a",
        "| payk12/b",
    ]
    assert opened.count("<fold>") == 1
    assert sum(line.startswith("Blocks the merge: ") for line in opened) <= 2
    assert "<summary>Cost by phase, other repositories, earlier attempts</summary>" in text
    assert "| payk12/d |" in text
    assert "Attempt 1: Two tests failed." in text
    assert "| review |" in text.splitlines()[3]


def test_linked_merge_requests_stand_in_the_order_of_deployment(story: Story) -> None:
    later, first = ProjectPath("payk12/frontend"), ProjectPath("payk12/api")
    stack = Stack(preset="python", image="python:3.11")
    catalogue = Catalogue(
        automation_project=ProjectPath("payk12/bug-fix"),
        automation_ref="main",
        jira=Jira(project="PL", start=Start()),
        policy=Policy(),
        agents={},
        repositories={
            path: Repository(key=path.rpartition("/")[2], project=path, agent="default", stack=stack)
            for path in (later, first, REPOSITORY)
        },
        deploy=Deploy(order=(("api",), ("contacts",), ("frontend",))),
    )
    notes = StatusNotes(catalogue=lambda: catalogue, public_url="https://receiver.example/", clock=lambda: NOW)
    url = story.merge_requests[0].url
    others = [replace(story.merge_requests[0], repository=name, iid=n) for n, name in ((2, later), (3, first))]
    linked = replace(story, merge_requests=(*others, *story.merge_requests))
    text = shown(notes.merge_request(linked, repository=REPOSITORY))
    assert (
        "Linked, in the order in which they go: "
        f"[payk12/api\\!3]({url}) (opened) → this one → [payk12/frontend\\!2]({url}) (opened)\n"
    ) in text
    assert "Blocks the merge: payk12/api\\!3 goes first: the catalogue deploys it before this one.\n" in text
    merged = replace(linked, merge_requests=(others[0], replace(others[1], state="merged"), *story.merge_requests))
    assert "Blocks the merge" not in notes.merge_request(merged, repository=REPOSITORY)


def requested(story: Story, **changes: Any) -> Story:
    """Return the story with changes to its merge request."""
    return replace(story, merge_requests=(replace(story.merge_requests[0], **changes),))


def target_pipeline(status: str, *, sha: str = "c" * 40) -> TargetPipelineState:
    return TargetPipelineState(
        id=500,
        repository=REPOSITORY,
        sha=sha,
        source="push",
        status=status,
        url=f"{GITLAB}/contacts/-/pipelines/500",
        created_at=NOW,
        finished_at=None,
    )


def test_a_pipeline_that_waits_for_approval_blocks_the_merge_until_it_runs(notes: StatusNotes, story: Story) -> None:
    waits = "Blocks the merge: Its own pipeline waits for approval; it starts when somebody who may approves this.\n"
    held = replace(requested(story, held_back=True), target_pipelines=(target_pipeline("skipped"),))
    assert waits in notes.merge_request(held, repository=REPOSITORY)
    assert waits not in notes.merge_request(requested(held, held_back=False), repository=REPOSITORY)
    working = replace(held, target_pipelines=(target_pipeline("running"),))
    text = notes.merge_request(working, repository=REPOSITORY)
    assert waits not in text
    assert f"· [own pipeline working]({GITLAB}/contacts/-/pipelines/500)\n" in text


def test_a_pipeline_of_the_repository_that_failed_blocks_the_merge(notes: StatusNotes, story: Story) -> None:
    failed = replace(story, target_pipelines=(target_pipeline("failed"),))
    assert "Blocks the merge: Its own pipeline failed.\n" in notes.merge_request(failed, repository=REPOSITORY)
    of_another_commit = replace(story, target_pipelines=(target_pipeline("failed", sha="d" * 40),))
    assert "Blocks the merge" not in notes.merge_request(of_another_commit, repository=REPOSITORY)


def blocks(text: str) -> list[str]:
    return [line for line in shown(text).splitlines() if line.startswith("Blocks the merge")]


def test_the_ticket_says_what_blocks_the_merge_and_that_it_comes_first(notes: StatusNotes, story: Story) -> None:
    name = f"[payk12/contacts\\!1|{GITLAB}/contacts/-/merge_requests/1]"
    held = requested(story, held_back=True, has_reviewer=False)
    (own,) = blocks(notes.ticket(held))
    assert own.startswith(f"Blocks the merge of {name}: Its own pipeline waits for approval; it starts when ")
    assert "You need to: clear what is in the way, then review [" in notes.ticket(held)
    assert len(blocks(notes.merge_request(held, repository=REPOSITORY))) == 1
    failed = replace(story, target_pipelines=(target_pipeline("failed"),))
    assert blocks(notes.ticket(failed)) == [f"Blocks the merge of {name}: Its own pipeline failed."]
    assert blocks(notes.ticket(changed(failed, status="merged"))) == []


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.WITHHELD])
def test_that_nobody_was_asked_to_review_is_a_remark_and_blocks_nothing(
    notes: StatusNotes,
    story: Story,
    audience: Audience,
) -> None:
    asked_nobody = requested(changed(story, audience=audience), has_reviewer=False)
    ticket, note = notes.ticket(asked_nobody), shown(notes.merge_request(asked_nobody, repository=REPOSITORY))
    said = "When it was opened, nobody was found to ask for a review."
    assert f"Note on [payk12/contacts\\!1|{GITLAB}/contacts/-/merge_requests/1]: {said}" in ticket
    assert f"Note: {said}" in note
    assert "remarks" in note
    assert (blocks(ticket), blocks(note)) == ([], [])
    assert "You need to: review [" in ticket
    assert "Your turn: review and merge." in note
    assert said not in notes.ticket(changed(asked_nobody, status="merged"))


def test_many_hindrances_do_not_fill_the_ticket(notes: StatusNotes, story: Story) -> None:
    names = [ProjectPath(f"payk12/{name}") for name in ("a", "b", "c", "d", "e")]
    requests = [replace(story.merge_requests[0], repository=name, iid=n) for n, name in enumerate(names, start=2)]
    failed = [replace(target_pipeline("failed"), id=n, repository=name) for n, name in enumerate(names)]
    several = replace(
        story,
        merge_requests=(*story.merge_requests, *requests),
        target_pipelines=tuple(failed),
    )
    text = notes.ticket(several)
    assert len(blocks(text)) == 4
    assert "What else blocks a merge stands on the merge requests." in text


def test_what_a_reviewer_wants_fixed_blocks_the_merge(notes: StatusNotes, story: Story) -> None:
    text = shown(notes.merge_request(with_everything(story), repository=REPOSITORY))
    assert "Blocks the merge: The reviewing agent found one thing that must be fixed; see the description." in text


@pytest.mark.parametrize("status", ["merged", "closed", "cancelled", "failed", "declined", "not_reproduced"])
def test_every_end_is_told(notes: StatusNotes, story: Story, status: str) -> None:
    ended = changed(story, status=status, reason="So it ended.")
    assert "Why: So it ended." in notes.ticket(ended)
    assert notes.merge_request(ended, repository=REPOSITORY)


def test_a_run_without_plan_or_pipeline_has_a_note_too(notes: StatusNotes, story: Story) -> None:
    early = replace(changed(story, status="starting", iteration=1), plan=None, pipelines=(), reports=())
    early = replace(early, merge_requests=(), costs=replace(story.costs, budget_usd=None, total=cost("0")))
    assert shown(notes.ticket(early)).startswith("*Bug fix: starting* (iteration 1 of 3, $0.00 of $6.00)\nNow: ")


def test_a_refusal_is_a_sentence_with_the_runs_marker(notes: StatusNotes) -> None:
    assert notes.refusal("Mara may not start runs", run="0123456789abcdef") == (
        "*Bug fix: not started*\nWhy: Mara may not start runs.\nbug-fix:run=0123456789abcdef;refusal\n"
    )
    assert notes.marker("0123456789abcdef", "refusal") in notes.refusal("x", run="0123456789abcdef")


QUESTION = "Which name exactly?\n\nPlease copy it, with its punctuation."


def waiting(story: Story, status: str, **plan: Any) -> Story:
    """Return a run that waits for people after its first analysis."""
    planned = replace(PLAN, **plan)
    first = Iteration(number=1, kind="analysis", plan=planned, started_at=NOW, finished_at=NOW)
    run = replace(story.run, status=status, reason="Two causes are possible.")
    return replace(story, run=run, plan=planned, iterations=(first,), reports=(), merge_requests=(), pipelines=())


def test_the_question_is_asked_as_the_plan_has_it_and_says_how_to_answer(notes: StatusNotes, story: Story) -> None:
    asked = waiting(story, "needs_information", outcome=PlanOutcome.NEEDS_INFORMATION, question=QUESTION)
    assert notes.question(asked, "question:1", readers=Readers.EVERYBODY) == (
        "*Bug fix: a question for Dana Whitfield*\n\n"
        "Which name exactly\\?\n\nPlease copy it, with its punctuation.\n\n"
        "Answer in a comment on this ticket; the bug fix then goes on by itself. Leave passwords and tokens out.\n\n"
        "bug-fix:run=0123456789abcdef;question:1\n"
    )
    status = notes.ticket(asked)
    assert status.startswith("*Bug fix: waiting for information* ($")
    assert "You need to: answer the question in a comment on this ticket." in status
    assert "iteration" not in status


def test_a_plan_is_shown_with_all_that_an_approver_needs(notes: StatusNotes, story: Story) -> None:
    shown = notes.plan(waiting(story, "awaiting_approval"), "plan:1", iteration=1, readers=Readers.EVERYBODY)
    for text in (
        "*Bug fix: a plan that waits for approval*",
        PLAN.title,
        f"{PLAN.location.file}:{PLAN.location.line}" if PLAN.location else "",
        "*Complexity:*",
        "*Risk:*",
        PLAN.repositories[0].repository,
        "% sure",
        "answer {{/bug-fix approve}} in a comment",
    ):
        assert text in shown
    assert shown.rstrip().endswith("bug-fix:run=0123456789abcdef;plan:1")


@pytest.mark.parametrize(
    ("approved_by", "says"), [("5b10ac", "the approved plan"), (None, "a plan that was not approved")]
)
def test_a_plan_that_waits_no_more_says_what_became_of_it_and_asks_for_nothing(
    notes: StatusNotes, story: Story, approved_by: str | None, says: str
) -> None:
    before = waiting(story, "running")
    second = Iteration(number=2, kind="fix", approved_by=approved_by, started_at=NOW, finished_at=None)
    later = replace(before, run=replace(before.run, iteration=2), iterations=(*before.iterations, second))
    shown = notes.plan(later, "plan:1", iteration=1, readers=Readers.EVERYBODY)
    assert f"*Bug fix: {says}*" in shown
    assert "/bug-fix approve" not in shown
    assert "(iteration 1 of 3" in notes.ticket(later)


def test_a_duplicate_names_and_links_the_other_ticket(notes: StatusNotes, story: Story) -> None:
    run = replace(story.run, status="declined", reason="A duplicate of PL-400: The same page.")
    other = replace(PLAN, outcome=PlanOutcome.DUPLICATE, duplicate_of="PL-400")
    shown = notes.ticket(replace(story, run=run, plan=other, reports=(), merge_requests=()))
    assert "The other ticket: [PL-400|https://jira.example/browse/PL-400]" in shown


def test_what_could_not_be_reproduced_asks_the_reporter(notes: StatusNotes, story: Story) -> None:
    no = ReproductionResult(
        base_sha="a" * 40,
        reproduced=False,
        test_path="",
        test_sha256=None,
        failure="",
        symptom="",
        steps=(),
        question="Which browser was it?",
    )
    reports = (replace(story.reports[0], phase="reproduction", outcome="not_reproduced", result=no),)
    run = replace(story.run, status="not_reproduced", reason="It works.")
    assert r"Question: Which browser was it\?" in notes.ticket(replace(story, run=run, reports=reports))


@pytest.mark.parametrize("status", sorted(RunStatus))
def test_the_public_comment_of_a_confidential_run_tells_nothing_that_was_found(
    notes: StatusNotes, story: Story, status: RunStatus
) -> None:
    secret = replace(story.run, status=status, reason="SQL injection in the search.", audience=Audience.RESTRICTED)
    shown = notes.ticket(replace(story, run=secret))
    found = (PLAN.summary, PLAN.root_cause, PLAN.title, "injection", "store.py", "Reproduced")
    assert [text for text in found if text in shown] == []
    assert "story" in shown
    hidden = notes.confidential(replace(story, run=secret))
    assert ("injection" in hidden) == (status not in {RunStatus.IN_REVIEW, RunStatus.RUNNING})
    assert hidden.rstrip().endswith("bug-fix:run=0123456789abcdef;confidential")


def test_a_reason_is_told_to_its_end_where_there_is_room_for_it(notes: StatusNotes, story: Story) -> None:
    long = " ".join(["Tried: paid twice at the same moment."] * 30)
    ended = changed(story, status="not_reproduced", reason=long)
    (why,) = [line for line in shown(notes.ticket(ended)).splitlines() if line.startswith("Why: ")]
    assert why == f"Why: {long}"
    (cut,) = [
        line
        for line in shown(notes.ticket(changed(ended, reason=f"{long} {long}"))).splitlines()
        if line.startswith("Why: ")
    ]
    assert 1190 < len(cut) <= len("Why: ") + 1200
    assert cut.endswith("…")


@pytest.mark.parametrize("audience", [Audience.RESTRICTED, Audience.WITHHELD])
def test_no_plan_and_no_question_is_written_for_readers_who_may_not_know_it(
    notes: StatusNotes, story: Story, audience: Audience
) -> None:
    secret = changed(waiting(story, "awaiting_approval"), audience=audience)
    with pytest.raises(WithheldError, match="may not be told to everybody"):
        notes.plan(secret, "plan:1", iteration=1, readers=Readers.EVERYBODY)
    with pytest.raises(WithheldError, match="may not be told to everybody"):
        notes.question(secret, "question:1", readers=Readers.EVERYBODY)
    may_know = Readers.NAMED if audience is Audience.RESTRICTED else Readers.RESTRICTED_TICKET
    assert PLAN.summary in notes.plan(secret, "plan:1", iteration=1, readers=may_know)
