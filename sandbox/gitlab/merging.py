"""Merge, rebase and revert with git: new commits. Knows nothing of permissions, and moves no branch."""

from datetime import UTC, datetime
from typing import Final

from sandbox.gitlab.repository import Commit, Identity, Repository

_MARK: Final = Identity(name="Sandbox", email="sandbox@sandbox.invalid", at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC))


async def merge_commit(repository: Repository, *, target: str, head: str, message: str, by: Identity) -> str | None:
    """Write the merge of a head into a target; None when they conflict."""
    tree = await repository.merge_tree(target, head)
    if tree is None:
        return None
    return await repository.write_commit(tree, parents=[target, head], message=message, author=by, committer=by)


async def rebased(repository: Repository, *, onto: str, base: str, head: str, by: Identity) -> str | None:
    """Write the commits since a base anew on top of another, as `git rebase` does; None when one conflicts.

    Authors stay, merge commits go, and what is there already is left out.
    """
    commits = await repository.log(head, f"^{base}", f"^{onto}")
    tip = onto
    for commit in reversed([one for one in commits if len(one.parents) < 2]):
        before = commit.parents[0] if commit.parents else await repository.empty_tree()
        tree = await _three_way(repository, base=before, ours=tip, theirs=commit.id)
        if tree is None:
            return None
        if tree != await _tree(repository, tip):
            tip = await repository.write_commit(
                tree, parents=[tip], message=commit.message, author=commit.author, committer=by
            )
    return tip


async def taken_back(repository: Repository, *, commit: Commit, tip: str) -> str | None:
    """Write the tree that a tip becomes without a commit's changes, of a merge all that it brought; None: conflict."""
    before = commit.parents[0] if commit.parents else await repository.empty_tree()
    return await _three_way(repository, base=commit.id, ours=tip, theirs=before)


async def changes_nothing(repository: Repository, tree: str, tip: str) -> bool:
    """Whether a tree is the one that a commit has already."""
    return tree == await _tree(repository, tip)


async def _three_way(repository: Repository, *, base: str, ours: str, theirs: str) -> str | None:
    """Merge two trees with a base of one's own choice: git 2.39 chooses it by ancestry, so that is made first."""
    root = await _marked(repository, base)
    one, other = await _marked(repository, ours, root), await _marked(repository, theirs, root)
    return await repository.merge_tree(one, other)


async def _marked(repository: Repository, of: str, *parents: str) -> str:
    tree = await _tree(repository, of)
    return await repository.write_commit(tree, parents=parents, message=of, author=_MARK, committer=_MARK)


async def _tree(repository: Repository, of: str) -> str:
    return (await repository.git("rev-parse", "--verify", f"{of}^{{tree}}")).decode().strip()
