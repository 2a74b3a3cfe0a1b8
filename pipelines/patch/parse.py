"""Read a patch as `git diff --binary` writes it. Decides nothing about what is allowed.

Deliberately stricter than `git apply`: a line that has no place in the grammar is an error, so that no file can be
touched that this summary doesn't name. Format: https://git-scm.com/docs/diff-format#generate_patch_text_with_p
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipelines.patch.quoting import NameFormatError, read_name, splits_into
from pipelines.patch.summary import Change, Content, Hunk, PatchFile, PatchSummary


class PatchError(ValueError):
    """The bytes are not a patch that git would write; the message names the line."""


_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_MODE = re.compile(rb"[0-7]{6}")
_INDEX = re.compile(rb"index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}(?: ([0-7]{6}))?")
_PERCENT = re.compile(rb"(?:dis)?similarity index \d{1,3}%")
_BINARY_PIECE = re.compile(rb"(?:literal|delta) \d+")
_BASE85_LINE = re.compile(rb"[A-Za-z][0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{5,65}")
_NO_NEWLINE = b"\\ No newline at end of file"


def inspect(patch: bytes) -> PatchSummary:
    """Return what `patch` touches. Raises `PatchError` for anything but a complete git patch; an empty one is fine."""
    reader = _Reader(patch)
    files: list[PatchFile] = []
    while not reader.at_end:
        files.append(_read_file(reader))
    return PatchSummary(
        files=tuple(files),
        insertions=sum(file.insertions for file in files),
        deletions=sum(file.deletions for file in files),
        size=len(patch),
    )


class _Reader:
    """The lines of a patch and the place in them."""

    def __init__(self, patch: bytes) -> None:
        if patch and not patch.endswith(b"\n"):
            raise PatchError("The patch's last line is incomplete: it has no line feed.")
        self._lines = patch.split(b"\n")[:-1]
        self._next = 0

    @property
    def at_end(self) -> bool:
        return self._next >= len(self._lines)

    def peek(self) -> bytes:
        return b"" if self.at_end else self._lines[self._next]

    def take(self) -> bytes:
        if self.at_end:
            raise PatchError("The patch ends in the middle of a file.")
        self._next += 1
        return self._lines[self._next - 1]

    def error(self, what: str) -> PatchError:
        return PatchError(f"Line {self._next} of the patch {what}: {self._lines[self._next - 1][:80]!r}.")


@dataclass(slots=True)
class _Header:
    """What the extended header lines of one file say."""

    rest: bytes
    modes: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    index_mode: str | None = None


_MODE_LINES = {b"old mode ": "old", b"new mode ": "new", b"deleted file mode ": "deleted", b"new file mode ": "created"}
_NAME_LINES = {
    b"rename from ": "rename from",
    b"rename to ": "rename to",
    b"copy from ": "copy from",
    b"copy to ": "copy to",
}


def _read_file(reader: _Reader) -> PatchFile:
    line = reader.take()
    prefix = b"diff --git "
    if not line.startswith(prefix):
        raise reader.error("is outside of any file")
    header = _Header(rest=line[len(prefix) :])
    while not reader.at_end and _read_header_line(reader, header):
        pass
    body = _read_body(reader)
    old, new = _names(reader, header, body)
    if not splits_into(header.rest, f"a/{old}", f"b/{new}"):
        raise PatchError(f"The header of {new!r} names other files than its lines do: {header.rest[:120]!r}.")
    return PatchFile(
        path=old if "deleted" in header.modes else new,
        old_path=old,
        change=_change(header),
        content=body.content,
        old_mode=header.modes.get("old") or header.modes.get("deleted") or header.index_mode,
        new_mode=header.modes.get("new") or header.modes.get("created") or header.index_mode,
        insertions=len(body.added),
        deletions=body.deletions,
        added=tuple(body.added),
        hunks=tuple(body.hunks),
    )


def _read_header_line(reader: _Reader, header: _Header) -> bool:
    line = reader.peek()
    for prefix, name in _MODE_LINES.items():
        if line.startswith(prefix):
            reader.take()
            mode = line[len(prefix) :]
            if not _MODE.fullmatch(mode) or name in header.modes:
                raise reader.error("has a mode that git does not write")
            header.modes[name] = mode.decode()
            return True
    for prefix, name in _NAME_LINES.items():
        if line.startswith(prefix):
            reader.take()
            if name in header.names:
                raise reader.error("names a file twice")
            header.names[name] = _name(reader, line[len(prefix) :])
            return True
    if line.startswith(b"index "):
        reader.take()
        match = _INDEX.fullmatch(line)
        if match is None or header.index_mode is not None:
            raise reader.error("is not an index line")
        header.index_mode = match[1].decode() if match[1] else None
        return True
    if _PERCENT.fullmatch(line):
        reader.take()
        return True
    return False


@dataclass(slots=True)
class _Body:
    """The content of one file's change."""

    content: Content = Content.NONE
    old: str | None = None
    """From the `---` line, with its prefix; None where there is none."""
    new: str | None = None
    deletions: int = 0
    added: list[tuple[int, str]] = field(default_factory=list)
    hunks: list[Hunk] = field(default_factory=list)


def _read_body(reader: _Reader) -> _Body:
    body = _Body()
    line = reader.peek()
    if line == b"GIT binary patch":
        reader.take()
        body.content = Content.BINARY
        _read_binary(reader)
    elif line.startswith(b"--- "):
        body.content = Content.TEXT
        body.old = _name(reader, reader.take()[4:].removesuffix(b"\t"))
        plus = reader.take()
        if not plus.startswith(b"+++ "):
            raise reader.error("is not the +++ line that belongs here")
        body.new = _name(reader, plus[4:].removesuffix(b"\t"))
        if not reader.peek().startswith(b"@@ "):
            raise PatchError(f"{body.new!r} has no hunks.")
        while reader.peek().startswith(b"@@ "):
            _read_hunk(reader, body)
    elif not reader.at_end and not line.startswith(b"diff --git "):
        reader.take()
        raise reader.error("is not a line of a git patch")
    return body


def _read_hunk(reader: _Reader, body: _Body) -> None:
    match = _HUNK.match(reader.take())
    if match is None:
        raise reader.error("is not a hunk header")
    start, old_left, number, new_left = (int(match[group] or 1) for group in (1, 2, 3, 4))
    before = start - 1 if old_left else start  # where nothing was, git names the line before
    lines: list[tuple[str, str]] = []
    while old_left > 0 or new_left > 0:
        line = reader.take()
        kind, text = line[:1], line[1:]
        if kind == b"+":
            body.added.append((number, text.decode(errors="replace")))
        elif kind == b"-":
            body.deletions += 1
        elif kind == b"\\" and line == _NO_NEWLINE:
            continue
        elif kind != b" ":
            raise reader.error("is not a line of a hunk")
        lines.append((kind.decode(), text.decode(errors="replace")))
        old_left -= kind in b" -"
        new_left -= kind in b" +"
        number += kind in b" +"
    if old_left < 0 or new_left < 0:
        raise reader.error("is more than its hunk announced")
    body.hunks.append(Hunk(before=before, lines=tuple(lines)))
    if reader.peek() == _NO_NEWLINE:
        reader.take()


def _read_binary(reader: _Reader) -> None:
    pieces = 0
    while _BINARY_PIECE.fullmatch(reader.peek()):
        reader.take()
        pieces += 1
        while (line := reader.take()) != b"":
            if not _BASE85_LINE.fullmatch(line):
                raise reader.error("is not binary patch data")
    if pieces not in {1, 2}:
        raise PatchError("A binary file comes without its content; make the patch with `git diff --binary`.")


def _names(reader: _Reader, header: _Header, body: _Body) -> tuple[str, str]:
    """Return the names before and after, from the lines that name them without doubt."""
    if header.names:
        verb = "rename" if "rename from" in header.names else "copy"
        if set(header.names) != {f"{verb} from", f"{verb} to"}:
            raise reader.error("belongs to a rename or copy that is not complete")
        old, new = header.names[f"{verb} from"], header.names[f"{verb} to"]
    else:
        old = new = _same_name(header.rest)
    expected_old = "/dev/null" if "created" in header.modes else f"a/{old}"
    expected_new = "/dev/null" if "deleted" in header.modes else f"b/{new}"
    if body.content is Content.TEXT and (body.old, body.new) != (expected_old, expected_new):
        raise PatchError(f"{new!r}: the --- and +++ lines name {body.old!r} and {body.new!r}.")
    return old, new


def _same_name(rest: bytes) -> str:
    """Return X of `a/X b/X`: where nothing is renamed both halves are equally long, so blanks in names do no harm."""
    first, blank, second = rest[: len(rest) // 2], rest[len(rest) // 2 : len(rest) // 2 + 1], rest[len(rest) // 2 + 1 :]
    try:
        old, new = read_name(first), read_name(second)
    except NameFormatError as error:
        raise PatchError(f"A file's name can't be read ({error}): {rest[:120]!r}.") from error
    if blank != b" " or not old.startswith("a/") or not new.startswith("b/") or old[2:] != new[2:]:
        raise PatchError(f"A file's header names two files, but says nothing of a rename: {rest[:120]!r}.")
    return new[2:]


def _name(reader: _Reader, raw: bytes) -> str:
    try:
        return read_name(raw)
    except NameFormatError as error:
        raise reader.error(f"has a name that can't be read ({error})") from error


def _change(header: _Header) -> Change:
    if "rename from" in header.names:
        return Change.RENAMED
    if "copy from" in header.names:
        return Change.COPIED
    if "created" in header.modes:
        return Change.ADDED
    return Change.DELETED if "deleted" in header.modes else Change.MODIFIED
