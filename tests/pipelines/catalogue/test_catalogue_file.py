"""Reading bug-fix.yml: what is accepted, what presets give, and what errors say."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.catalogue.agent_profiles import READING
from pipelines.catalogue.file import CatalogueError, read
from pipelines.catalogue.format import schema
from pipelines.catalogue.future_keys import FUTURE_KEYS
from pipelines.catalogue.stack_presets import PRESETS, Preset
from pipelines.language import ProjectPath
from pipelines.language.catalogue import AgentTool, Catalogue
from pipelines.language.wire import decode, encode

MINIMAL = """\
version: 1
automation: {project: payk12/bug-fix}
jira:
  project: PL
  start: {allowed: ["account:5b10ac8d82e05b22cc7d4ef5"]}
repositories:
  contacts:
    project: payk12/contacts
    stack: python
"""


def said(text: str) -> str:
    with pytest.raises(CatalogueError) as error:
        read(text, source="bug-fix.yml")
    return str(error.value)


def test_a_minimal_catalogue_is_read_with_the_preset_resolved() -> None:
    catalogue = read(MINIMAL, source="bug-fix.yml")
    repository = catalogue.repositories[ProjectPath("payk12/contacts")]
    assert (repository.key, repository.agent, repository.stack) == ("contacts", "default", PRESETS[Preset.PYTHON])
    assert catalogue.jira.start.label == "bug-fix"
    assert len(catalogue.sha256) == 64


def test_our_own_sample_is_valid(root: Path) -> None:
    catalogue = read((root / "bug-fix.yml").read_text(), source="bug-fix.yml")
    assert list(catalogue.repositories) == ["payk12/api", "payk12/frontend", "payk12/legacy-api"]
    assert catalogue.agents["multi-repo-fixer"].limits.max_turns == 60
    assert catalogue.agents["nextjs-pro"].limits.max_turns == 40
    assert catalogue.policy.budget_usd.run == Decimal("6.00")
    assert catalogue.deploy.order == (("api",), ("frontend",), ("legacy-api",))
    assert catalogue.repositories[ProjectPath("payk12/legacy-api")].stack.tags == ("windows",)


def test_a_key_of_a_later_version_is_refused_with_what_happens_today() -> None:
    text = MINIMAL + "    version: {input: version}\npolicy:\n  on_push: pause\ndeploy: {verify: [{http: x}]}\n"
    later = "this key belongs to a later version; remove it"
    assert said(text).splitlines() == [
        f"bug-fix.yml:10: repositories.contacts.version: {later} (nothing is deployed yet)",
        f"bug-fix.yml:12: policy.on_push: {later} (what people push to a fix is left as it is)",
        f"bug-fix.yml:13: deploy.verify: {later} (nothing is deployed yet)",
    ]


@pytest.mark.parametrize("place", FUTURE_KEYS)
def test_no_key_of_a_later_version_is_in_the_format(place: str) -> None:
    described = schema()
    *sections, key = place.split(".")
    kind = described["$defs"]["CatalogueFile"]
    for name in sections:
        found = kind["additionalProperties"] if name == "*" else kind["properties"][name]
        reference = found.get("$ref") or found.get("anyOf", [{}])[0].get("$ref")
        kind = described["$defs"][reference.rpartition("/")[2]] if reference else found
    assert key not in kind["properties"]


def test_of_the_published_example_only_keys_of_later_versions_are_refused(root: Path) -> None:
    example = root / "../shared/examples/bug-fix.yml"
    if not example.exists():
        pytest.skip("the published example is not here")
    lines = [line for line in said(example.read_text()).splitlines() if "belongs to a later version" not in line]
    assert lines == []


@pytest.mark.parametrize("path", sorted(Path(__file__).resolve().parents[3].glob("sandbox/scenarios/*/bug-fix.yml")))
def test_every_scenario_has_a_valid_catalogue(path: Path) -> None:
    assert read(path.read_text(), source=path.name).repositories


def test_a_repository_overrides_its_preset_and_the_teams_changes_to_it() -> None:
    text = MINIMAL + (
        "    image: registry.example.com/python@sha256:abc\n"
        "    timeout: 1h 30m\n"
        "    services: ['postgres:17']\n"
        "    variables: {LOG_LEVEL: debug}\n"
        "    commands: {lint: ruff check}\n"
        "    reports: {junit: [out/*.xml]}\n"
        "stacks:\n"
        "  python: {image: 'registry.example.com/ours:1', commands: {test: make test}}\n"
    )
    stack = read(text, source="bug-fix.yml").repositories[ProjectPath("payk12/contacts")].stack
    assert (stack.image, stack.timeout) == ("registry.example.com/python@sha256:abc", "1h 30m")
    assert (stack.services, stack.junit) == (("postgres:17",), ("out/*.xml",))
    assert stack.variables == {**PRESETS[Preset.PYTHON].variables, "LOG_LEVEL": "debug"}
    assert (stack.commands.test, stack.commands.lint) == ("make test", "ruff check")
    assert stack.commands.install == PRESETS[Preset.PYTHON].commands.install


def test_a_team_adds_an_agent_by_an_entry_and_a_template() -> None:
    text = MINIMAL.replace("stack: python", "stack: python\n    agent: django-pro") + (
        "agents:\n"
        "  default: {model: claude-haiku-5-5, max_turns: 12}\n"
        "  django-pro: {max_cost_usd: 1.50, stacks: [python], tools: [read, grep, edit, bash]}\n"
        "  careful: {prompt: legacy-modernizer}\n"
        "  python-pro: {stacks: [python, nextjs]}\n"
    )
    templates = {"django-pro": "You are a Django engineer."}
    catalogue = read(text, source="bug-fix.yml", templates=templates)
    agent = catalogue.agents["django-pro"]
    assert (agent.model, agent.limits.max_turns, agent.limits.max_cost_usd) == ("claude-haiku-5-5", 12, Decimal("1.5"))
    assert (agent.profile, agent.stacks) == ("You are a Django engineer.", ("python",))
    assert agent.tools == (AgentTool.READ, AgentTool.GREP, AgentTool.EDIT, AgentTool.BASH)
    assert (catalogue.agents["careful"].prompt, catalogue.agents["careful"].profile) == ("legacy-modernizer", "")
    assert catalogue.agents["python-pro"].stacks == ("python", "nextjs")
    assert catalogue.agents["code-reviewer"].tools == READING


def test_a_changed_template_is_another_version_of_the_catalogue() -> None:
    text = MINIMAL + "agents: {mine: {}}\n"
    one, other = (read(text, source="x", templates={"mine": words}) for words in ("You.", "You!"))
    assert one.sha256 != other.sha256
    assert read(MINIMAL, source="x", templates={}).sha256 == read(MINIMAL, source="x").sha256


def test_a_catalogue_survives_its_way_over_the_wire() -> None:
    catalogue = read(MINIMAL, source="bug-fix.yml")
    assert decode(encode(catalogue), Catalogue) == catalogue


def test_every_change_of_the_file_is_another_version() -> None:
    assert read(MINIMAL, source="x").sha256 != read(MINIMAL + "# \n", source="x").sha256


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "stack: python",
            "stack: pyton",
            '9: repositories.contacts.stack: "pyton" is not known here; did you mean "py',
        ),
        (
            "    project:",
            "    projekt:",
            '8: repositories.contacts.projekt: there is no key "projekt" here; did you mean',
        ),
        ("    project: payk12/contacts\n", "", '7: repositories.contacts: the key "project" is missing; add it'),
        ("version: 1", "version: 2", "1: version: this must be 1, the only version there is, such as 1, it is 2"),
        ("version: 1", "version: 0x1", "1: version: 0x1 is read as int; write it in plain digits"),
        ("project: PL", "project: pl", '4: jira.project: "pl" is not a Jira project\'s key'),
        ("account:5b", "5b", '5: jira.start.allowed[0]: "5b10ac8d82e05b22cc7d4ef5" says nobody; write "account:ID"'),
        ('["account:5b10ac8d82e05b22cc7d4ef5"]', "[]", "5: jira.start.allowed: nobody may start a run; name people"),
        (
            "payk12/contacts",
            "payk12/bug-fix",
            "8: repositories.contacts.project: payk12/bug-fix is the automation project",
        ),
        ("payk12/contacts", "contacts", '8: repositories.contacts.project: "contacts" is not a GitLab project'),
        (
            "stack: python",
            "stack: python\n    timeout: 90",
            "10: repositories.contacts.timeout: this must be a duration",
        ),
        (
            "stack: python",
            "stack: python\n    timeout: 1 day",
            '10: repositories.contacts.timeout: "1 day" is not a dur',
        ),
        (
            "stack: python",
            "stack: python\n    agent: dotnet",
            '10: repositories.contacts.agent: there is no agent "dotnet"',
        ),
        (
            "stack: python",
            "stack: python\n    agent: nextjs-pro",
            "10: repositories.contacts.agent: nextjs-pro works on nextjs, and this repository is python; name another",
        ),
        (
            "stack: python",
            "stack: python\n    agent: code-reviewer",
            "10: repositories.contacts.agent: code-reviewer can't write files, so it can't implement; name another",
        ),
        (
            "repositories:\n",
            "agents: {go-pro: {max_turns: 9}}\nrepositories:\n",
            "6: agents.go-pro: the template of this agent is missing; write templates/prompts/agents/go-pro.md.j2 bes",
        ),
        (
            "repositories:\n",
            "agents: {go-pro: {prompt: gopher}}\nrepositories:\n",
            "6: agents.go-pro.prompt: the template of this agent is missing; write templates/prompts/agents/gopher.",
        ),
        (
            "repositories:\n",
            "agents: {python-pro: {tools: []}}\nrepositories:\n",
            "6: agents.python-pro.tools: without tools the agent can't work",
        ),
        (
            "repositories:\n",
            "agents: {python-pro: {tools: [browse]}}\nrepositories:\n",
            '6: agents.python-pro.tools[0]: "browse" is not known here',
        ),
        (
            "stack: python",
            "stack: python\n    tags: linux",
            "10: repositories.contacts.tags: this must be a list, it is l",
        ),
        (
            "stack: python",
            "stack: python\n    image: $IMAGE",
            '10: repositories.contacts.image: "$IMAGE" is not an image',
        ),
        ("stack: python", 'stack: python\n    image: "a\\n"', '10: repositories.contacts.image: "a\n" is not an image'),
        (
            "stack: python",
            "stack: python\n    cache: [node_modules]",
            '[0]: "node_modules" is not kept; caches lie below',
        ),
        ("stack: python", "stack: python\n    cache: [.cache/../..]", '[0]: ".cache/../.." is not a path or glob'),
        (
            "stack: python",
            "stack: python\n    variables: {CI_JOB_TOKEN: x}",
            '"CI_JOB_TOKEN" is not a variable\'s name',
        ),
        (
            "stack: python",
            "stack: python\n    variables: {A: yes}",
            "variables.A: this must be text, which may be empty, such as debug, it is true",
        ),
        (
            "stack: python",
            "stack: python\n    secrets_allowed: [{reason: it is only for tests}]",
            "10: repositories.contacts.secrets_allowed[0]: this allows secrets in every file; name `paths`, or",
        ),
        (
            "stack: python",
            "stack: python\n    secrets_allowed: [{reason: tests, paths: [tests/**]}]",
            '10: repositories.contacts.secrets_allowed[0].reason: "tests" does not say why this gives nothing away',
        ),
        (
            "stack: python",
            "stack: python\n    secrets_allowed: [{paths: [tests/**]}]",
            '10: repositories.contacts.secrets_allowed[0]: the key "reason" is missing; add it',
        ),
        (
            "stack: python",
            "stack: python\n    secrets_allowed: [{reason: it is only for tests, sha256: abc}]",
            '10: repositories.contacts.secrets_allowed[0].sha256: "abc" is not a SHA-256 of 64 lower-case',
        ),
        ("stack: python", "stack: python\n    serve: {run: x, ready: /health}", 'ready: "/health" is not an address'),
        ("stack: python", "stack: python\n    stack: nextjs", "this key stands here twice (first in line 9); keep one"),
        ("stack: python", "stack: !!python/name:os.system", "write it in plain digits, or as text in quotes"),
        (
            "repositories:\n",
            "policy: {iterations: 0}\nrepositories:\n",
            "6: policy.iterations: 0 is not between 1 and 10",
        ),
        (
            "repositories:\n",
            "policy: {merge: when_approved, approvals: 0}\nrepositories:\n",
            "6: policy.approvals: 0 is not between 1 and 10",
        ),
        (
            "repositories:\n",
            "policy: {budget_usd: {day: 1}}\nrepositories:\n",
            "a day's budget is smaller than a run's",
        ),
        (
            "repositories:\n",
            "deploy: {order: [[web]]}\nrepositories:\n",
            "6: deploy.order[0][0]: there is no repository",
        ),
    ],
)
def test_an_error_names_line_and_key_and_says_what_to_do(before: str, after: str, sentence: str) -> None:
    assert sentence in said(MINIMAL.replace(before, after, 1))


def test_errors_are_reported_together_in_the_files_order() -> None:
    text = MINIMAL.replace("version: 1", "version: one").replace("stack: python", "stack: cobol").replace("PL", "[]")
    lines = said(text).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "4", "9"]


def test_one_project_belongs_to_one_repository() -> None:
    text = MINIMAL + "  again:\n    project: payk12/contacts\n    stack: python\n"
    assert '11: repositories.again.project: payk12/contacts is the project of "contacts" already' in said(text)
    other_case = text.replace("    project: payk12/contacts\n", "    project: PayK12/Contacts\n")
    assert 'PayK12/Contacts is the project of "contacts" already' in said(other_case)
    automation = MINIMAL + "  ours:\n    project: PAYK12/bug-fix\n    stack: python\n"
    assert "PAYK12/bug-fix is the automation project already" in said(automation)


def test_what_is_not_yaml_says_where() -> None:
    assert said("version: [1\nautomation: {}\n").startswith("bug-fix.yml:2: this is not YAML: ")


def test_an_empty_file_is_refused() -> None:
    assert said("") == (
        "bug-fix.yml:1: this must be a section with keys (version, automation, jira, repositories, policy, commands, "
        "agents, stacks, deploy, healing), it is empty; write `key: value` below it"
    )


def test_aliases_cannot_blow_up() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    assert "too large or contains itself" in said(bomb)
    assert "too large or contains itself" in said("a: &a [*a]")


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!|>'\"#% \n\t\u2028$0x1.~", max_size=60))
def test_no_text_crashes_the_reader(text: str) -> None:
    with pytest.raises(CatalogueError):
        read(text, source="bug-fix.yml")


SERVE = "run: run, ready: 'http://127.0.0.1:$PORT/'"


@pytest.mark.parametrize(
    ("contacts", "others", "sentence"),
    [
        ("with: [ap]", {"api": ""}, '10: repositories.contacts.serve.with[0]: there is no other repository "ap"; did'),
        ("with: [contacts]", {}, "there is no other repository"),
        ("with: [api]", {"api": None}, 'serve.with[0]: "api" has no `serve`; say there how it is started'),
        ("with: [api]", {"api": "with: [contacts]"}, "none of contacts → api → contacts can be the first to start"),
        ("with: [an-api, an.api]", {"an-api": "", "an.api": ""}, "two of them would be found at $AN_API_URL; rename"),
    ],
)
def test_what_is_served_beside_can_be_served_and_found(
    contacts: str, others: dict[str, str | None], sentence: str
) -> None:
    text = MINIMAL + f"    serve: {{{SERVE}, {contacts}}}\n"
    for key, more in others.items():
        text += f"  {key}: {{project: payk12/{key}, stack: python"
        text += "}\n" if more is None else f", serve: {{{SERVE}, {more or 'with: []'}}}}}\n"
    assert sentence in said(text)
