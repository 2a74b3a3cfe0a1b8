"""Templates of a team's own agents, beside its catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.cli import command
from receiver.jobs.agent_templates import BUILT_IN, FOLDER, LONGEST, AgentTemplateError, read
from receiver.settings import SettingsError

CATALOGUE = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
agents: {django-pro: {stacks: [python]}}
repositories: {shop: {project: payk12/shop, stack: python, agent: django-pro}}
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir(parents=True)
    path = tmp_path / "bug-fix.yml"
    path.write_text(CATALOGUE)
    return path


def put(catalogue: Path, name: str, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    (catalogue.parent / FOLDER / name).write_bytes(data)


def test_a_template_beside_the_catalogue_becomes_the_agents_profile(catalogue: Path) -> None:
    put(catalogue, "django-pro.md.j2", "You know Django, and {{ repository }}.")
    agent = command.catalogue(str(catalogue)).agents["django-pro"]
    assert agent.profile == "You know Django, and {{ repository }}."


def test_without_its_template_the_catalogue_is_refused(catalogue: Path) -> None:
    with pytest.raises(Exception, match=r"bug-fix\.yml:4: agents\.django-pro: the template of this agent is missing"):
        command.catalogue(str(catalogue))


def test_a_checkout_with_the_built_in_templates_has_none_of_its_own(catalogue: Path) -> None:
    for template in BUILT_IN.iterdir():
        put(catalogue, template.name, template.read_bytes())
    assert read(catalogue) == {}
    put(catalogue, "python-pro.md.j2", "You are ours.")
    assert read(catalogue) == {"python-pro": "You are ours."}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("Django.md.j2", "You", "rename the file"),
        ("django-pro.md.j2", " \n", "the template is empty"),
        ("django-pro.md.j2", "x" * (LONGEST + 1), "a profile has at most 8000"),
        ("django-pro.md.j2", "You {{ are", "line 1 is not Jinja"),
        ("django-pro.md.j2", "You\n{{ phase | shout }}", "line 2 is not Jinja: No filter named 'shout'"),
        ("django-pro.md.j2", "{{ token }}", "there is no value token; there are issue_key, phase, repository, stack"),
        ("django-pro.md.j2", "{% include 'analysis.md.j2' %}", "a profile stands alone"),
        ("django-pro.md.j2", b"\xff", "can't be read"),
    ],
)
def test_what_would_fail_in_a_job_is_told_when_the_catalogue_is_read(
    catalogue: Path, name: str, text: str | bytes, sentence: str
) -> None:
    put(catalogue, name, text)
    with pytest.raises(AgentTemplateError) as error:
        read(catalogue)
    assert sentence in str(error.value)
    assert name in str(error.value)
    with pytest.raises(SettingsError):
        command.catalogue(str(catalogue))
