"""Seed a scenario's world and serve the emulators until told to stop; write `sandbox.json` once all ports answer."""

import asyncio
import json
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from sandbox import node_tools
from sandbox import scenario_format as scenarios
from sandbox.anthropic.app import create as create_anthropic
from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.instance.instance import Ci
from sandbox.emulators.gitlab_application import create as create_gitlab
from sandbox.gitlab.model import Access
from sandbox.gitlab.repository import Change
from sandbox.gitlab.seed import AUTOMATION as AUTOMATION_PROJECT
from sandbox.gitlab.seed import Person, Secrets, seed
from sandbox.gitlab.state import State
from sandbox.http.asgi_server import bind, serving
from sandbox.jira import app as jira_app
from sandbox.jira import seed as jira_seed
from sandbox.jira.hooks import Webhook
from sandbox.jira.site import Site
from sandbox.scenario_format import Flavour, Scenario
from sandbox.scenario_format.overlay import OverlayFile

_ROOT: Final = Path(__file__).resolve().parents[2]
AUTOMATION: Final = next(
    (folder for folder in (_ROOT, _ROOT / "pipelines" / "resources") if (folder / ".gitlab-ci.yml").is_file()), _ROOT
)
"""Holds the automation project's files: the checkout, or what a wheel installs."""
BASE_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
FROM_RUNNER: Final = ("BUG_FIX_BROWSER",)
"""Facts about the machine that runs jobs, passed on to them when they are set here: which browser there is."""
LEVELS: Final = {
    scenarios.Access.NONE: Access.NONE,
    scenarios.Access.GUEST: Access.GUEST,
    scenarios.Access.REPORTER: Access.REPORTER,
    scenarios.Access.DEVELOPER: Access.DEVELOPER,
    scenarios.Access.MAINTAINER: Access.MAINTAINER,
}


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen on the loopback interface; 0 takes a free port."""

    gitlab: int = 0
    jira: int = 0
    anthropic: int = 0


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve."""

    scenario: Scenario
    state: Path
    """Folder for repositories, job logs, artifacts and `sandbox.json`."""
    receiver: str
    """The receiver's URL, without a trailing slash: hooks go there."""
    ci_path: tuple[Path, ...] = ()
    """Folders put first on the PATH of CI jobs."""
    ports: Ports = Ports()
    page_size: int | None = None
    """At most so many entries on a page of GitLab's and Jira's lists; None: as the vendors have it."""
    automation: Path = AUTOMATION
    """Folder with `.gitlab-ci.yml` and `templates/ci/`, from which the automation project is seeded."""


async def serve(world: World, *, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `tell` gets a line for people now and then."""
    told = world.state / "sandbox.json"
    told.unlink(missing_ok=True)
    for folder in ("gitlab", "ci"):
        shutil.rmtree(world.state / folder, ignore_errors=True)
    world.state.mkdir(parents=True, exist_ok=True)
    listeners = {name: bind(port) for name, port in msgspec.to_builtins(world.ports).items()}
    urls = {name: url for name, (_, url) in listeners.items()}
    state = State(url=urls["gitlab"], root=world.state / "gitlab")
    gitlab = await _seed(state, world)
    jira, jira_facts, jira_people = _jira(world, urls["jira"])
    api_key = f"sk-ant-sandbox-{secrets.token_urlsafe(24)}"
    node = await asyncio.to_thread(node_tools.place, world.state / "node")
    settings = RunnerSettings(
        root=world.state / "ci",
        path=":".join([*map(str, [node] if node else []), *map(str, world.ci_path), BASE_PATH]),
        variables={name: os.environ[name] for name in FROM_RUNNER if name in os.environ},
    )
    apps = {
        "gitlab": create_gitlab(state, ci=Ci(state, settings), page_size=world.page_size),
        "jira": jira,
        "anthropic": create_anthropic(world.scenario, api_keys=[api_key]),
    }
    facts = {
        "gitlab": {
            **_gitlab_facts(gitlab, person_of(world.scenario)),
            "groups": ",".join(_groups(world.scenario)),
            "url": urls["gitlab"],
            "oidc_issuer": urls["gitlab"],
        },
        "jira": jira_facts,
        "anthropic": {"url": urls["anthropic"], "api_key": api_key},
        "scenario": world.scenario.name,
        "issue_key": world.scenario.issue_key,
        "people": {name: {**logins, "gitlab_token": gitlab.user_tokens[name]} for name, logins in jira_people.items()},
    }
    stop = _until_told()
    async with serving([(app, listeners[name][0]) for name, app in apps.items()]):
        _write(told, facts)
        for name, url in urls.items():
            tell(f"{name:<10} {url}")
        tell(f"facts      {told}")
        if node is None:
            tell("node       not installed, so jobs of a front end will fail: run scripts/setup")
        await stop.wait()
        tell("stopping")


async def _seed(state: State, world: World) -> Secrets:
    people = {
        username: Person(name=user.name, access=LEVELS[user.access]) for username, user in world.scenario.users.items()
    }
    return await seed(
        state,
        people=people,
        repositories=world.scenario.repositories,
        over={project: tuple(map(_change, files)) for project, files in world.scenario.overlays.items()},
        catalogue=world.scenario.catalogue,
        automation=world.automation,
        receiver=world.receiver,
        bot_access=LEVELS[world.scenario.gitlab.bot_access],
    )


def _change(file: OverlayFile) -> Change:
    return Change(path=file.path, content=file.content, mode="120000" if file.is_link else "100644")


def _groups(scenario: Scenario) -> list[str]:
    """Return the top groups of all projects, for each of which a hook's secret has to speak."""
    return sorted({path.partition("/")[0] for path in (AUTOMATION_PROJECT, *scenario.repositories)})


def _gitlab_facts(gitlab: Secrets, person: str) -> dict[str, str]:
    return {
        "person": person,
        "person_token": gitlab.user_tokens[person],
        "token": gitlab.token,
        "starter_token": gitlab.starter_token,
        "admin_token": gitlab.admin_token,
        "webhook_secret": gitlab.webhook_secret,
        "webhook_signing_token": gitlab.webhook_signing_token,
    }


def _jira(world: World, url: str) -> tuple[Any, dict[str, str], dict[str, dict[str, str]]]:
    scenario = world.scenario
    tokens = {name: secrets.token_urlsafe(24) for name in (jira_seed.BOT.username, *scenario.users)}
    site = jira_seed.site(scenario, url=url, tokens=tokens)
    secret = secrets.token_urlsafe(24)
    person = person_of(scenario)
    facts = {
        "url": url,
        "user": _login(site, jira_seed.BOT.username),
        "token": tokens[jira_seed.BOT.username],
        "webhook_secret": secret,
        "person": _login(site, person),
        "person_token": tokens[person],
    }
    people = {name: {"jira_login": _login(site, name), "jira_token": tokens[name]} for name in scenario.users}
    hooks = [Webhook(url=f"{world.receiver}/hooks/jira", secret=secret)]
    return jira_app.create(site, webhooks=hooks, page_size=world.page_size), facts, people


def _login(site: Site, username: str) -> str:
    person = site.people[username]
    return person.email if site.flavour is Flavour.CLOUD else person.username


def person_of(scenario: Scenario) -> str:
    """Choose who does what a person does in the demo: `mara`, else the first maintainer, else the first user."""
    maintainers = [name for name, user in scenario.users.items() if user.access is scenarios.Access.MAINTAINER]
    return next(iter([*(name for name in maintainers if name == "mara"), *maintainers, *scenario.users]))


def _until_told() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _write(file: Path, facts: Mapping[str, Any]) -> None:
    """Write the facts atomically, readable by the owner only because they hold tokens."""
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(facts, indent=2), encoding="utf-8")
    new.replace(file)
