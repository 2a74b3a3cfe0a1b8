"""How a scenario must end, and what people do until then."""

from typing import Annotated, Any, Literal

import msgspec

from sandbox.scenario_format.fields import ProjectPath, Username, Word


class Reproduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the reproduction says on the unpatched and on the patched code."""

    before: Word
    after: Word | None = None
    """None where no patch gets that far."""


class HandedOver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people are told who get the run, also where they make it go on."""

    question: str
    tried: Annotated[int, msgspec.Meta(ge=0)]
    """How many attempts are told of."""


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the story must end, after all reactions; the demo compares and fails where it ends otherwise."""

    outcome: Word
    iterations: Annotated[int, msgspec.Meta(ge=1)] = 1
    """The run's own count: every pipeline that was started for it, also one that ended in a question."""
    merge_requests: dict[ProjectPath, Word] = {}
    """GitLab project to the state of its merge request (`opened`, `merged`); a project not named here has none."""
    own_pipelines: dict[ProjectPath, Literal["success", "failed", "canceled", "skipped"]] = {}
    """GitLab project to how its own pipeline for the merge request ends; the story is over when all of these are."""
    reproduction: Reproduction | None = None
    ticket_status: str | None = None
    """The Jira status at the end."""
    cache_read_share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """Of all input tokens, at least so many are read from the model's cache."""
    attachments: dict[str, Literal["text", "picture", "named"]] | None = None
    """Name of a file of the ticket to what analysis is given of it; None: not compared."""
    unspoken: tuple[str, ...] = ()
    """Words, in any case of letters, that stand in no log and no artifact of the run's jobs, where members of the
    automation project could read them."""
    unpublished: tuple[str, ...] = ()
    """Words, in any case of letters, that stand neither in those of our comments on the ticket that are not restricted,
    nor in the run's merge requests: branch, title, description, notes."""
    handed_over: HandedOver | None = None
    commands: tuple[str, ...] = ()
    """Words of the commands that were obeyed, in their order."""
    remedies: dict[str, Word] = {}
    """Remedies of the run, by name, and how far each came."""
    approved_by: tuple[Username, ...] = ()
    """Whose approvals counted when the workflow merged."""
    reverted: tuple[ProjectPath, ...] = ()
    """GitLab projects in which the merged fix was taken back."""
    told: tuple[str, ...] = ()
    """Words that stand in the run's merge requests, escaped as they may be."""


class GitLabAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person does in GitLab's pages, by an act of `sandbox.gitlab.people`."""

    act: Word
    project: ProjectPath
    given: dict[str, Any] = {}
    """The act's other fields. `iid` is that of the run's merge request in the project, unless it is given."""


class Reaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person does when the run gets somewhere. Each reaction happens once, in the order of the file."""

    when: Word
    """The run's status."""
    by: Username
    comment: str | None = None
    """A comment on the ticket; wiki markup."""
    label: Annotated[str, msgspec.Meta(pattern=r"^\S+$")] | None = None
    """A label that is taken off the ticket and set again."""
    security: str | None = None
    """Id of a security level that the ticket is given; the sandbox's Jira has one, 10200."""
    gitlab: GitLabAct | None = None
    """Something done in GitLab."""
    iteration: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Only at this iteration of the run; None: the first time that it has the status."""
    after: str = ""
    """Only once the run's story says so; empty: at once."""

    def is_due(self, *, status: str, iteration: int) -> bool:
        """Whether it is time for it, as far as the run's status says."""
        return self.when == status and self.iteration in {None, iteration}
