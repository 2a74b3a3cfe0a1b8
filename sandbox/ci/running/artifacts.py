"""Pack a job's artifacts and unpack those of others; nothing outside of the build folder goes in or out."""

import os
import stat
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox.ci.errors import CiError
from sandbox.ci.globs import matches, pattern


class UnsafeArchive(CiError):  # noqa: N818 - named for what it is about
    """An archive names a path outside of the folder that it is unpacked into."""


def collected(root: Path, paths: Iterable[str], exclude: Iterable[str] = ()) -> tuple[list[Path], list[str]]:
    """Give the files that the globs name, and the globs that name none. Links out of the folder are left out."""
    every = sorted(_files(root))
    excluded = [pattern(glob.removeprefix("./")) for glob in exclude]
    found: dict[str, Path] = {}
    unmatched: list[str] = []
    for glob in paths:
        relative = _relative(glob, root)
        names = [name for name in every if relative is not None and matches(name, relative)]
        if not names:
            unmatched.append(glob)
        found.update({name: root / name for name in names if not any(one.fullmatch(name) for one in excluded)})
    return [found[name] for name in sorted(found)], unmatched


def _relative(glob: str, root: Path) -> str | None:
    """Make a glob relative to the build folder; None when it leads out of it."""
    inside = glob.removeprefix(f"{root}/") if glob.startswith("/") else glob
    inside = inside.removeprefix("./")
    return None if inside.startswith("/") or ".." in inside.split("/") else inside


def _files(root: Path) -> Iterable[str]:
    for folder, names, files in os.walk(root):
        links = [name for name in names if (Path(folder) / name).is_symlink()]
        for name in [*files, *links]:
            path = Path(folder) / name
            if path.is_symlink() and not _leads_inside(path.parent, str(path.readlink()), root):
                continue
            if path.is_symlink() or path.is_file():
                yield path.relative_to(root).as_posix()


def _leads_inside(folder: Path, target: str, root: Path) -> bool:
    real = os.path.realpath(folder / target)
    return real == os.path.realpath(root) or real.startswith(os.path.realpath(root) + os.sep)


def pack(root: Path, files: Sequence[Path], archive: Path) -> int:
    """Write a zip of these files, links and permissions kept; give its size."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in files:
            name = path.relative_to(root).as_posix()
            if path.is_symlink():
                info = zipfile.ZipInfo(name)
                info.create_system = 3
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                out.writestr(info, str(path.readlink()))
            else:
                out.write(path, name)
    return archive.stat().st_size


def unpack(archive: Path, root: Path) -> int:
    """Unpack a zip into a folder; give the number of files. Raises UnsafeArchive before it writes outside."""
    count = 0
    with zipfile.ZipFile(archive) as source:
        for info in source.infolist():
            if info.is_dir():
                continue
            target = root / info.filename
            if not _leads_inside(root, info.filename, root) or ".." in info.filename.split("/"):
                raise UnsafeArchive(f"{info.filename} leads out of the build folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_symlink() or target.exists():
                target.unlink()
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode):
                link = source.read(info).decode()
                if not _leads_inside(target.parent, link, root):
                    raise UnsafeArchive(f"{info.filename} links out of the build folder")
                target.symlink_to(link)
            else:
                target.write_bytes(source.read(info))
                target.chmod(stat.S_IMODE(mode) or 0o644)
            count += 1
    return count
