"""Types of single fields that the files of a scenario share."""

from datetime import datetime
from typing import Annotated

import msgspec

IssueKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,9}$")]
"""A Jira issue key, `PL-479`."""

ProjectPath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$")]
"""A GitLab project with its namespace, `payk12/contacts`."""

Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
"""A phase or an outcome; the product owns the lists, a scenario only repeats their words."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone, `2026-11-16T14:05:00Z`."""

Username = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9._-]*$")]
"""A user's name, the same in GitLab and in Jira."""
