"""Files that a repository's own CI includes or runs, found in its configuration at the base commit."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from pipelines.patch import Change, Changed, folders_of, remarks
from pipelines.patch.ci_files import CiFiles, CiSetting, ci_files, ci_setting, included_files

Examined = Callable[..., tuple[str, ...]]
ROOT = ".gitlab-ci.yml"


def known(files: dict[str, str]) -> CiFiles:
    held = {path: dedent(text).encode() for path, text in files.items()}
    return ci_files(held.get, folders_of(held))


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("include: ci/build.yml\n", "ci/build.yml"),
        ("include: /ci/build.yml\n", "ci/build.yml"),
        ("include:\n  - local: ci/build.yaml\n    rules: [{if: $CI}]\n", "ci/build.yaml"),
        ("include: [{project: a/b, file: x.yml}, ci/build.yml, {template: Jobs/SAST.gitlab-ci.yml}]\n", "ci/build.yml"),
        ("include: '*.yml'\n", "new.yml"),
        ("include: {local: 'ci/*.yml'}\n", "ci/new.yml"),
        ("include: {local: 'ci/**.yml'}\n", "ci/deep/er/new.yml"),
        ("include: {local: 'ci/$STACK/build.yml'}\n", "ci/python/build.yml"),
        ("include: {local: 'ci/${STACK}.yml'}\n", "ci/python.yml"),
        ("child:\n  trigger:\n    include: ci/child.yml\n", "ci/child.yml"),
        ("child:\n  trigger:\n    include:\n      - local: ci/child.yml\n    strategy: depend\n", "ci/child.yml"),
        (".a:\n  script: !reference [.b, script]\ninclude: ci/build.yml\n", "ci/build.yml"),
        ("spec:\n  inputs: {}\n---\ninclude: ci/build.yml\n", "ci/build.yml"),
    ],
)
def test_a_file_that_the_ci_includes_is_refused_new_or_changed(examined: Examined, root: str, path: str) -> None:
    for before in ({ROOT: root}, {ROOT: root, path: "a: {script: [make]}\n"}):
        (sentence,) = examined(before, {path: "a: {script: [env]}\n"})
        assert sentence.startswith(f"`{path}` belongs to the repository's own CI (`.gitlab-ci.yml` includes it)")


def test_what_an_included_file_includes_or_triggers_is_refused_too(examined: Examined) -> None:
    before = {
        ROOT: "include: 'ci/*.yml'\n",
        "ci/a.yml": "include: {local: jobs/lint.yml}\n",
        "jobs/lint.yml": "deploy: {trigger: {include: [{local: /jobs/deploy.yml}]}}\n",
        "jobs/deploy.yml": "b: {extends: .base, script: [make]}\n",
        "jobs/other.yml": "c: 1\n",
    }
    assert "belongs to the repository's own CI" in examined(before, {"jobs/deploy.yml": "b: {script: [env]}\n"})[0]
    assert examined(before, {"jobs/other.yml": "c: 2\n"}) == ()


@pytest.mark.parametrize(
    "root",
    [
        *(
            "",
            "include: https://example.org/ci/x.yml\n",
            "include: {project: a/b, file: /ci/x.yml}\n",
            "a: [\n",
            "- 1\n",
        ),
        *("include: 3\n", "include: {remote: 'https://example.org/ci/x.yml'}\n", "child: {trigger: a/b}\n"),
        *("variables: {include: ci/x.yml}\n", "include: ../ci/x.yml\n", "include: ci/../ci/x.yml\n"),
    ],
)
def test_other_files_are_not(examined: Examined, root: str) -> None:
    assert examined({ROOT: root}, {"ci/x.yml": "a: {script: [make]}\n"}) == ()


@pytest.mark.parametrize(
    "include", ["$FILE", "/$FILE", "$FOLDER/$FILE", "${NAME}.yml", "$FOLDER/*.yml", "$[[ inputs.file ]]"]
)
@pytest.mark.parametrize(
    ("path", "text", "refusals"),
    [
        ("any/thing.yml", "a: {script: [make]}\n", 1),
        ("any/thing.yml", "b: {trigger: group/project}\n", 1),
        ("any/thing.yml", "c: {extends: .base}\n", 1),
        ("any/thing.yml", "stages: [build]\n", 1),
        ("any/thing.yml", "include: other.yml\n", 1),
        ("any/thing.yml", "workflow: {rules: []}\n", 1),
        ("any/thing.yml", "variables: {A: b}\n", 1),
        ("any/thing.yml", "spec: {inputs: {}}\n---\n.a: {}\n", 1),
        ("any/thing.yml", "- 1\n---\na: {script: [make]}\n", 1),
        ("any/openapi.yml", "openapi: 3.1.0\npaths: {/a: {get: {}}}\n", 0),
        ("any/de.yml", "de: {title: {script: Skript}}\n", 0),
        ("any/deployment.yml", "kind: Deployment\nspec: {replicas: 2}\n", 0),
        ("any/compose.yml", "services: {db: {ports: [80]}}\n", 0),
        ("any/list.yml", "- script\n", 0),
        ("any/odd.yml", "1: 2\nnull: 3\n", 0),
        ("src/a.py", "script = 1\n", 0),
    ],
)
def test_a_file_that_only_a_variable_names_is_refused_where_it_looks_like_ci(
    examined: Examined, include: str, path: str, text: str, refusals: int
) -> None:
    root = f"include: {{local: '{include}'}}\n"
    for before, after in (({}, text), ({path: text}, f"# x\n{text}"), ({path: text}, "other: 1\n")):
        found = examined({ROOT: root} | before, {path: after})
        assert [one.startswith(f"`{path}` looks like CI configuration") for one in found] == [True] * refusals


def test_variables_of_the_file_itself_name_no_include(examined: Examined) -> None:
    before = {ROOT: "variables: {FILE: ci/a.yml}\ninclude: $FILE\n"}
    assert examined(before, {"ci/b.yml": "b: {script: [env]}\n"}) != ()


def test_a_variable_leads_to_what_the_files_that_it_may_name_include(examined: Examined) -> None:
    before = {
        ROOT: "include: $FILE\n",
        "ci/a.yml": "include: jobs/plain.yml\n",
        "api.yml": "paths: {include: api/parts.yml}\n",
        "jobs/plain.yml": ".a: {image: alpine}\n",
    }
    assert "includes it" in examined(before, {"jobs/plain.yml": ".a: {image: debian}\n"})[0]
    assert examined(before, {"api/parts.yml": "b: 1\n"}) == ()


def test_the_base_commit_decides_and_not_the_change(examined: Examined) -> None:
    before = {ROOT: "include: ci/a.yml\n", "ci/a.yml": "include: ci/b.yml\n", "ci/b.yml": "b: 1\n"}
    found = examined(before, {"ci/a.yml": "b: 2\n", "ci/b.yml": "b: 2\n"})
    assert len([sentence for sentence in found if "includes it" in sentence]) == 2


@pytest.mark.parametrize("key", ["script", "before_script", "after_script"])
def test_a_file_that_ci_runs_is_remarked(key: str) -> None:
    found = known(
        {
            ROOT: "include: ci/a.yml\n",
            "ci/a.yml": f"a:\n  {key}:\n    - |\n      set -e\n      ./tools/check.py --all\n",
        }
    )
    changed = tuple(
        Changed(path=path, change=Change.MODIFIED, before="a\n", after="b\n")
        for path in ("tools/check.py", "tools/other.py")
    )
    assert remarks(changed, found) == ("`tools/check.py` is named in a script of the repository's own CI.",)


def test_all_that_jobs_run_or_trigger_is_found_in_whatever_order() -> None:
    found = known(
        {ROOT: "a: {script: [[./a.sh]], trigger: {include: ci/a.yml}}\nb: {script: ./b.sh}\nc: {script: [./c.sh]}\n"}
    )
    assert found == CiFiles(included=("ci/a.yml",), words=frozenset({"a.sh", "b.sh", "c.sh"}))


def test_no_more_files_are_read_than_gitlab_includes() -> None:
    read = []
    ci_files(lambda path: (read.append(path), f"include: a{len(read)}.yml\n".encode())[1], lambda _: ())
    assert read == [ROOT, *(f"a{number}.yml" for number in range(1, 150))]


def test_includes_in_a_circle_end() -> None:
    circle = {
        ROOT: "include: ci/a.yml\n",
        "ci/a.yml": "include: [ci/a.yml, ci/b.yml]\n",
        "ci/b.yml": "include: [$A, $B]\n",
    }
    assert known(circle) == CiFiles(included=("ci/a.yml", "ci/b.yml"), by_variable=("**",))


def test_aliases_are_not_multiplied() -> None:
    lines = ["a0: &a0 {script: [x]}"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert known({ROOT: "\n".join(lines)}).words == {"x"}


@pytest.mark.parametrize(
    ("include", "folders"),
    [
        ("ci/gone/*.yml", ["", "ci"]),
        ("ci/*.yml", ["", "ci"]),
        ("ci/**.yml", ["", "ci", "ci/deep"]),
        ("a.py/*.yml", [""]),
        ("*.yml", [""]),
    ],
)
def test_only_folders_that_a_pattern_means_and_that_are_there_are_asked_for(include: str, folders: list[str]) -> None:
    held = dict.fromkeys(("a.py", "ci/deep/x.yml", "src/a.py"), b"") | {ROOT: f"include: '{include}'\n".encode()}
    asked = []
    there = folders_of(held)
    ci_files(held.get, lambda folder: (asked.append(folder), there(folder))[1])
    assert asked == folders


@pytest.mark.parametrize("path", ["../x.yml", "ci//x.yml", "ci/./x.yml", "ci/x\\n.yml", "/", "a" * 600 + ".yml", "ci"])
def test_nothing_is_read_by_an_odd_path(path: str) -> None:
    read = []
    ci_files(
        lambda name: (read.append(name), f'include: "{path}"\n'.encode() if name == ROOT else None)[1], lambda _: ()
    )
    assert read == [ROOT]


@pytest.mark.parametrize(
    ("setting", "meant"),
    [
        ("", CiSetting()),
        ("ci/main.yml", CiSetting(root="ci/main.yml")),
        ("/ci/main", CiSetting(root="ci/main")),
        ("main.yml@Team/Shop", CiSetting(root="main.yml")),
        ("main.yml@team/shop:refs/heads/main", CiSetting(root="main.yml")),
        ("main.yml@team/pipelines", CiSetting(is_elsewhere=True)),
        ("https://ci.example.org/main.yml", CiSetting(is_elsewhere=True)),
    ],
)
def test_the_setting_of_the_configurations_path_is_read(setting: str, meant: CiSetting) -> None:
    assert ci_setting(setting, "team/shop") == meant


CONFIGURED = {"ci/main": "include: ci/a.yml\ntests: {script: [./scripts/a.sh]}\n", "ci/a.yml": "include: [b.yml]\n"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ci/main", "is the configuration of the repository's own CI"),
        ("ci/a.yml", "belongs to the repository's own CI (`ci/main` includes it)"),
        ("b.yml", "belongs to the repository's own CI (`ci/main` includes it)"),
    ],
)
def test_the_file_that_the_setting_names_and_what_it_includes_are_refused(path: str, words: str) -> None:
    found = configured(CONFIGURED, "ci/main@team/shop")
    (sentence,) = included_files([changed(path, CONFIGURED.get(path, ""), "a: {script: [env]}\n")], found)
    assert sentence.startswith(f"`{path}` {words}")
    assert "scripts/a.sh" in found.words


def test_configuration_of_another_project_may_include_anything_that_looks_like_it() -> None:
    found = configured({}, "main.yml@team/pipelines")
    script, other = changed("x.py", "", "pass\n"), changed("y.yml", "", "a: {b: c}\n")
    job = changed("x.yml", "", "a: {script: [env]}\n")
    assert list(included_files([job], CiFiles())) == []
    (sentence,) = included_files([script, other, job], found)
    assert sentence.startswith("`x.yml` looks like CI configuration, and the repository's own CI begins in a file")


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 100_000, "{a: " * 100_000, "a: &a\n  - *a\n"])
def test_configuration_that_nests_without_end_ends_nothing(text: str) -> None:
    assert list(included_files([changed("x.yml", "", text)], configured({}, "main.yml@team/pipelines"))) == []


def configured(files: dict[str, str], setting: str) -> CiFiles:
    held = {path: text.encode() for path, text in files.items()}
    return ci_files(held.get, folders_of(held), ci_setting(setting, "team/shop"))


def changed(path: str, before: str, after: str) -> Changed:
    return Changed(path=path, change=Change.MODIFIED if before else Change.ADDED, before=before, after=after)
