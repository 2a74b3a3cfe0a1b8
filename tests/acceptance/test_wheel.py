"""Installed like software: a wheel, in an empty environment outside of any checkout, does all that a checkout does."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sandbox.scenario_format import SCENARIOS

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

CHECKOUT = Path(__file__).resolve().parents[2]
LEFT_RUNNING = "Next: . "
"""Begins the line that the demo says last, when all is left running; the file with the settings follows."""


def run(*argv: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel that is built as docs/install.md says."""
    folder = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """Return a folder that other users may enter, as Postgres does where root starts it: pytest's own are private."""
    with TemporaryDirectory(prefix="bug-fix-wheel-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def installed(wheel: Path, room: Path) -> Path:
    """Return the programs' folder of an environment that holds nothing but the wheel and what it asks for."""
    environment = room / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    wanted = f"bug-fix[sandbox] @ file://{wheel}"
    command = ["uv", "pip", "install", "--python", environment / "bin/python", "--constraint"]
    command += [CHECKOUT / "requirements.lock", wanted]
    settings = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    for more in (["--offline"], []):  # set-up has left everything in uv's cache, unless somebody emptied it
        done = run(*command, *more, cwd=environment.parent, env=settings)
        if done.returncode == 0:
            return environment / "bin"
    raise AssertionError(done.stderr)


def copied(folder: Path) -> Path:
    """Copy a scenario and its repository out of the checkout, under another name, for another Jira project."""
    target = folder / "elsewhere"
    shutil.copytree(SCENARIOS / "feature-request", target)
    shutil.copytree(SCENARIOS.parent / "estate" / "api", folder / "billing")
    head, turns, catalogue = target / "scenario.yml", target / "turns" / "analysis.yml", target / "bug-fix.yml"
    told = head.read_text().replace("name: feature-request", "name: elsewhere").replace("PL-560", "QX-7")
    head.write_text(told.replace("payk12/api: ../../estate/api", "riverside/billing: ../billing"))
    turns.write_text(turns.read_text().replace("PL-560", "QX-7").replace("payk12/api", "riverside/billing"))
    rewritten = (
        catalogue.read_text().replace("project: PL\n", "project: QX\n").replace("payk12/api", "riverside/billing")
    )
    catalogue.write_text(rewritten)
    return target


@pytest.fixture(scope="module")
def settings(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Play a scenario of a team's own from the wheel, with all its processes; return the settings of what runs."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with (folder / "log").open("w") as log:
        demo = subprocess.Popen(
            [installed / "python", "-m", "sandbox.demo", "--plain", "--serve", "--scenario", copied(folder)],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert demo.stdout is not None
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line.strip())
        if lines[-1].startswith(LEFT_RUNNING):
            break
    try:
        assert any(line.startswith("Outcome as expected: declined") for line in lines), "\n".join(
            [*lines, (folder / "log").read_text()[-2000:]]
        )
        file = Path(lines[-1].removeprefix(LEFT_RUNNING).split(" ")[0])
        pairs = (line.removeprefix("export ").split("=", 1) for line in file.read_text().splitlines())
        yield {key: value.strip("'") for key, value in pairs}
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.stdout.close()
        demo.wait(60)


def shipped(folder: Path) -> set[str]:
    """Return what stands in a folder of the checkout, links followed and without what is compiled."""
    return {
        str((Path(place) / name).relative_to(CHECKOUT))
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if not name.endswith(".pyc")
    }


def test_it_holds_every_file_of_the_packages_and_what_their_links_lead_to(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {name for package in ("receiver", "pipelines", "sandbox") for name in shipped(CHECKOUT / package)}
    wanted = {".gitlab-ci.yml", "migrations/env.py", "templates/ci/template.yml", "templates/notes/ticket_note.jira.j2"}
    assert wanted <= {name.removeprefix("pipelines/resources/") for name in names}


def test_each_program_answers_without_a_checkout(installed: Path, tmp_path: Path) -> None:
    for program in ("bug-fix", "bug-fix-sandbox"):
        assert run(installed / program, "--help", cwd=tmp_path).returncode == 0
    assert run(installed / "bug-fix-job", "--version", cwd=tmp_path).stdout.startswith("bug-fix-job ")


def test_a_ticket_is_worked_and_explained_and_doctor_finds_no_fault(
    installed: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    environment = {"PATH": os.defpath, "COLUMNS": "200", **settings}
    doctor = run(installed / "bug-fix", "doctor", cwd=tmp_path, env=environment)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    explained = run(installed / "bug-fix", "explain", "QX-7", cwd=tmp_path, env=environment)
    assert "declined" in explained.stdout
    assert "docs/api.md" in explained.stdout
    migrated = run(installed / "bug-fix", "migrate", cwd=tmp_path, env=environment)
    assert migrated.stdout.startswith("The database is at revision"), migrated.stderr
