"""Which lines of a change look like secrets: tables of what is found and of what is harmless."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
from typing import Final
from uuid import UUID

import pytest

from pipelines.language.repository import AllowedSecret
from pipelines.patch import Change, Changed
from pipelines.secrets import find_secrets
from pipelines.secrets.engine import SecretScanError, read_findings, scan
from pipelines.secrets.search import looks_generated

RANDOM: Final = random.Random(20261130)  # noqa: S311 - examples, the same in each run
ALPHANUMERIC: Final = string.ascii_letters + string.digits
HEX: Final = "0123456789abcdef"
UPPER: Final = string.ascii_uppercase + "234567"


def some(count: int, characters: str = ALPHANUMERIC) -> str:
    return "".join(RANDOM.choices(characters, k=count))


def coded(count: int) -> str:
    return base64.b64encode(RANDOM.randbytes(count)).decode()


def key(kind: str) -> str:
    lines = "\n".join(coded(48) for _ in range(8))
    return f"-----BEGIN {kind}KEY-----\n{lines}\n-----END {kind}KEY-----"


GITLAB: Final = f"glpat-{some(20)}"
SECRETS: Final = {
    "Anthropic": f"export ANTHROPIC_API_KEY=sk-ant-api03-{some(93)}AA",
    "Anthropic, a person's": f"key = sk-ant-oat01-{some(93)}AA",
    "Atlassian": f"  token: ATATT3xFfGF0{some(180)}={some(8, '0123456789ABCDEF')}",
    "OpenAI": f"OPENAI_API_KEY=sk-proj-{some(48)}",
    "GitHub": f"  token: github_pat_{some(22)}_{some(59)}",
    "GitHub, classic": f"ghp_{some(36)}",
    "GitLab": GITLAB,
    "GitLab, runner": f"glrt-{some(20)}",
    "npm": f"//npm.example.com/:_authToken=npm_{some(36)}",
    "PyPI": f"pypi-AgEIcHlwaS5vcmc{some(150)}",
    "Google": f"  key: AIza{some(35)}",
    "Slack": f"xoxb-{some(12, string.digits)}-{some(12, string.digits)}-{some(24)}",
    "Stripe": f"sk_live_{some(24)}",
    "SendGrid": f"SG.{some(22)}.{some(43)}",
    "AWS, both": f"AWS_ACCESS_KEY_ID=AKIA{some(16, UPPER)}\nAWS_SECRET_ACCESS_KEY={some(40)}",
    "AWS, the id": f'key = "AKIA{some(16, UPPER)}"',
    "AWS, the secret": f"AWS_SECRET_ACCESS_KEY={some(40)}",
    "AWS, in code": f"aws_secret_access_key = '{some(40)}'",
    "Azure storage": f"AccountKey={coded(64)}",
    "Azure client": f'client_secret = "{some(3)}8Q~{some(34)}"',
    ".NET": f'"Default": "Server=db.internal;Database=app;User Id=app;Password={some(14)};"',
    "address": "U = " + '"postgresql://app:s3cr3tPw@db.internal/app"',
    "JWT": f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiaWF0IjoxNTE2MjM5MDIyfQ.{some(43)}",
    "Bitbucket": f"  token: ATCTT3xFfGN0{some(180)}={some(8, '0123456789ABCDEF')}",
    "Google client": f'"client_secret": "GOCSPX-{some(28)}"',
    "a hook's signing secret": f"BUG_FIX_GITLAB_SIGNING_TOKENS=whsec_{coded(32)}",
    "Discord": f"https://discord.com/api/webhooks/{some(18, string.digits)}/{some(68)}",
    "Notion": f"ntn_{some(11, string.digits)}{some(35)}",
    "NuGet": f"nuget push -k oy2{some(43, string.ascii_lowercase + string.digits)}",
    "Artifactory": f"AKCp{some(69)}",
    "Square": f"sq0csp-{some(43)}",
    "Azure, a signed address": f"https://a.blob.core.windows.net/c?sv=2022-11-02&sp=rl&sig={some(43)}%3D",
    "npm, earlier": f"//npm.example.com/:_authToken={UUID(bytes=RANDOM.randbytes(16))}",
    "appSettings": f'<add key="PaymentApiSecret" value="{some(30)}9aZ" />',
    "Maven": f"<password>{some(16)}9aZ</password>",
    "Bearer": f'headers = {{"Authorization": "Bearer {some(40)}9aZ"}}',
    "address of a repository": f"https://deploy:{some(20)}@git.acme.io/api.git",
    "PuTTY": "PuTTY-User-Key-File-3: " + "ssh-ed25519",
    "password": f'PASSWORD = "{some(16)}9aZ"',
    "RSA key": key("RSA PRIVATE "),
    "OpenSSH key": key("OPENSSH PRIVATE "),
    "beginning of a key": "-----BEGIN " + "EC PRIVATE KEY-----",
    "key within JSON": json.dumps({"private_key": key("PRIVATE ")}),
    "in Base64": base64.b64encode(f"token: {GITLAB}".encode()).decode(),
    "allow comments": f"t = {GITLAB}  # gitleaks:allow betterleaks:allow pragma: allowlist secret",
    "a lock file": f'"integrity": "sha512-{GITLAB}",',
    "after a byte order mark": f"\ufeff{GITLAB}",
    "a long line": f"{'x' * 200_000} {GITLAB}",
}
FORTY: Final = range(40)
EMULATOR: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/" + "KBHBeksoGMGw=="
"""Of Azure's storage emulator, in its documentation."""
HARMLESS: Final = {
    "package-lock.json": "\n".join(f'"integrity": "sha512-{coded(64)}",' for _ in FORTY),
    "packages.lock.json": "\n".join(f'"contentHash": "{coded(64)}"' for _ in FORTY),
    "yarn.lock": "\n".join(f'resolved "https://r.example/p.tgz#{some(40, HEX)}"' for _ in FORTY),
    "poetry.lock": "\n".join(f'{{file = "x.whl", hash = "sha256:{some(64, HEX)}"}},' for _ in FORTY),
    "Cargo.lock": "\n".join(f'checksum = "{some(64, HEX)}"' for _ in FORTY),
    "composer.lock": "\n".join(f'"reference": "{some(40, HEX)}",\n"content-hash": "{some(32, HEX)}",' for _ in FORTY),
    "pnpm-lock.yaml": "\n".join(f"resolution: {{integrity: sha512-{coded(64)}}}" for _ in FORTY),
    ".terraform.lock.hcl": "\n".join(f'"h1:{coded(32)}",\n"zh:{some(64, HEX)}",' for _ in FORTY),
    "gradle/verification-metadata.xml": "\n".join(f'<sha256 value="{some(64, HEX)}"/>' for _ in FORTY),
    "index.html": f'<script src="https://c.example/a.js" integrity="sha384-{coded(48)}"></script>',
    "go.sum": "\n".join(f"github.com/a/b v1.0.0 h1:{coded(32)}" for _ in FORTY),
    "locales/en.json": '"password": "Password",\n"token": "Access token",\n"apiKey": "Your API key goes here"',
    "locales/de.json": '"auth.password": "Bitte das Passwort eingeben",',
    "migrations/0007.py": "revision = '8f2c1b7d9e3a'\nop.add_column('users', sa.Column('api_token', sa.String(64)))",
    "Migrations/A.cs": 'AddColumn<string>(name: "PasswordHash");\nnew Guid("6f9619ff-8b86-d011-b42d-00cf4fc964ff")',
    "src/a.ts": "const password = form.password.value;\nconst API_KEY_HEADER = 'X-Api-Key';",
    "src/a.py": "secret = settings.secret_key\ndef password(user: User) -> str: ...\na = '%s'",
    "src/a.cs": 'var secret = Configuration["Auth:ClientSecret"];',
    "tests/test_login.py": 'PASSWORD = "hunter2"\nclient.post("/", {"username": "ann", "password": "secret123"})',
    "tests/test_token.py": 'token = "test-token-123"\nassert login("ann", "Password123!")',
    "tests/test_hash.py": f'SHA = "{some(40, HEX)}"\ncache_key = "{some(32, HEX)}"',
    "deploy.yml": "        secretName: payments-tls\n        POSTGRES_PASSWORD: postgres",
    "compose.yml": "  DATABASE_URL: postgresql://postgres:postgres@localhost:5432/app",
    "appsettings.Development.json": '"Server=localhost;Database=app;User Id=sa;Password=aB3xT9qL2mZ;"',
    "appsettings.json": '"Server=db.internal;User Id=app;Password=changeme;"',
    "docs/a.md": "AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nsk-ant-...",
    "docs/emulator.md": f"AccountKey={EMULATOR}",
    "docs/stripe.md": "sk_test_4eC39H" + "qLyjWDarjtT1zdp7dc",
    "rabbit.yml": "amqp://guest:guest@rabbitmq\nredis://:password@redis:6379\nmongodb://root:example@mongo:27017",
    "web.config": '<add key="TokenIssuer" value="https://login.acme.io/" />',
    "app.config": "<publicKeyToken>b77a5c561934e089</publicKeyToken>",
    "Login.resx": "<password>Bitte das Passwort eingeben</password>\n<token>TokenIsNotValidAnyMore</token>",
    "tests/test_api.py": 'headers = {"Authorization": "Bearer test-token-of-the-suite"}',
    "a.svg": f'<image href="data:image/png;base64,{coded(3_000)}"/>',
    "cert.pem": "-----BEGIN CERTIFICATE-----\n" + "\n".join(coded(48) for _ in FORTY),
    ".github.yml": f"uses: actions/checkout@{some(40, HEX)}",
}


def changed(path: str, after: str, *, before: str = "") -> Changed:
    return Changed(path=path, change=Change.MODIFIED, before=before, after=after)


def refused(*files: Changed, allowed: tuple[AllowedSecret, ...] = ()) -> tuple[str, ...]:
    return find_secrets(files, allowed=allowed)


@pytest.fixture(scope="module")
def found() -> str:
    """Return what is said of all secrets at once: starting the engine is what takes time."""
    return " ".join(refused(*(changed(name, f"first\n{text}") for name, text in SECRETS.items())))


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_a_known_format_is_found_quoted_or_not(found: str, name: str) -> None:
    assert f"`{name}` line 2 looks like a secret" in found


def test_a_sentence_names_the_rule_and_never_the_secret(found: str) -> None:
    assert "(gitlab-pat)" in found
    assert GITLAB not in found


def test_hashes_translations_and_words_about_secrets_are_harmless() -> None:
    assert refused(*(changed(path, text) for path, text in HARMLESS.items())) == ()


@pytest.mark.parametrize(
    ("value", "is_generated"),
    [
        ("SuperSecretPassword123!", False),
        ("test-token-of-the-suite-1", False),
        (some(40, HEX), False),
        ("Kd83jfHs72kdLsm29dJslqwxmsnXbz71kDdjeu2h", True),
        ("aB3", False),
    ],
)
def test_words_and_digests_are_not_taken_for_generated_values(value: str, *, is_generated: bool) -> None:
    assert looks_generated(value) is is_generated


def test_what_was_there_before_is_no_new_secret_even_in_another_file() -> None:
    kept = changed("a.py", f"x = 1\ny = 2\nt = '{GITLAB}'", before=f"t = '{GITLAB}'")
    moved = changed("b.py", f"t = '{GITLAB}'")
    assert refused(kept, moved) == ()
    assert refused(changed("a.pem", key("PRIVATE "), before=key("PRIVATE "))) != ()


DIGEST: Final = hashlib.sha256(GITLAB.encode()).hexdigest()


@pytest.mark.parametrize(
    ("entry", "is_allowed"),
    [
        (AllowedSecret(reason="r", paths=("tests/**",)), True),
        (AllowedSecret(reason="r", paths=("tests/**",), rule="gitlab-pat"), True),
        (AllowedSecret(reason="r", sha256=DIGEST), True),
        (AllowedSecret(reason="r", paths=("src/**",)), False),
        (AllowedSecret(reason="r", paths=("tests/**",), rule="jwt"), False),
        (AllowedSecret(reason="r", paths=("tests/**",), sha256="0" * 64), False),
    ],
)
def test_the_catalogue_allows_a_secret_where_all_that_it_says_holds(entry: AllowedSecret, *, is_allowed: bool) -> None:
    assert (refused(changed("tests/a.py", GITLAB), allowed=(entry,)) == ()) is is_allowed


def test_each_finding_has_the_line_of_its_own_text() -> None:
    texts = [f"\n\n{GITLAB}", "", "nothing", GITLAB, f"x\n{GITLAB}\n\n{GITLAB}x"]
    places = [(one.text, one.line) for one in scan([text.encode() for text in texts]) if one.rule == "gitlab-pat"]
    assert places[:3] == [(0, 3), (3, 1), (4, 2)]


AZURE: Final = f"{some(3)}8Q~{some(34)}"
"""Of a format that takes in the character before the secret, which is a line break before the first line."""


@pytest.mark.parametrize("place", [0, 1])
def test_a_secret_that_opens_a_text_is_charged_to_that_text(place: int) -> None:
    files = [changed("src/a.py", "x = 1\n"), changed("src/b.py", "y = 2\n"), changed("src/c.py", "z = 3\n")]
    files[place] = changed("tests/a.py", f"{AZURE}\n")
    (sentence,) = refused(*files)
    assert sentence.startswith("`tests/a.py` line 1 ")
    assert refused(*files, allowed=(AllowedSecret(reason="r", paths=("tests/**",)),)) == ()
    assert refused(*files, allowed=(AllowedSecret(reason="r", paths=("src/**",)),)) == (sentence,)


def test_a_secret_that_opens_the_first_text_before_the_change_is_no_new_one() -> None:
    files = (changed("src/a.py", "x = 1\n", before=f"{AZURE}\n"), changed("src/b.py", f"y = 2\n{AZURE}\n"))
    assert refused(*files) == ()
    assert refused(*files, allowed=(AllowedSecret(reason="r", paths=("tests/**",)),)) == ()


def test_a_large_text_is_searched_to_its_end() -> None:
    text = "the words of a long file\n" * 60_000 + GITLAB
    assert [one.line for one in scan([text.encode()])] == [60_001]


def test_a_search_that_takes_too_long_is_an_error() -> None:
    with pytest.raises(SecretScanError, match="took more than"):
        scan([b"x"], timeout_s=0)


COMPLETE: Final = b'{"scan": {"state": "complete"}}'


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (b"", "stopped before the end"),
        (b'{"scan": {"state": "partial"}}', "stopped before the end"),
        (b"a warning\n" + COMPLETE, "something unknown"),
        (b'{"finding": {"rule_id": "jwt"}}\n' + COMPLETE, "something unknown"),
        (b'{"finding": ' + b"[" * 100_000 + b"\n" + COMPLETE, "something unknown"),
    ],
    ids=["nothing", "partial", "no JSON", "another shape", "nested"],
)
def test_an_output_that_is_not_understood_is_an_error(output: bytes, says: str) -> None:
    with pytest.raises(SecretScanError, match=says):
        read_findings(output)
