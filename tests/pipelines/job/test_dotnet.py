"""The `dotnet` preset: its commands and the places of its reports belong together.

By a stand-in for `dotnet` that leaves files of the names and shapes that vstest and coverlet leave; no SDK runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.suites.checks import measured_lines, run_checks
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import Phase
from pipelines.proof.test_cases import CaseOutcome

pytestmark = pytest.mark.integration

DOTNET = """\
#!/bin/sh
case "$*" in
  "format --verify-no-changes"*) exit 2 ;;
  "test "*"--logger trx --results-directory TestResults"*) ;;
  *) exit 64 ;;
esac
case "$*" in
  *"--filter Category!=Integration&TestCategory!=Integration"*) name=Saves outcome=Failed ;;
  *"--filter Category=Integration|TestCategory=Integration"*) name=Answers outcome=Passed ;;
  *) exit 65 ;;
esac
mkdir -p TestResults/5b1f1c4e
cat > TestResults/runner_2026-11-26_06_54_31.trx <<END
<?xml version="1.0" encoding="utf-8"?>
<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
<UnitTestResult testId="t" testName="$name" outcome="$outcome" duration="00:00:00.5" /></Results>
<TestDefinitions><UnitTest id="t"><TestMethod className="Api.Tests.Shop" name="$name" /></UnitTest></TestDefinitions>
<ResultSummary outcome="Completed"><Counters total="1" failed="0" /></ResultSummary></TestRun>
END
case "$*" in *"--collect XPlat Code Coverage"*) cat > TestResults/5b1f1c4e/coverage.cobertura.xml <<END
<coverage><sources><source>$PWD/</source></sources><packages><package><classes><class filename="src/Shop.cs"><lines>
<line number="1" hits="1" /><line number="2" hits="0" /></lines></class></classes></package></packages></coverage>
END
esac
[ "$outcome" = Passed ]
"""


@pytest.fixture
def place(launcher: Launcher, project_dir: Path, catalogue_of: Any) -> Checkout:
    (repository,) = catalogue_of(["dotnet"]).repositories.values()
    made = Checkout(
        name="after",
        place="application-payments",
        role=Role.APPLICATION,
        repository=repository,
        launcher=launcher,
        artifacts=Artifacts(project_dir, Phase.TESTING),
        log=JobLog(),
    )
    made.folder.mkdir(parents=True)
    made.settle(project_dir)
    command = made.home / ".local" / "bin" / "dotnet"
    command.parent.mkdir(parents=True)
    command.write_text(DOTNET)
    command.chmod(0o755)
    launcher.users.give(made.home, Role.APPLICATION)
    made.keep()
    return made


def test_unit_and_integration_tests_coverage_and_lint_are_read_from_where_the_commands_leave_them(
    place: Checkout, project_dir: Path
) -> None:
    checked = run_checks(place)
    assert checked.unit is not None
    assert checked.integration is not None
    assert checked.lint is not None
    assert checked.unit.outcomes == {"Api.Tests.Shop::Saves": CaseOutcome.FAILED}
    assert checked.integration.outcomes == {"Api.Tests.Shop::Answers": CaseOutcome.PASSED}
    assert (checked.unit.result.exit_code, checked.integration.result.exit_code, checked.lint.exit_code) == (1, 0, 2)
    assert measured_lines(checked.unit, place, ["src/Shop.cs"]) == {"src/Shop.cs": {1: True, 2: False}}
    kept = {path.name: path.read_bytes() for path in (project_dir / ".bug-fix/testing").iterdir()}
    assert {"junit-unit.xml", "junit-integration.xml", "coverage.xml"} <= kept.keys()
    assert b'<testcase classname="Api.Tests.Shop" name="Saves"' in kept["junit-unit.xml"], "GitLab reads no TRX"
