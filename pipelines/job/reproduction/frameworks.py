"""Which framework runs a repository's reproduction, and its tools, which come from untouched code. Runs no test.

For `@playwright/test` the tools are the repository's own: installed once per job from the base commit and then taken
out of reach, so that neither a patch nor an earlier run can change what judges it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct, field

from pipelines.job.communication.errors import CommandsError
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.repositories import Source, read_file, read_tree
from pipelines.language import Framework

PACKAGE = "@playwright/test"


class PackageFile(Struct, frozen=True, kw_only=True):
    """What of a package.json matters here."""

    type: str = "commonjs"
    """`module`: its scripts are ES modules."""
    dependencies: dict[str, str] = field(default_factory=dict)
    dev_dependencies: dict[str, str] = field(name="devDependencies", default_factory=dict)


class Tools(Struct, frozen=True, kw_only=True):
    """What runs the tests of a framework."""

    framework: Framework
    package: Path | None = None
    """The folder of `@playwright/test`; None for pytest, which comes with this program."""
    modules: Path | None = None
    """The node_modules that holds the package with all that it needs."""
    module_type: str = "commonjs"
    """The `type` of the package that the test belongs to."""


def framework_of(job: Job) -> Framework:
    """Return the catalogue's framework; pytest where the repository does not have the other one."""
    wanted = job.repository.reproduction.framework
    if wanted is Framework.PLAYWRIGHT_TEST and declared(job.source) is None:
        job.log.state(f"no package.json of {job.repository.key} names {PACKAGE}: its reproduction is a pytest file")
        return Framework.PYTEST
    return wanted


def prepare_tools(job: Job, framework: Framework) -> Tools:
    """Return what runs the tests of a framework. Raises `CommandsError` when the repository doesn't bring it."""
    if framework is Framework.PYTEST:
        return Tools(framework=framework)
    named = declared(job.source)
    if named is None:
        raise CommandsError(f"No package.json of {job.repository.key} names {PACKAGE}, which its reproduction needs.")
    folder, package_file = named
    place = job.check_out("judge", Role.BROWSER)
    place.install()
    place.end()
    found = installed(place.folder, folder)
    if found is None:
        raise CommandsError(
            f"`install` of {job.repository.key} left no {PACKAGE} in node_modules; "
            "let it install that, or set `reproduction: {framework: pytest}`."
        )
    kept = job.root / "tools" / "node_modules"
    kept.parent.mkdir()
    modules, package = found
    modules.rename(kept)
    place.clear()
    _seal(kept, uid=job.launcher.users.uid(place.role))
    return Tools(framework=framework, package=kept / package, modules=kept, module_type=package_file.type)


def installed(checkout: Path, folder: PurePosixPath) -> tuple[Path, Path] | None:
    """Return the node_modules folder that provides the package to `folder`, and the package's path in it, or None.

    Searches from `folder` upwards, as Node does, and follows workspace links to another node_modules of the checkout.
    Skips a node_modules that is itself a link, because its target is not trusted.
    """
    checkout = checkout.resolve()
    for parent in (folder, *folder.parents):
        modules = checkout / parent / "node_modules"
        if not (modules / PACKAGE / "cli.js").exists() or modules.resolve() != modules:
            continue
        package = (modules / PACKAGE).resolve()
        if not package.is_relative_to(checkout):
            return modules, Path(PACKAGE)
        inside = package.relative_to(checkout)
        above = inside.parts[: inside.parts.index("node_modules") + 1] if "node_modules" in inside.parts else ()
        return (checkout.joinpath(*above), inside.relative_to(Path(*above))) if above else None
    return None


def declared(source: Source) -> tuple[PurePosixPath, PackageFile] | None:
    """Return the folder nearest to the root whose package.json names the package."""
    paths = [PurePosixPath(path) for path in read_tree(source) if path.rpartition("/")[2] == "package.json"]
    for path in sorted(paths, key=lambda path: len(path.parts)):
        try:
            found = msgspec.json.decode(read_file(source, str(path)) or b"", type=PackageFile)
        except (msgspec.MsgspecError, RecursionError):
            continue
        if PACKAGE in found.dependencies or PACKAGE in found.dev_dependencies:
            return path.parent, found
    return None


def _seal(root: Path, *, uid: int | None) -> None:
    """Take a tree from a user of the job: all of them may read it, none may write there.

    Only what belongs to that user is touched, so that a hard link in it changes nothing of anybody else.
    """
    if uid is None:
        return
    _take(str(root), None, uid)
    for level in file_trees.walk(root):
        for name in (*level.folders, *level.others):
            _take(name, level.descriptor, uid)


def _take(name: str, folder: int | None, uid: int) -> None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if found.st_uid != uid:
        return
    os.chown(name, os.geteuid(), os.getegid(), dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        readable = 0o055 if found.st_mode & 0o100 else 0o044
        os.chmod(name, found.st_mode & 0o755 | readable, dir_fd=folder)
