"""What a ticket tells, whatever its format: headings, labels, lists, Gherkin, stack traces, quotations. Pure.

Jira's wiki markup, Markdown and plain text are read alike. The text is untrusted; nothing of it leaves this package.
"""

from __future__ import annotations

import re
from typing import Final

from pipelines.language.wire import Ticket
from receiver.workflow.readiness.words import (
    ACTUAL_HEADINGS,
    EXPECTATIONS,
    EXPECTED_HEADINGS,
    FAILURES,
    FILLERS,
    FUNCTION_WORDS,
)

LONGEST: Final = 20_000
"""Characters that are looked at: who writes more has said something."""

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_IDEOGRAPH: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_HEADING: Final = (
    r"^[ \t]*(?:h[1-6]\.|#{{1,6}}|[*_]{{1,2}}|[-*]|\d+[.)])?[ \t]*[*_]{{0,2}}"  # a heading, a list item, bold letters
    r"(?:{words})\b[^\n]{{0,60}}?(?:[:*_]|$)"
)
_FLAGS: Final = re.IGNORECASE | re.MULTILINE
_ACTUAL: Final = re.compile(_HEADING.format(words=ACTUAL_HEADINGS), _FLAGS)
_EXPECTED: Final = re.compile(_HEADING.format(words=EXPECTED_HEADINGS), _FLAGS)
_FAILURE: Final = re.compile(rf"\b(?:{FAILURES})\b", _FLAGS)
_EXPECTATION: Final = re.compile(rf"\b(?:{EXPECTATIONS})\b", _FLAGS)
_WHEN: Final = re.compile(r"^[ \t*_-]*(?:when|wenn|quand|cuando|quando|als)\b", _FLAGS)
_THEN: Final = re.compile(r"^[ \t*_-]*(?:then|dann|alors|entonces|allora|então|dan)\b", _FLAGS)
_QUOTED: Final = re.compile(
    r"\{(?:code|noformat|quote)|^bq\.|^>[ \t]|```|`[^`\n]{2,}`|\{\{.{2,}?\}\}"
    r"|[\"“„«].{3,}?[\"”“»]|^[ \t]*\|\|?.+\|",
    re.MULTILINE,
)
_TRACE: Final = re.compile(
    r"\b\w+(?:Error|Exception)\b|^[ \t]*at [\w.$<>]+\(|\bTraceback\b|\bpanic:"
    r"|\b(?:HTTP[ /\d.]*|status |code )?[45]\d\d\b|\bfile \".+?\", line \d+|\b\w+\.\w{1,5}:\d+",
    _FLAGS,
)
_POINTER: Final = re.compile(
    r"https?://|\b(?:GET|POST|PUT|PATCH|DELETE) /|(?:^|[\s(`{\"'])/[\w-]+(?:/[\w{}:-]+)+|\b[\w-]+/[\w-]+\.\w{1,5}\b"
    r"|\b\w+\.(?:cs|py|tsx?|jsx?|razor|sql|java|vb|html|css|json|ya?ml)\b",
    re.MULTILINE,
)


class TicketText:
    """The words of a ticket, and what is recognised in them."""

    def __init__(self, ticket: Ticket) -> None:
        said = [ticket.summary, ticket.description, *(one.body for one in ticket.comments)]
        said += [one.text for one in ticket.attachments]
        self.text = "\n".join(said)[:LONGEST].replace("’", "'")
        self.has_description = bool(ticket.description.strip())
        self.has_attachment = bool(ticket.attachments)
        self._words = [word.casefold() for word in _WORD.findall(self.text)]
        self._names = " ".join((self.text, *ticket.components, *ticket.labels, *(a.name for a in ticket.attachments)))

    @property
    def is_of_known_language(self) -> bool:
        """Return whether one of the tables is about its language."""
        spoken = set(self._words)
        return not spoken or any(spoken & frequent for frequent in FUNCTION_WORDS.values()) or bool(spoken & FILLERS)

    @property
    def matter(self) -> int:
        """Return how many words carry any matter; scripts without spaces count two characters for one."""
        idle = frozenset().union(FILLERS, *FUNCTION_WORDS.values())
        spoken = sum(word not in idle and not _IDEOGRAPH.search(word) for word in self._words)
        return spoken + len(_IDEOGRAPH.findall(self.text)) // 2

    @property
    def shows_evidence(self) -> bool:
        """Return whether somebody attached, quoted or copied what was seen."""
        return self.has_attachment or bool(_QUOTED.search(self.text) or _TRACE.search(self.text))

    @property
    def shows_failure(self) -> bool:
        """Return whether it tells of something that speaks for itself: a failure, an exception, a status of HTTP."""
        return bool(_FAILURE.search(self.text) or _TRACE.search(self.text))

    @property
    def describes_actual(self) -> bool:
        """Return whether a part of it is set apart for what happens."""
        return bool(_ACTUAL.search(self.text) or _WHEN.search(self.text))

    @property
    def describes_expected(self) -> bool:
        """Return whether it says how it ought to be, in a part of its own or in a sentence."""
        return bool(_EXPECTED.search(self.text) or _THEN.search(self.text) or _EXPECTATION.search(self.text))

    @property
    def points_somewhere(self) -> bool:
        """Return whether it names an address, a route or a file."""
        return bool(_POINTER.search(self.text) or _TRACE.search(self.text))

    def names(self, name: str) -> bool:
        """Return whether a name stands in it as a word, in any case of letters."""
        return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self._names, re.IGNORECASE) is not None
