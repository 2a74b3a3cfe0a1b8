"""Whether a command is obeyed, and what is said to one that is not."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from pipelines.language.command_grants import CommandGrants
from receiver.comments.command_line import Command
from receiver.workflow.commands import permissions
from receiver.workflow.commands.command_grammar import PREFIX
from receiver.workflow.commands.command_table import (
    RULES,
    CommandRule,
    CommandWord,
    is_of_remedy,
    rule_of,
    usage,
    word_of,
)
from receiver.workflow.messages import Venue
from receiver.workflow.person import Person
from receiver.workflow.run import RunStatus

BY_TABLE: Final = CommandGrants()
"""Nobody but those whom the table names."""

UNKNOWN: Final = "There is no command `{word}`.{nearest} `/bug-fix help` lists those that there are."
NOT_READ: Final = (
    "Something in your comment looks like a command, but it stands in a quote, in code, in a list or behind other "
    "words, so nothing was done. Write `/bug-fix {command}` alone on a line."
)
"""Said to what is no command though it may have been meant as one."""
ALONE: Final = "Write `{command}` alone on its line; with other words behind it, it is not clear what you want."
ELSEWHERE: Final = "`/bug-fix {command}` is said on the {where}."
MAY_NOT: Final = "You may not say `/bug-fix {command}`: that takes {who}. `commands.{command}` in bug-fix.yml decides."
UNCHECKED: Final = "It could not be checked whether you may do that: {why} Say it again in a while."
WHICH_REMEDY: Final = "Say which remedy: `{command} remedy N`, with the number that the merge request gives it."


def grants_of(word: CommandWord, grants: CommandGrants, rule: CommandRule | None = None) -> tuple[str, ...]:
    """Return who may give a command: as bug-fix.yml says of its word, else as its rule in the table does."""
    given: tuple[str, ...] | None = getattr(grants, word, None)
    return (rule or RULES[word]).who if given is None else given


def may(person: Person, word: CommandWord, grants: CommandGrants) -> bool:
    """Return whether a person may give a command."""
    return permissions.allow(grants_of(word, grants), person)


def refusal(
    command: Command, person: Person, status: RunStatus, *, where: Venue, grants: CommandGrants = BY_TABLE
) -> str | None:
    """Return the sentence for a command that is not obeyed, None when it is."""
    word = word_of(command)
    if word is None:
        return _unknown(command.word)
    rule = rule_of(word, command)
    return (
        _not_here(word, rule, where)
        or _not_by(word, rule, person, where, grants)
        or _not_so(word, rule, command, status)
    )


def _not_here(word: CommandWord, rule: CommandRule, where: Venue) -> str | None:
    if where not in rule.where:
        return ELSEWHERE.format(command=word, where=" or the ".join(sorted(rule.where - {Venue.TERMINAL})))
    return f"`{PREFIX} {word}` is not there yet. {rule.later}" if rule.later else None


def _not_by(word: CommandWord, rule: CommandRule, person: Person, where: Venue, grants: CommandGrants) -> str | None:
    """Return why somebody may not; whoever can use the database may all."""
    if where is Venue.TERMINAL:
        return None
    if person.unknown_because:
        return UNCHECKED.format(why=person.unknown_because)
    allowed = grants_of(word, grants, rule)
    is_allowed = permissions.allow(allowed, person)
    return None if is_allowed else MAY_NOT.format(command=word, who=permissions.in_words(allowed))


def _not_so(word: CommandWord, rule: CommandRule, command: Command, status: RunStatus) -> str | None:
    said = command.arguments
    if status not in rule.when:
        return rule.not_now.format(status=status.replace("_", " "))
    if is_of_remedy(command) and not (len(said) > 1 and said[1].isdecimal() and len(said[1]) < 4):
        return WHICH_REMEDY.format(command=f"{PREFIX} {word}")
    is_clear = len(said) <= rule.most and (not command.hint or rule.takes_hint)
    is_known = not rule.first or set(said[:1]) <= rule.first
    return None if is_clear and is_known else ALONE.format(command=usage(word))


def _unknown(word: str) -> str:
    nearest = get_close_matches(word, list(CommandWord), n=1)
    meant = f" Did you mean `{PREFIX} {nearest[0]}`?" if nearest else ""
    return UNKNOWN.format(word=word.replace("`", "'"), nearest=meant)
