"""Send webhooks as Jira does: signed, in the background, again up to five times when the receiver fails.

One webhook's deliveries begin in order; one that fails is tried again later while others go on, so it arrives out of
order, as on the real Cloud. Source: developer.atlassian.com, Jira Cloud platform, Webhooks. Data Center is taken not to
retry and to send no identifier: the harder case for a receiver.
"""

import asyncio
import hashlib
import hmac
import ssl
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import httpx2
import msgspec

from sandbox.faults.hook_faults import HookFaults, Treatment
from sandbox.jira.model import Json
from sandbox.jira.payloads import payloads
from sandbox.jira.site import News, Site
from sandbox.scenario_format import Flavour

RETRIED: Final = frozenset({408, 409, 425, 429, *range(500, 600)})
"""Statuses after which Cloud tries again; others end the delivery."""
DELAYS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Before each retry. Real Jira waits 5 to 15 minutes each time; so many retries there are."""
TIMEOUT_S: Final = 10.0
ALL: Final = frozenset(
    {"jira:issue_created", "jira:issue_updated", "comment_created", "comment_updated", "comment_deleted"}
)


def sign(body: bytes, *, secret: str) -> str:
    """Return the value of `X-Hub-Signature`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """An administrator's webhook."""

    url: str
    secret: str
    """Empty: deliveries are not signed."""
    events: frozenset[str] = ALL


@dataclass(kw_only=True)
class Attempt:
    """One request to the receiver."""

    at: datetime
    status: int | None
    """None: no answer."""
    error: str = ""


@dataclass(kw_only=True)
class Delivery:
    """One event for one webhook."""

    identifier: str
    event: str
    body: bytes
    created: datetime
    attempts: list[Attempt] = field(default_factory=list)
    finished: bool = False


class Deliverer:
    """Listens to the site and sends what the webhooks want."""

    def __init__(
        self, site: Site, webhooks: tuple[Webhook, ...], *, faults: HookFaults, retry_delays_s: tuple[float, ...]
    ) -> None:
        self.site = site
        self.webhooks = webhooks
        self.faults = faults
        self.retry_delays_s = retry_delays_s
        self.deliveries: list[Delivery] = []
        self._queue: asyncio.Queue[tuple[Webhook, Delivery]] = asyncio.Queue()
        self._client: httpx2.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsent = 0
        site.listeners.append(self.hear)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way, retries included."""
        return self._unsent == 0

    async def start(self) -> None:
        """Begin to send."""
        trusted = ssl.create_default_context()  # httpx's own takes no notice of SSL_CERT_FILE without all of trust_env
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, verify=trusted)
        self._task(self._work(self._client))

    async def stop(self) -> None:
        """Stop; what was not sent is lost, as when Jira is shut down."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def hear(self, news: News) -> None:
        """Make a delivery for each webhook that wants the event, and send it as the faults say."""
        for payload in payloads(self.site, news):
            for number, webhook in enumerate(self.webhooks):
                if payload["webhookEvent"] in webhook.events:
                    self._as_told(number, webhook, self._delivery(payload))

    def _delivery(self, payload: Json) -> Delivery:
        delivery = Delivery(
            identifier=str(uuid.uuid4()),
            event=payload["webhookEvent"],
            body=msgspec.json.encode(payload),
            created=self.site.now(),
        )
        self.deliveries.append(delivery)
        return delivery

    def _as_told(self, number: int, webhook: Webhook, delivery: Delivery) -> None:
        fault = self.faults.of(project=self.site.project.key, event=delivery.event)
        match fault.treatment:
            case Treatment.SEND:
                self._send(webhook, delivery)
            case Treatment.DROP:
                self.deliveries.remove(delivery)
            case Treatment.FAIL:
                delivery.attempts.append(
                    Attempt(at=self.site.now(), status=None, error="failed as the sandbox was told")
                )
                self._again(webhook, delivery)
            case Treatment.DUPLICATE:
                for _ in range(fault.copies):
                    self._send(webhook, delivery)
            case Treatment.DELAY:
                self._later(webhook, delivery, seconds=fault.delay_s)
            case Treatment.BEHIND:
                self.faults.hold(number, lambda: self._send(webhook, delivery), behind=fault.behind)
                return
        self.faults.passed(number)

    def _send(self, webhook: Webhook, delivery: Delivery) -> None:
        self._unsent += 1
        self._queue.put_nowait((webhook, delivery))

    def _later(self, webhook: Webhook, delivery: Delivery, *, seconds: float) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            self._queue.put_nowait((webhook, delivery))

        self._unsent += 1
        self._task(wait())

    def _task(self, work: "asyncio.coroutines.Coroutine[None, None, None]") -> None:  # type: ignore[name-defined]
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, client: httpx2.AsyncClient) -> None:
        while True:
            webhook, delivery = await self._queue.get()
            try:
                await self._attempt(client, webhook, delivery)
            finally:
                self._unsent -= 1

    async def _attempt(self, client: httpx2.AsyncClient, webhook: Webhook, delivery: Delivery) -> None:
        attempt = Attempt(at=self.site.now(), status=None)
        delivery.attempts.append(attempt)
        try:
            response = await client.post(
                webhook.url, content=delivery.body, headers=self._headers(webhook, delivery, len(delivery.attempts) - 1)
            )
            attempt.status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            attempt.error = f"{type(error).__name__}: {error}"
        if attempt.status is None or attempt.status in RETRIED:
            self._again(webhook, delivery)
        else:
            delivery.finished = True

    def _again(self, webhook: Webhook, delivery: Delivery) -> None:
        retries = len(delivery.attempts) - 1
        if self.site.flavour is Flavour.CLOUD and retries < len(self.retry_delays_s):
            self._later(webhook, delivery, seconds=self.retry_delays_s[retries])
        else:
            delivery.finished = True

    def _headers(self, webhook: Webhook, delivery: Delivery, retries: int) -> dict[str, str]:
        headers = {"content-type": "application/json; charset=UTF-8", "user-agent": "Atlassian Webhook HTTP Client"}
        if webhook.secret:
            headers["x-hub-signature"] = sign(delivery.body, secret=webhook.secret)
        if self.site.flavour is Flavour.CLOUD:
            headers["x-atlassian-webhook-identifier"] = delivery.identifier
            headers["x-atlassian-webhook-flow"] = "Primary"
            if retries:
                headers["x-atlassian-webhook-retry"] = str(retries)
        return headers
