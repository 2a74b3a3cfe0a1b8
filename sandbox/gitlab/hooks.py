"""Deliver hooks by HTTP, in the background: headers, secret token, Standard Webhooks signature, record, auto-disable.

One hook's deliveries keep their order unless a fault says otherwise. GitLab does not send a failed delivery again by
itself; nor does this. Sources: doc/user/project/integrations/webhooks.md, Standard Webhooks 1.0 (GitLab 19.0),
app/models/concerns/web_hooks/auto_disabling.rb, app/services/web_hooks/log_execution_service.rb.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
import time
import uuid
from datetime import datetime, timedelta
from typing import Final

import httpx2
import msgspec

from sandbox.faults.hook_faults import HookFaults, Treatment
from sandbox.gitlab.hook_model import TEMPORARY_FAILURES, Event, Hook, HookDelivery, Json
from sandbox.gitlab.model import Project, User
from sandbox.gitlab.state import VERSION, State

TIMEOUT_S: Final = 10.0
REQUESTED: Final = 5
"""So many tests, and so many resends, of one user for the hooks of one project in a minute."""
KEPT_BODY: Final = 4096
HEADER: Final = {
    Event.PUSH: "Push Hook",
    Event.TAG_PUSH: "Tag Push Hook",
    Event.MERGE_REQUEST: "Merge Request Hook",
    Event.NOTE: "Note Hook",
    Event.CONFIDENTIAL_NOTE: "Confidential Note Hook",
    Event.PIPELINE: "Pipeline Hook",
    Event.JOB: "Job Hook",
    Event.DEPLOYMENT: "Deployment Hook",
    Event.FEATURE_FLAG: "Feature Flag Hook",
    Event.EMOJI: "Emoji Hook",
}


def sign(token: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign as Standard Webhooks: base64 HMAC-SHA256 over `id.timestamp.body`, keyed with the decoded `whsec_` token."""
    key = base64.b64decode(token.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Deliverer:
    """Takes events from `State.emit` and sends them to the hooks that want them."""

    def __init__(self, state: State, faults: HookFaults) -> None:
        self.state = state
        self.faults = faults
        self._queues: dict[int, asyncio.Queue[tuple[Hook, HookDelivery]]] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._unsent = 0
        self._requested: dict[tuple[str, int, int], list[datetime]] = {}
        self._client: httpx2.AsyncClient | None = None
        state.deliver = self.deliver

    async def start(self) -> None:
        """Open the HTTP client."""
        trusted = ssl.create_default_context()  # httpx's own takes no notice of SSL_CERT_FILE without all of trust_env
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, verify=trusted)

    async def stop(self) -> None:
        """Stop sending; what was not sent stays `pending`."""
        tasks = [*self._workers.values(), *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._unsent and not self._late

    def count(self, what: str, project: Project, user: User) -> bool:
        """Count a test or resend; False when the user made too many within a minute."""
        now = self.state.now()
        recent = self._requested.setdefault((what, project.id, user.id), [])
        recent[:] = [at for at in recent if at > now - timedelta(minutes=1)]
        recent.append(now)
        return len(recent) <= REQUESTED

    def deliver(self, project: Project, event: Event, payload: Json) -> None:
        """Queue an event for each hook of the project that wants it and is not disabled."""
        recursion_id = str(uuid.uuid4())
        for hook in project.hooks.values():
            if event in hook.events and hook.alert_status(self.state.now()) == "executable":
                self._send_as_told(hook, self.record(hook, event, payload, event_uuid=recursion_id))

    def record(self, hook: Hook, event: Event, payload: Json, *, event_uuid: str = "", key: str = "") -> HookDelivery:
        """Make the record of one delivery; a resend keeps the idempotency key."""
        delivery = HookDelivery(
            id=self.state.next_id("hook_delivery"),
            event=event,
            uuid=event_uuid or str(uuid.uuid4()),
            idempotency_key=key or str(uuid.uuid4()),
            request_headers={},
            payload=payload,
            created_at=self.state.now(),
        )
        hook.deliveries.append(delivery)
        return delivery

    def _send_as_told(self, hook: Hook, delivery: HookDelivery) -> None:
        project = self.state.projects[hook.project_id]
        fault = self.faults.of(project=project.path_with_namespace, event=delivery.event.value)
        match fault.treatment:
            case Treatment.SEND:
                self._queue(hook, delivery)
            case Treatment.DROP:
                hook.deliveries.remove(delivery)
            case Treatment.FAIL:
                self._settle(hook, delivery, status="internal error", body="the sandbox was told to fail this delivery")
            case Treatment.DUPLICATE:
                for _ in range(fault.copies):
                    self._queue(hook, delivery)
            case Treatment.DELAY:
                self._later(hook, delivery, seconds=fault.delay_s)
            case Treatment.BEHIND:
                self.faults.hold(hook.id, lambda: self._queue(hook, delivery), behind=fault.behind)
                return
        self.faults.passed(hook.id)

    def _later(self, hook: Hook, delivery: HookDelivery, *, seconds: float) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            self._queue(hook, delivery)

        task = asyncio.get_running_loop().create_task(wait())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _queue(self, hook: Hook, delivery: HookDelivery) -> None:
        queue = self._queues.setdefault(hook.id, asyncio.Queue())
        queue.put_nowait((hook, delivery))
        self._unsent += 1
        if hook.id not in self._workers:
            self._workers[hook.id] = asyncio.get_running_loop().create_task(self._work(queue))

    async def _work(self, queue: asyncio.Queue[tuple[Hook, HookDelivery]]) -> None:
        while True:
            hook, delivery = await queue.get()
            try:
                await self.send(hook, delivery)
            finally:
                self._unsent -= 1

    async def send(self, hook: Hook, delivery: HookDelivery) -> None:
        """Send one delivery now and note the outcome; never raises for what the other side does."""
        body = msgspec.json.encode(delivery.payload)
        headers = self._headers(hook, delivery, body)
        delivery.request_headers = {**headers, "X-Gitlab-Token": "[REDACTED]"} if hook.token else headers
        started = time.monotonic()
        try:
            if self._client is None:
                raise RuntimeError("the deliverer has not been started")
            response = await self._client.post(hook.url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            self._settle(hook, delivery, status="internal error", body=f"{type(error).__name__}: {error}")
        else:
            self._settle(hook, delivery, status=str(response.status_code), body=response.text[:KEPT_BODY])
        delivery.duration = time.monotonic() - started

    def _headers(self, hook: Hook, delivery: HookDelivery, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"GitLab/{VERSION}",
            "X-Gitlab-Event": HEADER[delivery.event],
            "X-Gitlab-Event-UUID": delivery.uuid,
            "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
            "X-Gitlab-Instance": self.state.url,
            "Idempotency-Key": delivery.idempotency_key,
        }
        if hook.token:
            headers["X-Gitlab-Token"] = hook.token
        if hook.signing_token:
            timestamp = int(self.state.now().timestamp())
            headers["webhook-id"] = delivery.idempotency_key
            headers["webhook-timestamp"] = str(timestamp)
            headers["webhook-signature"] = sign(
                hook.signing_token, message_id=delivery.idempotency_key, timestamp=timestamp, body=body
            )
        return headers

    def _settle(self, hook: Hook, delivery: HookDelivery, *, status: str, body: str) -> None:
        delivery.response_status, delivery.response_body = status, body
        if status.startswith(("2", "3")):
            hook.failures, hook.disabled_until = 0, None
            return
        if hook.alert_status(self.state.now()) != "executable":  # a test that fails makes nothing worse
            return
        hook.failures += 1
        if hook.failures >= TEMPORARY_FAILURES:
            backoff = timedelta(minutes=2 ** min(hook.failures - TEMPORARY_FAILURES, 11))
            hook.disabled_until = self.state.now() + min(backoff, timedelta(hours=24))
