"""What a configuration means, and what GitLab would refuse, as tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.ci import limits
from sandbox.ci.configuration.compilation import EMPTY, FILTERED, Context, Source, compile_pipeline
from sandbox.ci.configuration.definition import PipelineDefinition, When
from sandbox.ci.configuration.expansion import Variable
from sandbox.ci.configuration.keywords import JOB_KEYS, UNSUPPORTED
from sandbox.ci.errors import ConfigError, PipelineRefused

ROOT = Path(__file__).parents[3]


def compiled(text: str, *, inputs: dict[str, Any] | None = None, **context: Any) -> PipelineDefinition:
    files = context.pop("files", {})
    return compile_pipeline(
        [Source(text=text, inputs=inputs or {})],
        context=Context(predefined={"CI_PIPELINE_SOURCE": "api"}, resolve=files.get, **context),
    )


def job(text: str, name: str = "a", **more: Any) -> Any:
    return next(one for one in compiled(text, **more).jobs if one.name == name)


WRONG = {
    "no job": (".hidden: {script: x}", "at least one visible job"),
    "no script": ("a: {stage: test}", "jobs:a config should implement the script:, run:, or trigger: keyword"),
    "unknown keyword": ("a: {script: x, bogus: 1}", "jobs:a config contains unknown keys: bogus"),
    "keyword of GitLab's that is not emulated": (
        "a: {script: x, release: {tag_name: v1}}",
        "jobs:a: the CI emulator does not support `release`",
    ),
    "only": ("a: {script: x, only: [main]}", "jobs:a: the CI emulator does not support `only`"),
    "deprecated global": ("image: x\na: {script: x}", "the CI emulator does not support `image` at the root"),
    "unknown stage": ("a: {script: x, stage: nowhere}", "a job: chosen stage nowhere does not exist"),
    "coverage report of another format": (
        "a: {script: x, artifacts: {reports: {coverage_report: {coverage_format: lcov, path: lcov.info}}}}",
        "jobs:a:artifacts:reports:coverage_report:coverage_format config: Invalid enum value 'lcov'",
    ),
    "script of numbers": ("a: {script: [1]}", "jobs:a:script config should be a string or a nested array"),
    "undefined need": ("a: {script: x, needs: [b]}", "a job: undefined need: b"),
    "need that rules removed": (
        "a: {script: x, needs: [b]}\nb: {script: x, rules: [{when: never}]}",
        "'a' job needs 'b' job, but 'b' does not exist in the pipeline",
    ),
    "need of a later stage": (
        "a: {script: x, stage: build, needs: [b]}\nb: {script: x, stage: test}",
        "a job: need b is not defined in current or prior stages",
    ),
    "cycle": (
        "a: {script: x, needs: [b]}\nb: {script: x, needs: [a]}",
        "The pipeline has circular dependencies",
    ),
    "dependency outside of needs": (
        "a: {script: x, stage: build}\nb: {script: x, needs: [], dependencies: [a]}",
        "dependency a should be part of needs",
    ),
    "script in a trigger job": (
        "a: {script: x, trigger: {include: [{local: c.yml}]}}",
        "jobs:a config contains unknown keys: script (it is a trigger job)",
    ),
    "trigger.include as a hash": (
        "a: {trigger: {include: {artifact: c.yml, job: b}}}",
        "jobs:a:trigger:include config",
    ),
    "too many trigger includes": (
        "a: {trigger: {include: [{local: 1.yml}, {local: 2.yml}, {local: 3.yml}, {local: 4.yml}]}}",
        "maximum is 3",
    ),
    "multi-project trigger": ("a: {trigger: other/project}", "does not support multi-project"),
    "artifact that is no YAML": (
        "a: {trigger: {include: [{artifact: c.txt, job: b}]}}",
        "does not have YAML extension",
    ),
    "bad expression": ("a: {script: x, rules: [{if: '$A ==== 1'}]}", "invalid expression syntax"),
    "bad duration": ("a: {script: x, timeout: soon}", "jobs:a:timeout should be a duration"),
    "too many retries": ("a: {script: x, retry: 3}", "retry max must be less than or equal to 2"),
    "missing include": ("include: [{local: none.yml}]\na: {script: x}", "Local file `none.yml` does not exist!"),
    "remote include": ("include: [{remote: https://x/y.yml}]\na: {script: x}", "supports `local` only"),
    "extends of nothing": ("a: {extends: .b, script: x}", "a: unknown keys in `extends` (.b)"),
    "extends in a circle": (".b: {extends: .c}\n.c: {extends: .b}\na: {extends: .b, script: x}", "circular dependency"),
    "reference to nothing": ("a: {script: !reference [.b, script]}", "could not be found"),
    "reference in a circle": (
        ".b: {script: !reference [.c, script]}\n.c: {script: !reference [.b, script]}\na: {script: x}",
        "circular chain",
    ),
    "circular variables": (
        "a: {script: x, variables: {A: $B, B: $A}}",
        "circular variable reference detected: ['A', 'B']",
    ),
    "reserved name": ("'true': {script: x}", "name is reserved"),
    "aliases that blow up": (
        "x: &x [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"y{n}: &y{n} [{', '.join([f'*y{n - 1}' if n else '*x'] * 10)}]\n" for n in range(6)),
        "The parsed YAML is too big",
    ),
    "too deep": ("a: " + "[" * 120 + "]" * 120, "The parsed YAML is too deep"),
    "workflow keyword": ("workflow: {title: x}\na: {script: x}", "workflow config"),
    "parallel 0": ("a: {script: x, parallel: 0}", "jobs:a:parallel should be between 1 and 200"),
    "stray document": ("a: {script: x}\n---\nb: {script: x}", "must begin with a `spec` header"),
}


@pytest.mark.parametrize(("text", "complaint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_configuration_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        compiled(text)
    assert complaint in str(refusal.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        compiled("a: {stage: test}\nb: {script: x, bogus: 1}")
    assert len(refusal.value.errors) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {script: x, rules: [{when: never}]}", EMPTY),
        ("a: {script: x, stage: .pre}", EMPTY),
        ("workflow: {rules: [{if: '$CI_PIPELINE_SOURCE == \"push\"'}]}\na: {script: x}", FILTERED),
    ],
)
def test_a_configuration_without_a_pipeline_says_so(text: str, message: str) -> None:
    with pytest.raises(PipelineRefused, match=message[:40]):
        compiled(text)


def test_needs_are_limited_to_fifty_instances() -> None:
    text = "p: {stage: build, script: x, parallel: %d}\na: {script: x, needs: [p]}"
    assert len(job(text % 50).needs) == 50
    with pytest.raises(ConfigError, match="one job can only need 50 others, but you have listed 51"):
        compiled(text % 51)


def test_a_needed_name_may_have_128_characters_and_any_255() -> None:
    for length, fine in [(128, True), (129, False)]:
        text = json.dumps({"n" * length: {"script": "x"}, "a": {"script": "x", "needs": ["n" * length]}})
        if fine:
            assert compiled(text)
        else:
            with pytest.raises(ConfigError, match="maximum is 128"):
                compiled(text)
    assert compiled(json.dumps({"n" * 255: {"script": "x"}}))
    with pytest.raises(ConfigError, match="maximum is 255"):
        compiled(json.dumps({"n" * 256: {"script": "x"}}))


def test_a_file_over_two_megabytes_is_refused() -> None:
    with pytest.raises(ConfigError, match="too big"):
        compiled("a: {script: x}\n#" + "x" * limits.YAML_BYTES)


def test_matrix_jobs_are_named_as_gitlab_names_them() -> None:
    text = "a: {script: x, parallel: {matrix: [{R: [g/api, g/web], S: py}, {R: last, S: 3}]}}"
    assert [one.name for one in compiled(text).jobs] == ["a: [g/api, py]", "a: [g/web, py]", "a: [last, 3]"]
    assert [one.name for one in compiled("a: {script: x, parallel: 2}").jobs] == ["a 1/2", "a 2/2"]


def test_one_instance_of_a_matrix_can_be_needed() -> None:
    text = """
m: {stage: build, script: x, parallel: {matrix: [{R: [one, two]}]}}
a: {script: x, needs: [{job: m, parallel: {matrix: [{R: two}]}}]}
b: {script: x, needs: ["m: [one]"]}
"""
    assert [need.job for need in job(text).needs] == ["m: [two]"]
    assert [need.job for need in job(text, "b").needs] == ["m: [one]"]


def test_inputs_are_interpolated_as_text_and_other_types_as_json() -> None:
    text = """
spec:
  inputs:
    word: {}
    count: {type: number, default: 3}
    flag: {type: boolean, default: true}
    list: {type: array}
    pick: {options: [x, y], default: x}
---
workflow: {name: "$[[ inputs.word ]]"}
a:
  script: ["echo $[[ inputs.word ]] $[[inputs.count]]"]
  interruptible: $[[ inputs.flag ]]
  parallel: {matrix: $[[ inputs.list ]]}
"""
    made = compiled(text, inputs={"word": "PL-479 · iteration 1", "list": [{"R": ["g/p"]}]})
    assert made.name == "PL-479 · iteration 1"
    assert made.jobs[0].name == "a: [g/p]"
    assert made.jobs[0].script == ("echo PL-479 · iteration 1 3",)
    assert made.jobs[0].interruptible
    with pytest.raises(ConfigError, match="not in the list of allowed options"):
        compiled(text, inputs={"word": "w", "list": [], "pick": "z"})


def test_a_text_input_can_change_the_yaml_as_in_gitlab() -> None:
    text = "spec: {inputs: {word: {}}}\n---\na: {script: x, variables: {W: $[[ inputs.word ]]}}"
    assert job(text, inputs={"word": "v, X: y"}).variables["X"].value == "y"


def test_includes_lie_below_and_take_inputs() -> None:
    files = {
        "templates/ci/base.yml": "spec: {inputs: {who: {default: nobody}}}\n---\n"
        ".base: {script: [echo $[[ inputs.who ]]], variables: {A: below, B: below}}\nstages: [from-include]",
    }
    text = """
include: [{local: /templates/ci/base.yml, inputs: {who: me}}]
stages: [own]
a: {extends: .base, stage: own, variables: {B: above}}
"""
    made = job(text, files=files)
    assert made.script == ("echo me",)
    assert {name: one.value for name, one in made.variables.items()} == {"A": "below", "B": "above"}


def test_extends_merges_hashes_and_replaces_arrays() -> None:
    text = """
.one: {variables: {A: "1", B: "1"}, script: [one], tags: [x, y]}
.two: {variables: {B: "2"}, tags: [z]}
a: {extends: [.one, .two], variables: {C: "3"}}
"""
    made = job(text)
    assert {name: one.value for name, one in made.variables.items()} == {"A": "1", "B": "2", "C": "3"}
    assert (made.script, made.tags) == (("one",), ("z",))


def test_references_flatten_in_scripts_and_rules() -> None:
    text = """
.s: {script: [one, two], rules: [{if: '$NO'}, {when: manual}]}
a: {script: [zero, !reference [.s, script]], rules: [!reference [.s, rules]]}
"""
    assert job(text).script == ("zero", "one", "two")
    assert job(text).when is When.MANUAL


def test_defaults_fill_what_a_job_lacks_unless_it_does_not_inherit() -> None:
    text = """
default: {timeout: 10 minutes, tags: [d], before_script: [first]}
variables: {G: global, H: other}
a: {script: x, tags: []}
b: {script: x, inherit: {default: [timeout], variables: [H]}}
"""
    assert (job(text).timeout_s, job(text).tags, job(text).before_script) == (600, (), ("first",))
    made = job(text, "b")
    assert (made.timeout_s, made.before_script, list(made.variables)) == (600, (), ["H"])


RULES = [
    ("rules: [{if: '$X', when: manual}]", {"X": "1"}, (When.MANUAL, False)),
    ("when: manual", {}, (When.MANUAL, True)),
    ("rules: [{if: '$X', allow_failure: true}]", {"X": "1"}, (When.ON_SUCCESS, True)),
    ("when: always, rules: [{if: '$X'}]", {"X": "1"}, (When.ALWAYS, False)),
    ("allow_failure: true, rules: [{when: on_failure}]", {}, (When.ON_FAILURE, True)),
]


@pytest.mark.parametrize(("keywords", "given", "expected"), RULES)
def test_the_first_rule_that_applies_decides(keywords: str, given: dict[str, str], expected: Any) -> None:
    made = job(
        f"a: {{script: x, {keywords}}}",
        pipeline_variables={name: Variable(value=value) for name, value in given.items()},
    )
    assert (made.when, made.allow_failure) == expected


def test_rules_see_files_changes_and_their_own_variables() -> None:
    text = """
exists: {script: x, rules: [{exists: ["src/**/*.py"], variables: {FOUND: "yes"}}]}
missing: {script: x, rules: [{exists: ["*.rs"]}]}
touched: {script: x, rules: [{changes: ["src/*"]}]}
untouched: {script: x, rules: [{changes: {paths: [docs/**/*]}}]}
"""
    made = compiled(text, paths=lambda: ("src/a/b.py",), changed=frozenset({"src/x"}))
    assert [one.name for one in made.jobs] == ["exists", "touched"]
    assert made.jobs[0].variables["FOUND"].value == "yes"
    assert [one.name for one in compiled(text, paths=lambda: ("src/a/b.py",)).jobs] == [
        "exists",
        "touched",
        "untouched",
    ]


def test_every_keyword_of_gitlabs_schema_is_supported_or_refused_by_name() -> None:
    schema = ROOT.parent / "shared/contracts/gitlab-ci-schema/gitlab-ci.schema.json"
    if not schema.is_file():
        pytest.skip("GitLab's CI schema is not at hand")
    properties = json.loads(schema.read_text())["definitions"]["job_template"]["properties"]
    known = JOB_KEYS | UNSUPPORTED | {"trigger", "extends"}
    assert set(properties) <= known, "GitLab knows keywords that the emulator neither supports nor refuses by name"
