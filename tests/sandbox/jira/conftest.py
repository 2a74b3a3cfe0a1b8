"""The emulated Jira on a real socket, seeded with PL-479; a receiver that records hooks; real `jira` clients."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx2
import jira
import msgspec
import pytest

from sandbox import scenario_format as scenarios
from sandbox.http import Application, Body, Request, Response, Route, Router
from sandbox.http.asgi_server import bind, in_thread
from sandbox.jira.app import create
from sandbox.jira.hooks import Webhook
from sandbox.jira.seed import site
from sandbox.jira.site import Site
from sandbox.scenario_format import Flavour, JiraTransition, JiraWorld, Scenario

SECRET = "hook secret"
TOKENS = {"bug-fix-bot": "bot-token", "mara": "mara-token", "dana": "dana-token"}


@dataclass
class Receiver:
    """Records what hooks bring, and answers with the statuses it is told, then with 202."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[Request] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, request: Request) -> Response:
        with self.changed:
            self.got.append(request)
            self.changed.notify_all()
            return Response(status=self.statuses.pop(0) if self.statuses else 202)

    def wait(self, count: int) -> list[Request]:
        """Wait until so many hooks have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, timeout=60), f"{len(self.got)} of {count} came"
            return list(self.got)

    def bodies(self, count: int) -> list[Any]:
        return [one.json() for one in self.wait(count)]


@dataclass
class Emulated:
    """The running emulator, with what a test needs to talk to it."""

    url: str
    site: Site
    receiver: Receiver
    closing: ExitStack

    def client(self, username: str = "bug-fix-bot", **more: Any) -> jira.JIRA:
        """Make a client of the `jira` package, as the product does."""
        person, token = self.site.people[username], TOKENS[username]
        how = {"basic_auth": (person.email, token)} if self.site.flavour is Flavour.CLOUD else {"token_auth": token}
        client = jira.JIRA(self.url, max_retries=0, **how, **more)
        self.closing.callback(client.close)
        return client

    def http(self, username: str = "bug-fix-bot") -> httpx2.Client:
        """Make a plain client with the credentials of Cloud."""
        return httpx2.Client(
            base_url=f"{self.url}/rest/api/2",
            auth=(self.site.people[username].email, TOKENS[username]),
            timeout=60,
        )

    def control(self, method: str, path: str, **body: Any) -> Any:
        answer = httpx2.request(method, f"{self.url}/_sandbox/{path}", json=body or None, timeout=60)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None


Start = Callable[..., Emulated]


@pytest.fixture(scope="session")
def story() -> Scenario:
    return scenarios.load(scenarios.find("pl-479"))


@dataclass
class Receivers:
    """One server for the receivers of all tests, each with a path of its own."""

    url: str
    known: dict[str, Receiver] = field(default_factory=dict)

    def new(self) -> Receiver:
        number = str(len(self.known))
        self.known[number] = Receiver(url=f"{self.url}/{number}")
        return self.known[number]

    def take(self, request: Request) -> Response:
        return self.known[request.params["number"]].take(request)


@pytest.fixture(scope="session")
def receivers() -> Iterator[Receivers]:
    socket, url = bind()
    made, router = Receivers(url=url), Router("receiver")
    router.include(made, (Route("POST", "/:number/hooks/jira", Receivers.take, body=Body.FREE),))
    with in_thread(Application(router), socket):
        yield made


def _begin(stack: ExitStack, receivers: Receivers, story: Scenario, world: JiraWorld) -> Emulated:
    receiver = receivers.new()
    socket, url = bind()
    made = site(msgspec.structs.replace(story, jira=world), url=url, tokens=TOKENS)
    webhook = Webhook(url=f"{receiver.url}/hooks/jira", secret=SECRET)
    app = create(made, webhooks=[webhook], retry_delays_s=(0.01, 0.02, 0.02, 0.02, 0.02))
    stack.enter_context(in_thread(app, socket))
    return Emulated(url=url, site=made, receiver=receiver, closing=stack)


@pytest.fixture
def start(story: Scenario, receivers: Receivers) -> Iterator[Start]:
    """Start an emulator of a flavour, with a workflow of one's own if wanted."""
    with ExitStack() as stack:

        def begin(flavour: Flavour = Flavour.CLOUD, transitions: tuple[JiraTransition, ...] = ()) -> Emulated:
            return _begin(stack, receivers, story, JiraWorld(flavour=flavour, transitions=transitions))

        yield begin


@pytest.fixture
def cloud(start: Start) -> Emulated:
    return start()


@pytest.fixture
def data_center(start: Start) -> Emulated:
    return start(Flavour.DATA_CENTER)


@pytest.fixture(params=list(Flavour), ids=lambda flavour: flavour.value)
def either(request: pytest.FixtureRequest, start: Start) -> Emulated:
    """Run the test against both flavours."""
    return start(request.param)


@pytest.fixture(scope="session", params=list(Flavour), ids=lambda flavour: flavour.value)
def unchanged(request: pytest.FixtureRequest, story: Scenario, receivers: Receivers) -> Iterator[Emulated]:
    """Run a test that changes nothing against both flavours; they are started once."""
    with ExitStack() as stack:
        yield _begin(stack, receivers, story, JiraWorld(flavour=request.param))


@pytest.fixture(scope="session")
def unchanged_cloud(story: Scenario, receivers: Receivers) -> Iterator[Emulated]:
    """Run a test that changes nothing against Cloud; it is started once."""
    with ExitStack() as stack:
        yield _begin(stack, receivers, story, JiraWorld())
