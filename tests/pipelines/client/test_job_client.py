"""The relocatable job client, built and run: without Python on PATH, moved, and alone with glibc."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.client.build import PIPELINES, build
from pipelines.client.contents import JOB_DISTRIBUTIONS, closure
from pipelines.resources import TEMPLATES

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[3]
NOWHERE = {"PATH": "/nonexistent"}


def content_hash() -> str:
    parts = hashlib.sha256(sys.version.encode())
    for one in closure(JOB_DISTRIBUTIONS):
        parts.update(f"{one.metadata['Name']}=={one.version}\n".encode())
    for folder in (PIPELINES, (TEMPLATES / "prompts").resolve()):
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"):
            parts.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return parts.hexdigest()


@pytest.fixture(scope="module")
def client() -> Path:
    """Return a client that was moved after it was built; kept as long as nothing that it is made of changes."""
    kept = ROOT / ".state/job-client"
    place = kept / content_hash()[:16] / "opt/bug-fix"
    kept.parent.mkdir(exist_ok=True)
    with kept.with_suffix(".lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)  # another worker may build it
        if not place.exists():
            shutil.rmtree(kept, ignore_errors=True)
            built = kept / "under construction"
            build(built)
            place.parent.mkdir(parents=True)
            built.rename(place)
    return place


@pytest.fixture
def bare_root(tmp_path: Path) -> Path:
    """Return a root file system that has a shell and glibc; client and /proc are mounted when something runs there."""
    allowed = subprocess.run(["unshare", "--mount", "mount", "--bind", "/proc", tmp_path], check=False)
    if allowed.returncode != 0:
        pytest.skip("this user or container may not mount")
    shell = Path("/bin/dash" if Path("/bin/dash").exists() else "/bin/sh").resolve()
    done = subprocess.run(["ldd", sys.executable, shell], capture_output=True, text=True, check=True)
    loader = Path(re.findall(r"^\s*(/\S*/ld-linux\S*) ", done.stdout, re.MULTILINE)[0])
    libc = Path(re.findall(r"libc\.so\.6 => (\S+)", done.stdout)[0])
    for name in ("bin", "proc", "opt/bug-fix"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy2(shell, tmp_path / "bin/sh")
    names = re.compile(r"lib(c|m|dl|pthread|rt|util|resolv)\.so\.\d")
    for file in (loader, *(one for one in libc.parent.iterdir() if names.fullmatch(one.name))):
        target = tmp_path / file.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    return tmp_path


IN_IMAGE = """\
set -e
mount --bind "$1" "$2/opt/bug-fix"
mount --bind /proc "$2/proc"
root=$2
shift 2
exec env -i "$(command -v chroot)" "$root" "$@"
"""


def run(*argv: str | Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, env=env, cwd="/", capture_output=True, text=True, check=False, timeout=120)


def test_it_runs_without_python_on_the_path(client: Path) -> None:
    done = run(client / "bin/bug-fix-job", "--version", env=NOWHERE)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"bug-fix-job \d+\.\d+\.\d+\n", done.stdout)


def test_it_runs_through_a_link(client: Path, tmp_path: Path) -> None:
    link = tmp_path / "bug-fix-job"
    link.symlink_to(client / "bin/bug-fix-job")
    assert run(link, "--version", env={"PATH": "/usr/bin:/bin"}).returncode == 0


def test_an_unknown_phase_is_refused(client: Path) -> None:
    assert run(client / "bin/bug-fix-job", "deployment", env=NOWHERE).returncode == 2


def test_it_uses_no_file_of_this_systems_python(client: Path) -> None:
    program = (
        "import sys, ssl, sqlite3, lzma, bz2, uuid, ctypes, greenlet, jiter, msgspec, pydantic_core, yaml\n"
        "import anthropic, playwright.sync_api, pytest, pipelines.secrets, pipelines.phases.testing\n"
        "print(*{one.__file__ for one in sys.modules.values() if getattr(one, '__file__', None)}, sep='\\n')\n"
        "print(*{line.split()[-1] for line in open('/proc/self/maps') if '.so' in line}, sep='\\n')\n"
    )
    done = run(client / "python/bin/python3", "-I", "-B", "-c", program, env=NOWHERE)
    assert done.returncode == 0, done.stderr
    foreign = {Path(line).name for line in done.stdout.splitlines() if not line.startswith(str(client))}
    assert foreign <= {
        f"lib{one}" for one in ("c.so.6", "m.so.6", "dl.so.2", "pthread.so.0", "rt.so.1", "util.so.1")
    } | {name for name in foreign if name.startswith("ld-linux")}


def test_a_phase_says_what_its_job_lacks_and_nothing_is_compiled_or_written(client: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in client.rglob("*")}
    done = run(client / "bin/bug-fix-job", "reproduction", env=NOWHERE)
    assert done.returncode == 5
    assert (
        "This job lacks BUG_FIX_RUN, BUG_FIX_ITERATION, BUG_FIX_RECEIVER, CI_PROJECT_DIR" in done.stdout + done.stderr
    )
    assert {path: path.stat().st_mtime_ns for path in client.rglob("*")} == before


def test_an_image_needs_nothing_but_glibc_and_a_shell(bare_root: Path, client: Path) -> None:
    def inside(*argv: str) -> subprocess.CompletedProcess[str]:
        return run("unshare", "--mount", "sh", "-c", IN_IMAGE, "sh", client, bare_root, *argv, env=dict(os.environ))

    version = inside("/opt/bug-fix/bin/bug-fix-job", "--version")
    assert (version.returncode, version.stderr) == (0, ""), version
    phase = inside("/opt/bug-fix/bin/bug-fix-job", "testing")
    assert (phase.returncode, "This job lacks BUG_FIX_RUN" in phase.stdout + phase.stderr) == (5, True)
    [node] = client.glob("python/lib/python3*/site-packages/playwright/driver/node")
    driver = inside(f"/opt/bug-fix/{node.relative_to(client)}", "--version")
    assert (driver.returncode, driver.stdout[:1]) == (0, "v"), driver.stderr
    assert list((bare_root / "opt/bug-fix").iterdir()) == []


def test_playwright_drives_a_browser_from_it(client: Path, tmp_path: Path) -> None:
    browser = os.environ.get("BUG_FIX_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no browser")
    program = (
        "import sys\n"
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright:\n"
        "    browser = playwright.chromium.launch(executable_path=sys.argv[1], args=['--no-sandbox'])\n"
        "    page = browser.new_page()\n"
        "    page.set_content('<h1>here</h1>')\n"
        "    print(page.inner_text('h1'))\n"
        "    browser.close()\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}  # without one, browsers write to the shared folder
    done = run(client / "python/bin/python3", "-I", "-B", "-c", program, browser, env=environment)
    assert (done.returncode, done.stdout) == (0, "here\n"), done.stderr
