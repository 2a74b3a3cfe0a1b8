"""Formats of secrets that Betterleaks' own rules miss, as its configuration. Pure.

They are added to its built-in rules: https://github.com/betterleaks/betterleaks. Regular expressions are RE2's.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Format(Struct, frozen=True):
    """One format; the first group of `regex` is the secret."""

    rule: str
    """Its name, which people read."""
    keywords: tuple[str, ...]
    """In lower case: only texts that hold one of them are searched."""
    regex: str
    harmless: str = ""
    """Regular expression of values that give nothing away: documented examples, placeholders."""
    entropy: float = 0.0
    """Bits per character that a secret has at least."""


PLACEHOLDER: Final = (
    r"(?i)^(?:your[._-]?)?(?:passw(?:or|0r)d|passwd|postgres|mysql|secret|changeme|example|guest|root|admin|test|app|user)"
    r"(?:[._-]?(?:password|pass|pw|secret|here|me|user|root|admin|test|dev|local))?[0-9]{0,4}!?$"
)
"""A password that stands for one, or that an image is delivered with: it gives nothing away."""

FORMATS: Final = (
    Format("anthropic-token", ("sk-ant-",), r"\b(sk-ant-[a-z]{2,12}\d{2}-[A-Za-z0-9_-]{80,120})"),
    Format(
        "openai-project-key",
        ("sk-proj-", "sk-svcacct-", "sk-admin-"),
        r"\b(sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200})",
        entropy=3.5,
    ),
    Format("aws-access-key-id", ("akia", "asia"), r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b", "EXAMPLE$", 3.0),
    Format(
        "aws-secret-key",
        ("aws",),
        r"""(?i)aws_?secret_?(?:access_?)?key["']?[\t ]*(?:=|:|=>)[\t ]*["']?([a-z0-9/+]{40})(?:[^a-z0-9/+=]|$)""",
        "EXAMPLEKEY$",
        3.5,
    ),
    Format(
        "azure-storage-key",
        ("accountkey",),
        r"(?i)AccountKey[\t ]*=[\t ]*([a-z0-9+/]{86}==)",
        "^Eby8vdM02xNOcqFlqUwJPL",  # the storage emulator's
    ),
    Format(
        "azure-client-secret",
        ("q~",),
        r"(?:^|[^A-Za-z0-9_~.-])([A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34})(?:[^A-Za-z0-9_~.-]|$)",
    ),
    Format(
        "connection-string-password",
        ("password", "pwd"),
        r"(?i)\b(?:server|data source|host|user id|uid|username)[\t ]*=[^;\n]{1,200};(?:[^\n]{0,400};)?"
        r"""[\t ]*(?:password|pwd)[\t ]*=[\t ]*([^;"'\s<>{}$%*]{6,200})""",
        PLACEHOLDER,
    ),
    Format("bitbucket-token", ("atctt3",), r"\b(ATCTT3xFfG[A-Za-z0-9+/=_-]{60,240})"),
    Format("google-client-secret", ("gocspx-",), r"\b(GOCSPX-[A-Za-z0-9_-]{28})\b", entropy=3.5),
    Format("webhook-signing-secret", ("whsec_",), r"\b(whsec_[A-Za-z0-9+/]{24,86}={0,2})", entropy=3.5),
    Format(
        "discord-webhook", ("/api/webhooks/",), r"(https://discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,72})"
    ),
    Format("notion-token", ("ntn_",), r"\b(ntn_[0-9]{11}[A-Za-z0-9]{35})\b"),
    Format("nuget-key", ("oy2",), r"\b(oy2[a-z0-9]{43})\b", entropy=3.5),
    Format("artifactory-key", ("akcp",), r"\b(AKCp[A-Za-z0-9]{69})\b"),
    Format("square-secret", ("sq0",), r"\b(sq0(?:csp|atp)-[A-Za-z0-9_-]{22,43})\b", entropy=3.5),
    Format("azure-signature", ("sig=",), r"(?i)[?&]sig=([a-z0-9+/]{43}=|[a-z0-9%]{43,63}%3D)", entropy=3.5),
    Format(
        "npmrc-token",
        ("_authtoken",),
        r"_authToken[\t ]*=[\t ]*[\"']?([0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9_/+-]{20,200}={0,2})",
        entropy=3.0,
    ),
    Format("putty-key", ("putty-user-key-file",), r"(PuTTY-User-Key-File-[23]: [a-z0-9-]{3,40})"),
    Format(
        "private-key-header",
        ("-----begin",),
        r"(-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[\s\\rn]{1,6}[A-Za-z0-9+/=]{1,64})?)",
    ),
    Format(  # <add key="PaymentApiSecret" value="…" />
        "configuration-secret",
        ("key=",),
        r"""(?i)key="[\w.:-]{0,60}(?:secret|password|token|api-?key)"[\t ]+value="([^"\s$%{}<>]{12,200})\"""",
    ),
    Format(
        "element-secret",
        ("<",),
        r"(?i)<(?:[\w.-]{0,40}(?:secret|password|token|api-?key))>([^\s$%{}<>]{12,200})</",
    ),
    Format(
        "authorization-header",
        ("bearer ",),
        r"(?i)authorization[\"']?[\t ]*[:=,][\t ]*[\"']?bearer ([\w.~+/-]{20,400}=*)",
    ),
)
BY_CONTEXT: Final = frozenset({"configuration-secret", "element-secret", "authorization-header"})
"""Those that go by a name beside the value."""
_LOCAL: Final = r"(?i)(?:server|data source|host)[\t ]*=[\t ]*(?:tcp:)?(?:localhost|127\.0\.0\.1|\(local|\.[\\;])"
"""In a match: a database on the developer's own machine."""


def configuration() -> str:
    """Return the engine's configuration, TOML."""
    return "\n".join(["[extend]", "useDefault = true", *map(_rule, FORMATS)])


def _rule(one: Format) -> str:
    keywords = ", ".join(f'"{keyword}"' for keyword in one.keywords)
    unless = [f'entropy(finding["secret"]) <= {one.entropy}', f'matchesAny(finding["match"], [`{_LOCAL}`])']
    if one.harmless:
        unless.append(f'matchesAny(finding["secret"], [`{one.harmless}`])')
    return f"""\
[[rules]]
id = "{one.rule}"
description = "{one.rule}"
keywords = [{keywords}]
confidence = "high"
regex = '''{one.regex}'''
filter = '''{" || ".join(unless)}'''
"""
