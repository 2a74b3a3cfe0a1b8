"""Types of single fields: ids of runs, issues and projects, hashes, bounded text."""

from __future__ import annotations

from typing import Annotated, NewType

from msgspec import Meta

RunId = NewType("RunId", str)
"""Identifies a run: 16 lowercase hexadecimal characters, random."""

IssueKey = NewType("IssueKey", str)
"""A Jira issue key, for example `PL-479`."""

ProjectPath = NewType("ProjectPath", str)
"""A GitLab project's full path, for example `payk12/contacts`; it names the repository everywhere."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""A SHA-256 in lowercase hexadecimal."""

CommitSha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$(?!\n)")]
"""A git object id, SHA-1 or SHA-256."""

Line = Annotated[str, Meta(max_length=300)]


Text = Annotated[str, Meta(max_length=20_000)]
