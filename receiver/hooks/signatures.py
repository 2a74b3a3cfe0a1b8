"""Verify who sent a hook, over the raw bytes and in constant time, before anything is parsed.

Sources: Standard Webhooks 1.0 (standardwebhooks.com), as GitLab 19.0 signs; GitLab `X-Gitlab-Token`
(doc/user/project/integrations/webhooks.md); Jira `X-Hub-Signature` (Cloud admin webhooks and Data Center 10,
WebSub's format).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from receiver import limits
from receiver.hooks.delivery import Delivery, SignatureError, Source, verified
from receiver.hooks.gitlab_secrets import GitlabSecrets, HookSecret

MIN_KEY_BYTES: Final = 16


class JiraSecrets(Struct, frozen=True, kw_only=True):
    """Secrets of Jira's hooks."""

    secrets: tuple[str, ...] = ()
    """Keys of `X-Hub-Signature: sha256=<hex>`. A signed request is judged by its signature only."""
    header: tuple[str, str] | None = None
    """Name and value of a header that a proxy or an automation rule adds where Jira can't sign."""

    def __repr__(self) -> str:
        return f"JiraSecrets({len(self.secrets)} secrets, {'a' if self.header else 'no'} static header)"


def screen_gitlab(headers: Mapping[str, str], *, secrets: GitlabSecrets, now: datetime) -> None:
    """Reject what the headers alone prove invalid, before reading the body. Raises SignatureError."""
    if _signed_by_gitlab(headers, secrets):
        _check_sent(headers, now=now)
    elif not secrets.tokens:
        _refuse_unsigned("webhook-signature", configured=bool(secrets.signing_tokens))
    elif "x-gitlab-token" not in headers:
        raise SignatureError("The header X-Gitlab-Token is missing. Set the hook's secret token in GitLab.")
    elif not _equal_to(headers, secrets.tokens):
        raise SignatureError("X-Gitlab-Token is not the configured secret token.")


def verify_gitlab(body: bytes, *, headers: Mapping[str, str], secrets: GitlabSecrets, now: datetime) -> Delivery:
    """Return the delivery, or raise SignatureError. `headers` have lowercase names."""
    screen_gitlab(headers, secrets=secrets, now=now)
    if _signed_by_gitlab(headers, secrets):
        proved_by = _standard_webhook(body, headers=headers, signing_tokens=secrets.signing_tokens)
    else:
        proved_by = _equal_to(headers, secrets.tokens)
    speaks_for = tuple(sorted({secret.scope for secret in proved_by}))
    return verified(source=Source.GITLAB, headers=headers, body=body, received_at=now, speaks_for=speaks_for)


def screen_jira(headers: Mapping[str, str], *, secrets: JiraSecrets) -> None:
    """Reject what the headers alone prove invalid, before reading the body. Raises SignatureError."""
    if _signed_by_jira(headers, secrets):
        return
    if secrets.header is None:
        _refuse_unsigned("X-Hub-Signature", configured=bool(secrets.secrets))
    else:
        name, value = secrets.header
        if not _equal(headers.get(name.lower(), ""), value):
            raise SignatureError(f"Neither X-Hub-Signature nor the configured header {name} proves the sender.")


def verify_jira(body: bytes, *, headers: Mapping[str, str], secrets: JiraSecrets, now: datetime) -> Delivery:
    """Return the delivery, or raise SignatureError. `headers` have lowercase names."""
    screen_jira(headers, secrets=secrets)
    if _signed_by_jira(headers, secrets):
        _check_hub_signature(body, signature=headers["x-hub-signature"], secrets=secrets.secrets)
    return verified(source=Source.JIRA, headers=headers, body=body, received_at=now)


def signing_key(token: str) -> bytes:
    """Return the key inside a `whsec_…` token. Raises SignatureError when it is not one."""
    try:
        key = base64.b64decode(token.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise SignatureError("A signing token is not `whsec_` and base64; copy it from GitLab again.") from error
    if len(key) < MIN_KEY_BYTES:
        raise SignatureError("A signing token is too short to be safe; let GitLab generate one.")
    return key


def _refuse_unsigned(header: str, *, configured: bool) -> None:
    if configured:
        raise SignatureError(f"The header {header} is missing. Set the hook's secret where the hook is configured.")
    raise SignatureError("No secret is configured for this hook, so nothing can be accepted.")


def _equal(given: str, secret: str) -> bool:
    """Compare in constant time. An empty secret equals nothing."""
    return hmac.compare_digest(given.encode("latin-1", "replace"), secret.encode()) and bool(secret)


def _equal_to(headers: Mapping[str, str], tokens: tuple[HookSecret, ...]) -> list[HookSecret]:
    """Return the tokens that were sent, after comparing with all of them: one may stand for several projects."""
    given = headers["x-gitlab-token"]
    matches = [_equal(given, token.value) for token in tokens]
    return [token for token, is_equal in zip(tokens, matches, strict=True) if is_equal]


def _signed_by_gitlab(headers: Mapping[str, str], secrets: GitlabSecrets) -> bool:
    return bool(secrets.signing_tokens) and "webhook-signature" in headers


def _signed_by_jira(headers: Mapping[str, str], secrets: JiraSecrets) -> bool:
    return bool(secrets.secrets) and "x-hub-signature" in headers


def _check_sent(headers: Mapping[str, str], *, now: datetime) -> None:
    sent = headers.get("webhook-timestamp", "")
    if not headers.get("webhook-id") or not sent:
        raise SignatureError("A signed request needs the headers webhook-id and webhook-timestamp.")
    if not (sent.isascii() and sent.isdecimal() and len(sent) <= 12):
        raise SignatureError("webhook-timestamp is not a number of seconds.")
    if abs(int(now.timestamp()) - int(sent)) > limits.HOOK_REPLAY.total_seconds():
        raise SignatureError("The request is older or newer than 5 minutes: a replay, or a clock that is wrong.")


def _standard_webhook(
    body: bytes, *, headers: Mapping[str, str], signing_tokens: tuple[HookSecret, ...]
) -> list[HookSecret]:
    """Return the tokens with which the request is signed. Raises SignatureError when it is none of them."""
    message_id, sent = headers["webhook-id"], headers["webhook-timestamp"]
    signed = f"{message_id}.{sent}.".encode("latin-1", "replace") + body
    parts = (part for part in headers["webhook-signature"].split() if part.startswith("v1,"))
    given = [part.removeprefix("v1,").encode("latin-1", "replace") for part in parts]
    expected = [base64.b64encode(_hmac(signing_key(token.value), signed)) for token in signing_tokens]
    matches = [[hmac.compare_digest(g, e) for g in given] for e in expected]
    found = [token for token, match in zip(signing_tokens, matches, strict=True) if any(match)]
    if not found:
        raise SignatureError("webhook-signature does not fit the body and the configured signing token.")
    return found


def _check_hub_signature(body: bytes, *, signature: str, secrets: tuple[str, ...]) -> None:
    method, _, given = signature.partition("=")
    if method != "sha256":
        raise SignatureError("X-Hub-Signature has to be `sha256=<hex>`.")
    expected = [_hmac(secret.encode(), body).hex() for secret in secrets if secret]
    matches = [hmac.compare_digest(given.encode("latin-1", "replace").lower(), e.encode()) for e in expected]
    if not any(matches):
        raise SignatureError("X-Hub-Signature does not fit the body and the configured secret.")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
