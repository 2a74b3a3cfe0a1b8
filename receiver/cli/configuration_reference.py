"""Write docs/configuration.md from the settings: `python -m receiver.cli.configuration_reference`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from receiver.settings import DatabaseSettings, Settings, WorkerSettings, documentation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"

HEAD = """# Configuration

Settings are environment variables. `bug-fix doctor` names what is missing or wrong. What the team decides
(repositories, agents, policy) is not here but in `bug-fix.yml`, the catalogue.

This page is made from `receiver/settings.py`; write it anew with `python -m receiver.cli.configuration_reference`.
"""

SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Database",
        "All that `migrate`, `runs`, `explain`, `session` and `start` need.",
        ("database_", "bug_fix_embedded"),
    ),
    ("GitLab", "", ("gitlab_",)),
    ("Jira", "", ("jira_",)),
    ("Anthropic", "Known to `bug-fix serve` only; jobs never see the key.", ("anthropic_",)),
    ("Service", "", ("bug_fix_catalogue", "public_url", "read_tokens", "host", "port")),
    ("Work and retention", "", ("worker_", "sweep_", "deliveries_", "transcripts_", "evidence_")),
)
"""Title, introduction, beginnings of the names."""

SECRET = "secret"  # noqa: S105  # a word for people
SECRETS = ("token", "secret", "api_key", "header")


def page() -> str:
    """Return the page."""
    documented = documentation(Settings)
    left = {field.name: field for field in msgspec.structs.fields(Settings)}
    parts = [HEAD]
    for title, introduction, beginnings in SECTIONS:
        names = [name for name in left if name.startswith(beginnings)]
        rows = [_row(left.pop(name), documented[name]) for name in names]
        table = "\n".join(["| Variable | Default | Needed by | What it is |", "|---|---|---|---|", *rows])
        parts.append("\n\n".join(text for text in (f"## {title}", introduction, table) if text) + "\n")
    if left:
        raise ValueError(f"Add a section for {', '.join(left)}.")
    return "\n".join(parts)


def _row(field: msgspec.structs.FieldInfo, text: str) -> str:
    kind = f" *({SECRET})*" if any(word in field.name for word in SECRETS) else ""
    return f"| `{field.encode_name}`{kind} | {_default(field)} | {_needed_by(field.name)} | {text} |"


NEEDED_BY = {
    "gitlab_hooks_token": "doctor, work",
    "gitlab_merge_token": "doctor, work",
    "worker_concurrency": "work",
    "sweep_seconds": "work",
    "deliveries_retention_days": "work",
    "transcripts_retention_days": "work",
}
"""Those that not both processes read although both know them."""


def _needed_by(name: str) -> str:
    if name in NEEDED_BY:
        return NEEDED_BY[name]
    if name in DatabaseSettings.__struct_fields__:
        return "all"
    return "serve, work" if name in WorkerSettings.__struct_fields__ else "serve"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    optional = field.default in {None, ""}
    if not optional:
        return f"`{field.default}`"
    return "one of the two" if field.name in DatabaseSettings.__struct_fields__ else "none"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
