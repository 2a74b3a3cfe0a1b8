"""Who may give a command: grants as bug-fix.yml writes them, and whether one holds for a person. Tables; no I/O.

What the table of commands says by default and what `commands` in bug-fix.yml says instead are the same strings.
"""

from __future__ import annotations

from typing import Final

from receiver.workflow.person import Directory, Person, Right

LEVELS: Final[dict[str, int]] = {"guest": 10, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
"""GitLab's access levels, https://docs.gitlab.com/api/access_requests/#valid-access-levels."""

GUEST, DEVELOPER, MAINTAINER = "gitlab:guest", "gitlab:developer", "gitlab:maintainer"
START, REPORTER, USER = "jira:start", "jira:reporter", "jira:user"

IN_WORDS: Final[dict[str, str]] = {
    START: "somebody named in `jira.start.allowed`",
    REPORTER: "the ticket's reporter",
    USER: "everybody in Jira who is no customer",
} | {
    f"gitlab:{name}": f"{'a member' if name == 'guest' else f'at least a {name.capitalize()}'} of the project in GitLab"
    for name in LEVELS
}
"""For people; accounts and groups are not named to others."""


def holds(grant: str, person: Person) -> bool:
    """Return whether a grant holds for a person. Accounts and groups are Jira's: names in GitLab can be chosen."""
    kind, _, name = grant.partition(":")
    if kind == "gitlab":
        return person.directory is Directory.GITLAB and person.level >= LEVELS[name]
    if person.directory is not Directory.JIRA:
        return False
    match kind:
        case "account":
            return bool(name) and person.account == name
        case "group":
            return name in person.groups
        case _:
            rights = {START: Right.START, REPORTER: Right.REPORTER}
            return grant == USER or person.has_any({rights[grant]})


def allow(grants: tuple[str, ...], person: Person) -> bool:
    """Return whether any of the grants holds; nothing is allowed to somebody who could not be checked."""
    return not person.unknown_because and any(holds(one, person) for one in grants)


def in_words(grants: tuple[str, ...]) -> str:
    """Return who they are, for people: `A, B or C`."""
    named = list(dict.fromkeys(IN_WORDS.get(one, "an account or group that bug-fix.yml names") for one in grants))
    return " or ".join(part for part in (", ".join(named[:-1]), named[-1]) if part) if named else "nobody"
