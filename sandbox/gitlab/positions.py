"""Where a note on the diff stands, and where it stands after a push (Gitlab::Diff::PositionTracer, LineStrategy).

In GitLab's words the old diff is A→B (base and head) and the new one is C→D.
"""

from dataclasses import dataclass, replace

from sandbox.gitlab import file_diff
from sandbox.gitlab.file_diff import FileDiff, moved_to_new, moved_to_old
from sandbox.gitlab.merge_request_model import DiffRefs, Position
from sandbox.gitlab.repository import Repository


@dataclass(frozen=True)
class Traced:
    """Where a line is in another diff, or where it was changed when it is there no more."""

    position: Position | None
    outdated: bool


async def line_code(repository: Repository, position: Position) -> str | None:
    """Give the code of a position's line; None when there is no such line in that diff."""
    refs = position.refs
    diff = await file_diff.between(repository, refs.base_sha, refs.head_sha, path=position.new_path, of_old=False)
    line = None if diff is None else diff.line(old=position.old_line, new=position.new_line)
    return None if diff is None or line is None else diff.code(line)


async def trace(repository: Repository, position: Position, new: DiffRefs) -> Traced:
    """Follow a position into the diff that a push has made."""
    tracer = _Tracer(repository, position, new)
    if position.old_line is None:
        return await tracer.added()
    if position.new_line is None:
        return await tracer.removed()
    return await tracer.unchanged()


class _Tracer:
    def __init__(self, repository: Repository, position: Position, new: DiffRefs) -> None:
        self._repository = repository
        self._position = position
        self._old, self._new = position.refs, new

    async def added(self) -> Traced:
        """Follow a line that the merge request adds."""
        line = self._position.new_line or 0
        heads = await self._between(self._old.head_sha, self._new.head_sha, self._position.new_path)
        path = heads.new_path if heads else self._position.new_path
        there = moved_to_new(heads, line)
        if there is None:
            return Traced(self._at(self._changed(), heads, new=None, old=line), outdated=True)
        diff = await file_diff.between(
            self._repository, self._new.base_sha, self._new.head_sha, path=path, of_old=False
        )
        before = moved_to_old(diff, there)
        if before is not None and diff is None:
            return Traced(self._at(self._new, diff, new=there, old=before), outdated=True)
        return Traced(self._at(self._new, diff, new=there, old=before), outdated=False)

    async def removed(self) -> Traced:
        """Follow a line that the merge request takes out."""
        line = self._position.old_line or 0
        bases = await self._between(self._old.base_sha, self._new.base_sha, self._position.old_path)
        before = moved_to_new(bases, line)
        if before is None:
            return Traced(self._at(self._changed(), bases, new=None, old=line), outdated=True)
        path = bases.new_path if bases else self._position.old_path
        diff = await self._between(self._new.base_sha, self._new.head_sha, path)
        there = moved_to_new(diff, before)
        if there is None:
            return Traced(self._at(self._new, diff, new=None, old=before), outdated=False)
        return Traced(self._at(self._changed(), diff, new=there, old=None), outdated=True)

    async def unchanged(self) -> Traced:
        """Follow a line that the merge request leaves as it is."""
        bases = await self._between(self._old.base_sha, self._new.base_sha, self._position.old_path)
        heads = await self._between(self._old.head_sha, self._new.head_sha, self._position.new_path)
        before = moved_to_new(bases, self._position.old_line or 0)
        there = moved_to_new(heads, self._position.new_line or 0)
        if there is None:
            return Traced(self._at(self._changed(), heads, new=None, old=self._position.new_line), outdated=True)
        path = bases.new_path if bases else self._position.old_path
        diff = await self._between(self._new.base_sha, self._new.head_sha, path)
        if before is None:
            return Traced(self._at(self._new, diff, new=there, old=None), outdated=False)
        if diff is None or diff.line(old=before, new=there) is None:
            return Traced(None, outdated=True)
        return Traced(self._at(self._new, diff, new=there, old=before), outdated=False)

    async def _between(self, old: str, new: str, path: str) -> FileDiff | None:
        return await file_diff.between(self._repository, old, new, path=path, of_old=True)

    def _changed(self) -> DiffRefs:
        """Give the commits between which the line was changed: the old head and the new one."""
        return DiffRefs(base_sha=self._old.head_sha, start_sha=self._old.head_sha, head_sha=self._new.head_sha)

    def _at(self, refs: DiffRefs, diff: FileDiff | None, *, old: int | None, new: int | None) -> Position:
        was = self._position
        old_path, new_path = (diff.old_path, diff.new_path) if diff else (was.old_path, was.new_path)
        return replace(was, refs=refs, old_path=old_path, new_path=new_path, old_line=old, new_line=new)
