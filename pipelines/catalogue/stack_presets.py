"""The stack presets: how jobs of a kind of repository run, before a catalogue overrides anything. Data only.

Images carry tags; a digest belongs to a team's catalogue (`image: registry/our-python@sha256:…`), because only the team
knows which build it trusts. Caches lie below `.cache/` in the job's folder; only `prepare`, which runs the unpatched
code, writes them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pipelines.language import Framework
from pipelines.language.repository import Commands, Stack


class Preset(StrEnum):
    """The presets' names."""

    PYTHON = "python"
    NEXTJS = "nextjs"
    DOTNET = "dotnet"
    DOTNET_FRAMEWORK = "dotnet-framework"


PYTHON: Final = Stack(
    preset=Preset.PYTHON,
    image="python:3.11",
    cache_paths=(".cache/pip",),
    variables={"PIP_CACHE_DIR": "$CI_PROJECT_DIR/.cache/pip", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    commands=Commands(
        install="if [ -f requirements.txt ]; then python -m pip install -r requirements.txt; "
        "else python -m pip install -e .; fi",
        test="python -m pytest --junitxml=junit.xml",
    ),
    junit=("junit.xml",),
    coverage_report="coverage.xml",
)

NEXTJS: Final = Stack(
    preset=Preset.NEXTJS,
    image="node:22-bookworm",
    cache_paths=(".cache/npm",),
    variables={
        "NPM_CONFIG_CACHE": "$CI_PROJECT_DIR/.cache/npm",
        "NEXT_TELEMETRY_DISABLED": "1",
        # jest-junit names its cases after their files, as Vitest and Playwright do: tests are told apart by them.
        "JEST_JUNIT_CLASSNAME": "{filepath}",
    },
    commands=Commands(
        install="npm ci", test="npm test", coverage="npm run coverage --if-present", lint="npm run lint --if-present"
    ),
    junit=("junit.xml", "reports/junit.xml"),
    coverage_report="coverage/cobertura-coverage.xml",
)

_DOTNET_TEST: Final = "dotnet test --no-restore --logger trx --results-directory TestResults"
_UNITS: Final = '--filter "Category!=Integration&TestCategory!=Integration"'
_INTEGRATION: Final = '--filter "Category=Integration|TestCategory=Integration"'

DOTNET: Final = Stack(
    preset=Preset.DOTNET,
    image="mcr.microsoft.com/dotnet/sdk:10.0",
    cache_paths=(".cache/nuget",),
    variables={
        "NUGET_PACKAGES": "$CI_PROJECT_DIR/.cache/nuget",
        "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
        "DOTNET_NOLOGO": "1",
    },
    # VSTest, what `dotnet test` runs unless global.json says otherwise. TRX needs no package; Cobertura comes from
    # coverlet.collector, which `dotnet new` puts into test projects. Integration tests are those of that category:
    # [Trait("Category", "Integration")] in xUnit, [Category(…)] in NUnit, [TestCategory(…)] in MSTest.
    commands=Commands(
        install="dotnet restore",
        test=f"{_DOTNET_TEST} {_UNITS}",
        integration=f"{_DOTNET_TEST} {_INTEGRATION}",
        coverage=f'{_DOTNET_TEST} {_UNITS} --collect "XPlat Code Coverage"',
        lint="dotnet format --verify-no-changes --no-restore",
        format="dotnet format --no-restore",
    ),
    junit=("TestResults/*.trx",),
    coverage_report="TestResults/*/coverage.cobertura.xml",
)

DOTNET_FRAMEWORK: Final = Stack(
    preset=Preset.DOTNET_FRAMEWORK,
    image="mcr.microsoft.com/dotnet/framework/sdk:4.8.1-windowsservercore-ltsc2022",
    tags=("windows",),
    cache_paths=(".cache/nuget",),
    timeout="2h",
    variables={"NUGET_PACKAGES": "$CI_PROJECT_DIR/.cache/nuget"},
    # PowerShell, the shell of GitLab's Windows runners: a native command's failure has to be passed on by hand.
    commands=Commands(
        install="nuget restore; exit $LASTEXITCODE",
        test="msbuild -m -p:Configuration=Release; if ($LASTEXITCODE) { exit $LASTEXITCODE }; "
        "vstest.console.exe (Get-ChildItem -Recurse -Include *Tests.dll | "
        "Where-Object FullName -Match '\\\\bin\\\\Release\\\\').FullName "
        '"/Logger:junit;LogFileName=junit.xml"; exit $LASTEXITCODE',
    ),
    junit=("**/TestResults/junit.xml",),
)

PRESETS: Final[dict[Preset, Stack]] = {
    Preset(stack.preset): stack for stack in (PYTHON, NEXTJS, DOTNET, DOTNET_FRAMEWORK)
}
"""By name."""

FRAMEWORKS: Final[dict[Preset, Framework]] = {
    Preset.PYTHON: Framework.PYTEST,
    Preset.NEXTJS: Framework.PLAYWRIGHT_TEST,
    Preset.DOTNET: Framework.PYTEST,
    Preset.DOTNET_FRAMEWORK: Framework.PYTEST,
}
"""What runs a reproduction where the catalogue doesn't say."""
