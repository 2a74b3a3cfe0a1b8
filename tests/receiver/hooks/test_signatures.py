"""Nobody gets in without proof, and the proof is over the raw bytes."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.hooks import (
    Delivery,
    GitlabSecrets,
    HookSecret,
    JiraSecrets,
    SignatureError,
    Source,
    verify_gitlab,
    verify_jira,
)
from receiver.hooks.delivery import SPEAKS_FOR
from receiver.hooks.signatures import signing_key

# the example of the Standard Webhooks specification and of its reference libraries' tests
SPEC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SPEC_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SPEC_TIMESTAMP = "1614265330"
SPEC_BODY = b'{"test": 2432232314}'
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SPEC_NOW = datetime.fromtimestamp(int(SPEC_TIMESTAMP), UTC)

OTHER_SECRET = "whsec_" + base64.b64encode(b"another key of 32 bytes in size!").decode()


def known(
    *, tokens: tuple[str, ...] = (), signing_tokens: tuple[str, ...] = (), scope: str = "payk12"
) -> GitlabSecrets:
    return GitlabSecrets(
        tokens=tuple(HookSecret(value=one, scope=scope) for one in tokens),
        signing_tokens=tuple(HookSecret(value=one, scope=scope) for one in signing_tokens),
    )


SIGNED = known(signing_tokens=(SPEC_SECRET,))


def headers(**changes: str | None) -> dict[str, str]:
    spec = {"webhook-id": SPEC_ID, "webhook-timestamp": SPEC_TIMESTAMP, "webhook-signature": SPEC_SIGNATURE}
    spec |= {name.replace("_", "-"): value for name, value in changes.items() if value is not None}
    return {name: value for name, value in spec.items() if changes.get(name.replace("-", "_"), "") is not None}


def gitlab(
    given_headers: Mapping[str, str],
    *,
    secrets: GitlabSecrets = SIGNED,
    body: bytes = SPEC_BODY,
    now: datetime = SPEC_NOW,
) -> Delivery:
    return verify_gitlab(body, headers=given_headers, secrets=secrets, now=now)


def test_the_specifications_own_vector_is_accepted() -> None:
    delivery = gitlab(headers())
    assert (delivery.source, delivery.body, delivery.received_at) == (Source.GITLAB, SPEC_BODY, SPEC_NOW)


@pytest.mark.parametrize("others", ["v1,AAAA ", "v1a,AAAA v2,BBBB ", "v1,%20 ü "])
def test_one_right_signature_among_several_is_enough(others: str) -> None:
    assert gitlab(headers(webhook_signature=others + SPEC_SIGNATURE))


def test_during_a_rotation_the_old_and_the_new_token_are_both_right() -> None:
    assert gitlab(headers(), secrets=known(signing_tokens=(OTHER_SECRET, SPEC_SECRET)))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_clock_that_is_five_minutes_off_is_tolerated(seconds: int) -> None:
    assert gitlab(headers(), now=SPEC_NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_replay_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureError, match="5 minutes"):
        gitlab(headers(), now=SPEC_NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "wrong",
    [
        headers(webhook_id=None),
        headers(webhook_timestamp=None),
        headers(webhook_signature=None),
        headers(webhook_id="another"),
        headers(webhook_timestamp="1614265331"),
        headers(webhook_signature=""),
        headers(webhook_signature="v1,"),
        headers(webhook_signature=SPEC_SIGNATURE.removeprefix("v1,")),
        headers(webhook_signature="v1a" + SPEC_SIGNATURE[2:]),
        headers(webhook_signature="v1,ünï"),
    ],
)
def test_anything_else_than_the_signature_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        gitlab(wrong)


@pytest.mark.parametrize("time", ["", "soon", "-1614265330", "1614265330.0", "9" * 5000, "١٦١٤٢٦٥٣٣٠"])
def test_a_time_that_is_missing_or_no_number_is_refused_as_that(time: str) -> None:
    with pytest.raises(SignatureError, match="webhook-timestamp is not a number" if time else "needs the headers"):
        gitlab(headers(webhook_timestamp=time))


def test_a_changed_body_or_another_key_is_refused() -> None:
    for body, secrets in ((SPEC_BODY + b" ", SIGNED), (SPEC_BODY, known(signing_tokens=(OTHER_SECRET,)))):
        with pytest.raises(SignatureError, match="does not fit"):
            gitlab(headers(), body=body, secrets=secrets)


def test_a_wrong_signature_is_not_saved_by_the_secret_token() -> None:
    secrets = known(tokens=("t0ken",), signing_tokens=(OTHER_SECRET,))
    with pytest.raises(SignatureError):
        gitlab(headers() | {"x-gitlab-token": "t0ken"}, secrets=secrets)


def test_the_secret_token_serves_gitlabs_that_do_not_sign() -> None:
    secrets = known(tokens=("old", "t0kén"), signing_tokens=(SPEC_SECRET,))
    as_latin_1 = "t0kén".encode().decode("latin-1")
    assert gitlab({"x-gitlab-token": as_latin_1}, secrets=secrets)
    assert gitlab({"x-gitlab-token": "old"}, secrets=known(tokens=("old",)))


def test_a_signature_for_which_no_signing_token_is_configured_does_not_spoil_the_secret_token() -> None:
    assert gitlab(headers() | {"x-gitlab-token": "t0ken"}, secrets=known(tokens=("t0ken",)))


@pytest.mark.parametrize("given_headers", [{}, {"x-gitlab-token": ""}, {"x-gitlab-token": "t0ke"}])
def test_a_missing_or_wrong_secret_token_is_refused(given_headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        gitlab(given_headers, secrets=known(tokens=("t0ken", "")))


@pytest.mark.parametrize("secrets", [known(), known(tokens=("",))])
def test_without_a_secret_everything_is_refused(secrets: GitlabSecrets) -> None:
    for given_headers in ({}, headers(), {"x-gitlab-token": ""}, {"x-gitlab-token": "x"}):
        with pytest.raises(SignatureError):
            gitlab(given_headers, secrets=secrets)


def test_a_missing_secret_is_told_from_a_hook_that_does_not_use_it() -> None:
    for secrets, says in ((known(), "No secret is configured"), (SIGNED, "webhook-signature is missing")):
        with pytest.raises(SignatureError, match=says):
            gitlab({}, secrets=secrets)


@pytest.mark.parametrize("token", ["whsec_%%%", f"{SPEC_SECRET}%", "whsec_" + base64.b64encode(b"k" * 15).decode()])
def test_a_signing_token_that_is_none_is_refused_with_what_to_do(token: str) -> None:
    with pytest.raises(SignatureError, match="GitLab"):
        gitlab(headers(), secrets=known(signing_tokens=(token,)))


def test_a_signing_token_of_128_bits_is_long_enough() -> None:
    assert signing_key("whsec_" + base64.b64encode(b"k" * 16).decode()) == b"k" * 16


# Atlassian's documented test vector: developer.atlassian.com/cloud/jira/platform/webhooks, "Secure admin webhooks"
JIRA_SECRET = "It's a Secret to Everybody"
JIRA_BODY = b"Hello World!"
JIRA_SIGNATURE = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"


def jira(given_headers: dict[str, str], *, secrets: JiraSecrets, body: bytes = JIRA_BODY) -> Delivery:
    return verify_jira(body, headers=given_headers, secrets=secrets, now=SPEC_NOW)


def test_atlassians_own_vector_is_accepted_also_during_a_rotation() -> None:
    for secrets in ((JIRA_SECRET,), ("new", JIRA_SECRET)):
        assert jira({"x-hub-signature": JIRA_SIGNATURE}, secrets=JiraSecrets(secrets=secrets))


@pytest.mark.parametrize(
    "signature",
    [
        *("", "sha256=", "sha256=ü", "sha1=a4771c39"),
        *(JIRA_SIGNATURE[:-1] + "0", JIRA_SIGNATURE.removeprefix("sha256="), JIRA_SIGNATURE.replace("256", "512")),
    ],
)
def test_another_jira_signature_is_refused(signature: str) -> None:
    for secrets in (JiraSecrets(secrets=(JIRA_SECRET,)), JiraSecrets(secrets=(JIRA_SECRET,), header=("x-key", "k"))):
        with pytest.raises(SignatureError):
            jira({"x-hub-signature": signature, "x-key": "k"}, secrets=secrets)


def test_the_static_header_serves_where_jira_does_not_sign() -> None:
    assert jira({"x-key": "k3y"}, secrets=JiraSecrets(header=("X-Key", "k3y")))
    assert jira({"x-key": "k3y", "x-hub-signature": "sha256="}, secrets=JiraSecrets(header=("X-Key", "k3y")))
    assert jira({"x-key": "k3y"}, secrets=JiraSecrets(secrets=(JIRA_SECRET,), header=("x-key", "k3y")))


@pytest.mark.parametrize(
    ("given_headers", "secrets"),
    [
        ({}, JiraSecrets()),
        ({"x-hub-signature": JIRA_SIGNATURE}, JiraSecrets()),
        ({}, JiraSecrets(secrets=(JIRA_SECRET,))),
        ({}, JiraSecrets(header=("x-key", "k3y"))),
        ({"x-key": "k3"}, JiraSecrets(header=("x-key", "k3y"))),
        ({"x-key": ""}, JiraSecrets(header=("x-key", ""))),
    ],
)
def test_jira_without_proof_is_refused(given_headers: dict[str, str], secrets: JiraSecrets) -> None:
    with pytest.raises(SignatureError):
        jira(given_headers, secrets=secrets)


def test_nobody_can_sign_with_a_secret_that_is_empty() -> None:
    signature = "sha256=" + hmac.new(b"", JIRA_BODY, hashlib.sha256).hexdigest()
    with pytest.raises(SignatureError):
        jira({"x-hub-signature": signature}, secrets=JiraSecrets(secrets=("", JIRA_SECRET)))


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=200))
def test_only_the_signed_bytes_pass(body: bytes, other: bytes) -> None:
    signature = "sha256=" + hmac.new(JIRA_SECRET.encode(), body, hashlib.sha256).hexdigest()
    secrets = JiraSecrets(secrets=(JIRA_SECRET,))
    assert jira({"x-hub-signature": signature}, secrets=secrets, body=body).body == body
    if other != body:
        with pytest.raises(SignatureError):
            jira({"x-hub-signature": signature}, secrets=secrets, body=other)


def test_a_delivery_knows_which_projects_its_secret_speaks_for() -> None:
    first, second, other = (HookSecret(value="one", scope="a"), HookSecret(value="one", scope="b"), "c/d")
    secrets = GitlabSecrets(
        tokens=(first, second, HookSecret(value="two", scope=other)),
        signing_tokens=(HookSecret(value=OTHER_SECRET, scope="a"), HookSecret(value=SPEC_SECRET, scope=other)),
    )
    assert gitlab({"x-gitlab-token": "one"}, secrets=secrets).speaks_for == ("a", "b")
    assert gitlab({"x-gitlab-token": "two"}, secrets=secrets).speaks_for == (other,)
    assert gitlab(headers(), secrets=secrets).speaks_for == (other,)
    assert jira({"x-hub-signature": JIRA_SIGNATURE}, secrets=JiraSecrets(secrets=(JIRA_SECRET,))).speaks_for is None


def test_a_sender_can_not_say_which_projects_it_speaks_for() -> None:
    delivery = gitlab(headers() | {SPEAKS_FOR: "everybody"})
    assert delivery.headers[SPEAKS_FOR] == "payk12"
    again = Delivery.stored(source=Source.GITLAB, headers=delivery.headers, body=b"", received_at=SPEC_NOW)
    assert again.speaks_for == delivery.speaks_for == ("payk12",)
    old = Delivery.stored(source=Source.GITLAB, headers={}, body=b"", received_at=SPEC_NOW)
    assert old.speaks_for is None


def test_a_delivery_can_not_be_made_without_verification() -> None:
    with pytest.raises(TypeError, match="verifying"):
        Delivery(source=Source.JIRA, headers={}, body=b"", received_at=SPEC_NOW, proof=object())


def test_a_delivery_keeps_no_secret_and_no_signature() -> None:
    sent = headers() | {"x-gitlab-token": "t0ken", "authorization": "Bearer x", "cookie": "c", "x-gitlab-event": "Job"}
    kept = gitlab(sent).headers
    assert set(kept) == {"webhook-id", "webhook-timestamp", "x-gitlab-event", SPEAKS_FOR}
    for secret in ("t0ken", SPEC_SECRET):
        assert secret not in repr(known(tokens=("t0ken",), signing_tokens=(SPEC_SECRET,)))
    assert JIRA_SECRET not in repr(JiraSecrets(secrets=(JIRA_SECRET,)))
