"""Pages to look at: a board, and an issue like Jira's. Read-only, without a login; all text is escaped."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Final

from sandbox.http import HttpError, Request, Response, Route
from sandbox.jira.markup.markup_html import SAFE, render
from sandbox.jira.model import Attachment, Change, Comment, HistoryEntry, Issue, Person, RemoteLink, Status
from sandbox.jira.site import Site
from sandbox.jira.web_pages.page_style import STYLE

SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types that a browser may show; an SVG can hold a script."""
COLOURS: Final = ("#0055cc", "#216e4e", "#a54800", "#5e4db2", "#ae2a19", "#206a83")


def board(site: Site, _: Request) -> Response:
    """Show all issues by status."""
    lanes = "".join(_lane(site, status) for status in site.workflow.statuses)
    project = escape(site.project.name)
    return _page(
        site,
        f"{site.project.key} board",
        f'<p class="crumbs">Projects / {project}</p><h1>{escape(site.project.key)} board</h1>'
        f'<div class="board">{lanes}</div>',
    )


def browse(site: Site, request: Request) -> Response:
    """Show one issue; `as` names a person, whose page it is then: without comments that are not for them."""
    try:
        issue = site.issue(request.params["key"])
    except HttpError:
        text = "<h1>You can't view this issue</h1><p>It may have been deleted, or the key is wrong.</p>"
        return _page(site, "No such issue", text, status=404)
    crumbs = f'<p class="crumbs"><a href="/">{escape(site.project.name)}</a> / {escape(issue.key)}</p>'
    pictures = _pictures(issue)
    description = render(issue.description, pictures=pictures) or '<p class="empty">No description.</p>'
    reader = _reader(site, request.arg("as"))
    read = [one for one in issue.comments.values() if reader is None or _reads(reader, one)]
    comments = "".join(_comment(one, pictures) for one in read)
    main = (
        f'<h2>Description</h2><div class="text">{description}</div>'
        + _attachments(issue)
        + _links(issue)
        + f"<h2>Comments</h2>{comments or _empty('No comments yet.')}"
        + f'<h2>History</h2><ul class="history">{"".join(_entry(one) for one in reversed(issue.history))}'
        f"<li>{_avatar(issue.creator)}<b>{escape(issue.creator.name)}</b> created the issue · "
        f"{_time(issue.created)}</li></ul>"
    )
    content = f'{crumbs}<h1>{escape(issue.summary)}</h1><div class="columns"><div>{main}</div>{_facts(issue)}</div>'
    return _page(site, f"[{issue.key}] {issue.summary}", content)


def _reader(site: Site, username: str) -> Person | None:
    if not username:
        return None
    if username not in site.people:
        raise HttpError(404, {"error": f"as: there is nobody called {username}"})
    return site.people[username]


def _reads(reader: Person, comment: Comment) -> bool:
    """Whether a person may read a comment; nobody has a role in the emulated project."""
    audience = comment.visibility
    if not audience or comment.author is reader:
        return True
    return audience.get("type") == "group" and audience.get("value") in reader.groups


def avatar(site: Site, request: Request) -> Response:
    """Draw the initials that stand for somebody's picture."""
    person = site.people.get(request.params["name"].removesuffix(".svg"))
    if person is None:
        raise HttpError(404, {"error": "nobody has that picture"})
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">'
        f'<circle cx="24" cy="24" r="24" fill="{_colour(person)}"/>'
        '<text x="24" y="31" fill="#fff" font-family="sans-serif" font-size="18" text-anchor="middle">'
        f"{escape(_initials(person))}</text></svg>"
    )
    return Response(body=svg.encode(), headers={"content-type": "image/svg+xml"})


def _page(site: Site, title: str, content: str, *, status: int = 200) -> Response:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Jira</title><style>{STYLE}</style></head><body>"
        f'<div class="top"><span class="logo">J</span><b><a href="/">Jira</a></b>'
        f'<span class="note">emulated · {escape(site.flavour.value.replace("_", " "))}</span></div>'
        f"<main>{content}</main></body></html>"
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
    return Response(status=status, body=html.encode(), headers=headers)


def _lane(site: Site, status: Status) -> str:
    issues = [issue for issue in site.issues.values() if issue.status == status]
    cards = "".join(
        f'<a class="ticket" href="/browse/{escape(issue.key)}">{escape(issue.summary)}<br>{_labels(issue)}'
        f'<span class="foot"><span>{escape(issue.key)} · {escape(issue.priority.name)}</span>'
        f"{_avatar(issue.assignee) if issue.assignee else ''}</span></a>"
        for issue in issues
    )
    return f'<section class="lane"><h2>{escape(status.name)} {len(issues)}</h2>{cards}</section>'


def _facts(issue: Issue) -> str:
    rows = (
        ("Status", _lozenge(issue.status)),
        ("Resolution", escape(issue.resolution.name) if issue.resolution else "Unresolved"),
        ("Assignee", _named(issue.assignee) if issue.assignee else "Unassigned"),
        ("Reporter", _named(issue.reporter)),
        ("Type", escape(issue.issuetype.name)),
        ("Priority", escape(issue.priority.name)),
        ("Labels", _labels(issue) or "None"),
        *((("Security level", escape(issue.security.name)),) if issue.security else ()),
        ("Components", escape(", ".join(one.name for one in issue.components)) or "None"),
        ("Created", _time(issue.created)),
        ("Updated", _time(issue.updated)),
    )
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return f'<aside class="card"><dl>{facts}</dl></aside>'


def _attachments(issue: Issue) -> str:
    if not issue.attachments:
        return ""
    pictures = _pictures(issue)
    files = "".join(
        f"<li>{_file(one, pictures)} · {len(one.content):,} bytes · {escape(one.author.name)}</li>"
        for one in issue.attachments.values()
    )
    return f'<h2>Attachments</h2><ul class="links">{files}</ul>'


def _file(attachment: Attachment, pictures: Mapping[str, str]) -> str:
    name, address = escape(attachment.filename), pictures.get(attachment.filename)
    return name if address is None else f'<a href="{escape(address)}">{name}</a>'


def _pictures(issue: Issue) -> dict[str, str]:
    """Return the addresses of attached pictures by name; of two of one name the newer one counts, as in Jira."""
    return {one.filename: f"/picture/{one.id}" for one in issue.attachments.values() if one.mime_type in SHOWN}


def picture(site: Site, request: Request) -> Response:
    """Give an attached picture to a browser."""
    for issue in site.issues.values():
        found = issue.attachments.get(request.params["id"])
        if found is not None and found.mime_type in SHOWN:
            headers = {"content-type": found.mime_type, "x-content-type-options": "nosniff"}
            return Response(body=found.content, headers=headers)
    raise HttpError(404, {"error": "there is no such picture"})


def _links(issue: Issue) -> str:
    if not issue.links:
        return ""
    return f'<h2>Links</h2><ul class="links">{"".join(_link(one) for one in issue.links.values())}</ul>'


def _link(link: RemoteLink) -> str:
    url, title = str(link.object.get("url")), escape(str(link.object.get("title")))
    shown = f'<a href="{escape(url)}" rel="nofollow noreferrer">{title}</a>' if url.startswith(SAFE) else title
    summary = escape(str(link.object.get("summary") or ""))
    relationship = escape(link.relationship or "links to")
    status = link.object.get("status")
    resolved = ' class="resolved"' if isinstance(status, dict) and status.get("resolved") else ""
    return f'<li{resolved}><span class="who">{relationship}</span> {shown} <span class="who">{summary}</span></li>'


def _comment(comment: Comment, pictures: Mapping[str, str]) -> str:
    edited = "" if comment.updated == comment.created else f" · edited {_time(comment.updated)}"
    audience = comment.visibility or {}
    only = f" · <b>restricted to {escape(str(audience.get('value')))}</b>" if audience else ""
    who = f"<b>{escape(comment.author.name)}</b> {_time(comment.created)}{edited}{only}"
    body = render(comment.body, pictures=pictures)
    return (
        f'<div class="comment"><div>{_avatar(comment.author)}</div>'
        f'<div><div class="who">{who}</div><div class="text">{body}</div></div></div>'
    )


def _entry(entry: HistoryEntry) -> str:
    changes = "; ".join(_change(change) for change in entry.items)
    return (
        f"<li>{_avatar(entry.author)}<b>{escape(entry.author.name)}</b> changed {changes} · {_time(entry.created)}</li>"
    )


def _change(change: Change) -> str:
    if change.field == "description":
        return "the <b>description</b>"
    old, new = escape(change.old_text or "none"), escape(change.new_text or "none")
    return f"<b>{escape(change.field)}</b> {old} → <b>{new}</b>"


def _labels(issue: Issue) -> str:
    return "".join(f'<span class="label">{escape(label)}</span>' for label in issue.labels)


def _lozenge(status: Status) -> str:
    return f'<span class="lozenge {status.category.value[1]}">{escape(status.name)}</span>'


def _named(person: Person) -> str:
    return f"{_avatar(person)}{escape(person.name)}"


def _avatar(person: Person) -> str:
    style, name = f"background:{_colour(person)}", escape(person.name)
    return f'<span class="avatar" style="{style}" title="{name}">{escape(_initials(person))}</span>'


def _initials(person: Person) -> str:
    return "".join(word[0] for word in person.name.split()[:2]).upper()


def _colour(person: Person) -> str:
    return COLOURS[0 if person.bot else hashlib.sha256(person.username.encode()).digest()[1] % len(COLOURS)]


def _time(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%d %b %Y, %H:%M}</time>'


def _empty(text: str) -> str:
    return f'<p class="empty">{text}</p>'


ROUTES: Final[tuple[Route[Site], ...]] = (
    Route("GET", "/", board),
    Route("GET", "/browse/:key", browse, query=("as",)),
    Route("GET", "/avatar/:name", avatar),
    Route("GET", "/picture/:id", picture),
)
