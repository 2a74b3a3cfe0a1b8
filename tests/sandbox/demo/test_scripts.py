"""The scripts before there is an environment: what they answer, and that they say what they do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.scenario_format import names

CHECKOUT = Path(__file__).resolve().parents[3]
SIGNS = f"set -euo pipefail\n. {CHECKOUT}/scripts/signs-of-life.sh\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a checkout in which nothing was set up, with what the scripts read of it."""
    for folder in ("scripts", "sandbox/demo", "sandbox/scenarios"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, symlinks=True)
    shutil.copy(CHECKOUT / "sandbox" / "__init__.py", tmp_path / "sandbox")
    return tmp_path


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--all", "--help"]])
def test_a_fresh_clone_tells_the_options_of_the_demo_without_setting_anything_up(clone: Path, words: list[str]) -> None:
    asked = subprocess.run([clone / "scripts" / "demo", *words], capture_output=True, text=True, check=True)
    told = " ".join(asked.stdout.split()).replace("- ", "-")
    assert not asked.stderr
    assert "--chaos" in told
    assert all(name in told for name in names())
    assert {one.name for one in clone.iterdir()} == {"scripts", "sandbox"}


@pytest.mark.parametrize("script", ["setup", "test"])
def test_the_other_scripts_tell_their_options_as_well_and_refuse_what_they_do_not_know(
    clone: Path, script: str
) -> None:
    told = subprocess.run([clone / "scripts" / script, "--help"], capture_output=True, text=True, check=True)
    assert f"scripts/{script}" in told.stdout
    refused = subprocess.run([clone / "scripts" / script, "--bla"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--bla" in refused.stderr
    assert {one.name for one in clone.iterdir()} == {"scripts", "sandbox"}


def test_what_takes_its_time_gives_signs_of_life_until_it_is_done(tmp_path: Path) -> None:
    done = tmp_path / "done"
    os.mkfifo(done)
    script = f"{SIGNS}beats 'installing things' cat {done}\necho installed"
    with subprocess.Popen(
        ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as installing:
        assert installing.stderr is not None
        assert installing.stdout is not None
        first, second = installing.stderr.readline(), installing.stderr.readline()  # it installs as long as we listen
        done.write_text("the log\n")
        assert installing.stdout.read() == "the log\ninstalled\n"
        assert installing.wait() == 0
        assert "Terminated" not in installing.stderr.read()
    assert first.startswith("  … installing things, ")
    assert second.startswith("  … installing things, ")


@pytest.mark.parametrize(("options", "ends"), [("set -e", 7), ("set +e", 0)])
def test_what_fails_fails_with_its_own_exit_code(options: str, ends: int) -> None:
    script = f"{SIGNS}{options}\nbeats failing bash -c 'exit 7'\n[ $? = 7 ]"
    assert subprocess.run(["bash", "-c", script], check=False).returncode == ends


def test_a_script_that_was_killed_leaves_nobody_who_speaks_for_it(tmp_path: Path) -> None:
    never = tmp_path / "never"
    os.mkfifo(never)
    script = f"{SIGNS}beats 'installing things' cat {never}"
    with subprocess.Popen(
        ["bash", "-c", script], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as installing:
        assert installing.stderr is not None
        installing.stderr.readline()
        installing.kill()
        installing.wait()
        never.write_text("")  # what it ran ends as well
        installing.stderr.read()  # ends when nobody can speak any more


@pytest.fixture
def checks(clone: Path) -> Path:
    """Return a checkout whose tools all succeed; pytest does what `pytest.sh` says."""
    (clone / "scripts" / "setup").write_text("#!/bin/sh\n")
    (clone / ".state").mkdir()
    (clone / ".state" / "browser").write_text("chromium")
    tools = clone / ".venv" / "bin"
    tools.mkdir(parents=True)
    pytest_script = f"#!/bin/bash\n. {clone}/pytest.sh\n"
    for name in ("ruff", "mypy", "lint-imports", "pytest"):
        (tools / name).write_text(pytest_script if name == "pytest" else "#!/bin/sh\n")
        (tools / name).chmod(0o755)
    return clone


@pytest.mark.parametrize("ends", [0, 1, 2, 3, 5])
def test_it_succeeds_only_when_pytest_does(checks: Path, ends: int) -> None:
    (checks / "pytest.sh").write_text(f"exit {ends}")
    ran = subprocess.run(
        [checks / "scripts" / "test", "--fast"], cwd=checks, capture_output=True, text=True, check=False
    )
    assert ran.returncode == min(ends, 1), ran.stdout + ran.stderr


def test_a_type_error_is_shown_and_fails_though_all_tests_pass(checks: Path) -> None:
    (checks / "pytest.sh").write_text("exit 0")
    (checks / ".venv" / "bin" / "mypy").write_text("#!/bin/sh\necho 'error: not a string'\nexit 1\n")
    ran = subprocess.run(
        [checks / "scripts" / "test", "--fast"], cwd=checks, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "error: not a string" in ran.stdout


@pytest.mark.parametrize(("signal", "ends"), [("INT", 130), ("TERM", 143)])
def test_a_signal_ends_the_script_and_not_only_pytest(checks: Path, signal: str, ends: int) -> None:
    (checks / "pytest.sh").write_text(f"kill -{signal} $PPID; exit 2")
    ran = subprocess.run(
        ["env", "--default-signal=INT", checks / "scripts" / "test", "--fast"],  # in the background it is ignored
        cwd=checks,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == ends
    assert "All in" not in ran.stdout


def test_a_browser_that_is_named_and_can_not_be_run_is_refused_with_its_name(clone: Path) -> None:
    script = (CHECKOUT / "scripts" / "setup").read_text()
    start, end = script.index("kept=$("), script.index('if [ ! -x "$kept" ]; then')
    program = f'fail() {{ echo "$*" >&2; exit 2; }}\n{script[start:end]}echo "kept: $kept"'
    (clone / ".state").mkdir()
    (clone / ".state" / "browser").write_text("/bin/ls")

    def kept(browser: str) -> subprocess.CompletedProcess[str]:
        named = {**os.environ, "BUG_FIX_BROWSER": browser}
        return subprocess.run(
            ["bash", "-c", program], cwd=clone, env=named, capture_output=True, text=True, check=False
        )

    assert kept("").stdout == "kept: /bin/ls\n"
    assert kept("/bin/ls").stdout == "kept: /bin/ls\n"
    assert kept("/bin/cat").stdout == "kept: \n"
    refused = kept("/nowhere/chrome")
    assert refused.returncode == 2
    assert "/nowhere/chrome" in refused.stderr
