"""The table of files that run elsewhere than in tests: what is refused, what is remarked, what is neither."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.patch import contents, remarks
from pipelines.patch.file_rules import row_of
from pipelines.patch.run_elsewhere import ROWS, Ruling
from tests.changes import change_set, file_change

Examined = Callable[..., tuple[str, ...]]

REFUSED = {
    "decides what runs in CI, or who reviews": (
        *(
            ".cirrus.star",
            "backend/cloudbuild.prod.yaml",
            "buildspec-test.yml",
            ".semaphore/deploy.yml",
            "netlify.toml",
        ),
        *(
            ".tekton/pull.yaml",
            "vars/release.groovy",
            ".renovaterc.json",
            ".forgejo/workflows/a.yml",
            "Jenkinsfile.old",
        ),
        *(".azure-pipelines/steps.yml", "bamboo-specs/plan.yaml", ".readthedocs.yaml", "CODEOWNERS", "Codefresh.yml"),
    ),
    "decides what git runs on people's machines": (
        *(".husky/pre-push", "lefthook-local.yaml", ".lefthook/commit-msg/x.sh", "tools/hooks/post-checkout"),
        *(".overcommit.yml", "web/.lintstagedrc.json", ".simple-git-hooks.cjs", "githooks/any"),
    ),
    "is obeyed by editors that open the folder": (
        *(".vscode/launch.json", "web/.vscode/settings.json", "shop.code-workspace", ".idea/runConfigurations/a.xml"),
        *(".nvim.lua", ".exrc", "src/.dir-locals.el", ".devcontainer.json", ".zed/tasks.json", ".gitpod.yml"),
    ),
    "tells coding agents what to do, or which programs to start": (
        *(".claude/commands/x.md", ".mcp.json", "web/AGENTS.md", "Claude.md", ".cursorrules", ".gemini/settings.json"),
        *(".codex/config.toml", ".windsurf/rules/a.md", ".aider.conf.yml", "opencode.jsonc", ".kiro/hooks/a.json"),
    ),
    "is run by shells and interpreters that are started in the folder": (
        *(".envrc", "api/.envrc", "mise.local.toml", ".gdbinit", ".Rprofile", ".irbrc", "Desktop.ini", "docs/a.lnk"),
    ),
    "decides which packages are installed, and from where": (
        *("web/.npmrc", ".condarc", ".bundle/config", "tools/ours.init.gradle", ".yarn/plugins/a.cjs", "auth.json"),
    ),
    "is read by a build tool before anything else, and can make it start other programs": (
        *(".cargo/config.toml", ".bazelrc", ".mvn/extensions.xml", "gradle/wrapper/gradle-wrapper.properties", "mvnw"),
    ),
}
REMARKED = {
    "is a program or a setting by which the product is built or installed": (
        *("setup.py", "web/next.config.mjs", "postcss.config.cjs", "angular.json", "web/tsconfig.app.json", "Makefile"),
        *(
            "api/Dockerfile",
            "Dockerfile.prod",
            "compose.override.yaml",
            "build.gradle.kts",
            "pom.xml",
            "CMakeLists.txt",
        ),
    ),
    "is a script that people, CI or machines may run": ("tools/run.sh", "ci/extra.yml", "scripts/load.py", "build.ps1"),
    "decides how the product is deployed": ("deploy/values.yaml", "modules/db/main.tf", "Procfile", "k8s/a.yml"),
    "names the versions of tools that are fetched": (".nvmrc", "global.json", "rust-toolchain.toml"),
    "says what people may do, or whom they turn to": (
        *("LICENSE", "web/LICENCE.md", "NOTICE.txt", "SECURITY.md", "public/.well-known/security.txt"),
    ),
}
ORDINARY = (
    *("src/claude.py", "src/agents/list.ts", "docs/agents.rst", "src/hooks/usePreCommit.ts", "src/hooks/post-merge.ts"),
    *(
        "src/idea/page.tsx",
        "src/license.ts",
        "app/notice.cs",
        "src/app/app.config.ts",
        "docs/netlify.md",
    ),
    *("src/vars/build.groovy", "src/docs/codeowners", "web/src/mise.ts", "src/rules/a.py", "templates/url.html"),
    *("src/deploy/plan.py", "src/scripts/a.py", "auth/auth.json", "public/index.html", "conftest.py"),
)


def cases(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(path, why) for why, paths in table.items() for path in paths]


def remarked(path: str) -> tuple[str, ...]:
    return remarks(contents((file_change(path, None, "x\n"),), lambda _: None))


@pytest.mark.parametrize(("path", "why"), cases(REFUSED))
def test_what_runs_where_the_folder_is_opened_is_refused_new_or_changed(
    examined: Examined, path: str, why: str
) -> None:
    for before in ({}, {path: "x\n"}):
        assert f"`{path}` {why}; a person has to change it." in examined(before, {path: "y\n"})


@pytest.mark.parametrize(("path", "why"), cases(REMARKED))
def test_what_a_fix_may_change_is_remarked_and_not_refused(examined: Examined, path: str, why: str) -> None:
    assert examined({path: "{}\n"}, {path: "{ }\n"}) == ()
    assert f"`{path}` {why}." in remarked(path)


@pytest.mark.parametrize("path", ORDINARY)
def test_files_that_are_only_called_so_are_neither(path: str) -> None:
    row = row_of(path)
    assert row is None, row


def test_each_row_is_shown_by_an_example() -> None:
    told = {Ruling.REFUSE: REFUSED, Ruling.REMARK: REMARKED}
    assert all(row.why in told[row.ruling] for row in ROWS)
    assert {row.why for row in ROWS} == REFUSED.keys() | REMARKED.keys()


def test_patterns_are_written_as_they_are_compared() -> None:
    assert [pattern for row in ROWS for pattern in row.patterns if pattern != pattern.lower()] == []


@pytest.mark.parametrize(
    "path", [".VSCode/tasks.json", ".vscode./tasks.json", ".vs\u200bcode/tasks.json", "\uff0eenvrc"]
)
def test_names_are_compared_as_the_most_forgiving_machine_does(examined: Examined, path: str) -> None:
    assert examined({}, {path: "x\n"}) != ()


def test_a_remark_says_nothing_of_the_rest_of_the_change() -> None:
    files = change_set(file_change("src/a.py", None, "x = 1\n"), file_change("LICENSE", None, "MIT\n")).files
    assert remarks(contents(files, lambda _: None)) == ("`LICENSE` says what people may do, or whom they turn to.",)
