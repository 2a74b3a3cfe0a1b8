"""Everything that a phase works with: what the job was told, its folders, repositories, commands and report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from pipelines.catalogue.served_order import start_order
from pipelines.job.communication.client_version import client_version
from pipelines.job.communication.disclosure import (
    CONFIDENTIAL,
    CONFIDENTIAL_NOW,
    NO_OUTCOME,
    UNDECIDED_YET,
    Disclosure,
    sentence,
)
from pipelines.job.communication.errors import JobError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.environment import JobSettings
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.changes import conceal_changes, make_changes
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job_files import Artifacts
from pipelines.job.workspace.repositories import Source, check_out, fetch, settle_times
from pipelines.language import (
    EndedBy,
    Phase,
    PhaseReport,
    PhaseResult,
    ProjectPath,
    ReportOutcome,
)
from pipelines.language.change_set import ChangeSet
from pipelines.language.repository import Repository
from pipelines.language.wire import RunSpec, Session

_DEEPEST_CONFTEST = 64


class AgentFacts(Struct, frozen=True, kw_only=True):
    """What a report says of the agent's work."""

    turns: int = 0
    stripped_characters: int = 0
    refused_calls: int = 0


class Job:
    """One job, from RunSpec to report."""

    def __init__(
        self,
        *,
        settings: JobSettings,
        spec: RunSpec,
        session: Session,
        launcher: Launcher,
        artifacts: Artifacts,
        log: JobLog,
        keep_context: Callable[[bytes], None],
    ) -> None:
        self.settings = settings
        self.spec = spec
        self.session = session
        self.launcher = launcher
        self.artifacts = artifacts
        self.log = log
        self.keep_context = keep_context
        """Leaves an encoded RepositoryContext with the receiver."""
        self.disclosure = Disclosure.OPEN
        self.sources: dict[ProjectPath, Source] = {}
        self.agent_facts = AgentFacts()
        self._neighbours: dict[Role, tuple[Checkout, ...]] = {}

    def disclose(self, disclosure: Disclosure) -> None:
        """Say what log and artifacts may tell from here on; what is withheld once stays so."""
        if self.disclosure is Disclosure.WITHHELD:
            return
        if disclosure is Disclosure.UNDECIDED:
            self.log.state(UNDECIDED_YET)
        self._disclose(disclosure, why=CONFIDENTIAL)

    def settle(self) -> None:
        """Withhold what is still undecided at the end: nobody knows what it would have been."""
        if self.disclosure is Disclosure.UNDECIDED:
            self._disclose(Disclosure.WITHHELD, why=NO_OUTCOME)

    def conclude(self, *, confidential: bool) -> None:
        """Tell what was held back, or take back what was left: the receiver said how it is at the job's end."""
        if confidential and self.disclosure is not Disclosure.WITHHELD:
            self._disclose(Disclosure.WITHHELD, why=CONFIDENTIAL_NOW)
        self.log.disclose(self.disclosure)

    def _disclose(self, disclosure: Disclosure, *, why: str) -> None:
        if disclosure is Disclosure.WITHHELD:
            self.log.state(sentence(why, self.spec, receiver=self.settings.receiver))
        if disclosure is not Disclosure.OPEN or self.disclosure is not Disclosure.UNDECIDED:
            self.log.disclose(disclosure)  # what is held back is written at the end, by `conclude`
        self.disclosure = disclosure
        self.artifacts.disclose(disclosure)

    @property
    def root(self) -> Path:
        """The job's own folder."""
        return self.launcher.root

    @property
    def project_dir(self) -> Path:
        """CI_PROJECT_DIR."""
        return Path(self.settings.project_dir)

    @property
    def repository(self) -> Repository:
        """The catalogue's entry of this job's repository."""
        if self.spec.repository is None:
            raise JobError(f"The receiver named no repository for a {self.spec.phase} job.")
        return self.spec.catalogue.repositories[self.spec.repository]

    @property
    def source(self) -> Source:
        """This job's repository at its base commit."""
        return self.sources[self.repository.project]

    def fetch(self, *, token: str) -> None:
        """Fetch the repositories that this job works with.

        Analysis reads all of them. Other agents are told about all of them too, by what analysis left with the
        receiver; what is missing there has to be fetched to be told about.
        """
        wanted = [path for path in self.spec.base_shas if path in self.spec.catalogue.repositories]
        if self.spec.phase is not Phase.ANALYSIS:
            served = self._beside if self.spec.phase in {Phase.REPRODUCTION, Phase.TESTING} else ()
            needed = {self.spec.repository, *(repository.project for repository in served)}
            if self.spec.agent is not None:
                needed |= {path for path in wanted if path not in self.spec.contexts}
            wanted = [path for path in wanted if path in needed]
        for path in sorted(wanted):
            stack = self.spec.catalogue.repositories[path].stack
            ignored = (*stack.junit, *((stack.coverage_report,) if stack.coverage_report else ()), *stack.cache_paths)
            with self.log.step(f"clone {path} at {self.spec.base_shas[path][:12]}"):
                self.sources[path] = fetch(
                    self.root,
                    repository=path,
                    base_sha=self.spec.base_shas[path],
                    url=self.spec.clone_urls[path],
                    token=token,
                    ignored=tuple(f"/{pattern}" for pattern in ignored),
                )

    def check_out(
        self,
        name: str,
        role: Role,
        *,
        repository: Repository | None = None,
        change: ChangeSet | None = None,
        without: Sequence[str] = (),
    ) -> Checkout:
        """Make a checkout with a home of its own, owned by a role; of the job's own repository if none is named.

        The role's checkout of that repository before is gone then. `without` names paths that are left as they were
        before the change.
        """
        repository = repository or self.repository
        source = self.sources.get(repository.project)
        if source is None:
            raise JobError(f"The run knows no commit of {repository.project}, so it can't be checked out.")
        place = Checkout(
            name=name,
            place=f"{role}-{repository.key}",
            role=role,
            repository=repository,
            launcher=self.launcher,
            artifacts=self.artifacts,
            log=self.log,
        )
        place.clear()
        check_out(source, place.folder)
        if change is not None:
            make_changes(source, place.folder, change, without=without)
        settle_times(source, place.folder)
        if change is not None and role is Role.APPLICATION:
            conceal_changes(place.folder, change, without=without)
        place.settle(self.project_dir)
        return place

    def base_files(self) -> Path:
        """Return a folder with the files of this job's repository at its base commit; made once, and nobody's to write.

        Without git's own folder, and without conftests: these decide how tests run.
        """
        folder = self.root / "base"
        if not folder.exists():
            check_out(self.source, folder)
            settle_times(self.source, folder)
            file_trees.remove(folder / ".git")
            for path in file_trees.find(folder, "**/conftest.py", deepest=_DEEPEST_CONFTEST):
                file_trees.remove(path)
        return folder

    def neighbours(self, role: Role) -> tuple[Checkout, ...]:
        """Return installed checkouts, at their base commits, of what has to be served beside this job's repository.

        In the order in which they have to be started; made once for a role.
        """
        if role not in self._neighbours:
            places = tuple(self.check_out(f"{role}-{one.key}", role, repository=one) for one in self._beside)
            for place in places:
                place.install()
            self._neighbours[role] = places
        return self._neighbours[role]

    @property
    def _beside(self) -> tuple[Repository, ...]:
        by_key = {one.key: one for one in self.spec.catalogue.repositories.values()}
        needs = {key: one.serve.with_ for key, one in by_key.items() if one.serve is not None}
        return tuple(by_key[key] for key in start_order(self.repository.key, needs))

    def report(
        self,
        outcome: ReportOutcome,
        reason: str,
        result: PhaseResult | None,
        *,
        ended_by: EndedBy = EndedBy.PHASE,
    ) -> PhaseReport:
        """Return the report of this job with all that was kept so far."""
        agent = self.spec.agent
        return PhaseReport(
            run=self.spec.run,
            kind=self.spec.kind,
            iteration=self.spec.iteration,
            phase=self.spec.phase,
            repository=self.spec.repository,
            outcome=outcome,
            reason=self.log.redacted(reason)[:2000],
            result=result,
            artifacts=self.artifacts.all,
            agent=agent.name if agent else None,
            model=agent.model if agent else None,
            turns=self.agent_facts.turns,
            job_seconds=round(self.log.seconds, 3),
            stripped_characters=self.agent_facts.stripped_characters,
            refused_calls=self.agent_facts.refused_calls,
            ended_by=ended_by,
            client=client_version(),
        )
