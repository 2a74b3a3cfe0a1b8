"""Bodies of webhooks, in the shapes of the recorded ones: Cloud's, and Data Center's, which differ for comments.

Cloud: `comment_created` with a slim issue and no user. Data Center: `comment_created` with nothing but the comment, and
`jira:issue_updated` with the whole issue beside it. Texts are wiki markup, addresses those of REST v2.
"""

from typing import assert_never

from sandbox.jira.issue_shape import FIELDS, issue_shape, slim
from sandbox.jira.model import Json
from sandbox.jira.shapes import Shapes
from sandbox.jira.site import Happening, News, Site
from sandbox.scenario_format import Flavour

COMMENTED = {
    Happening.COMMENT_CREATED: "issue_commented",
    Happening.COMMENT_UPDATED: "issue_comment_edited",
    Happening.COMMENT_DELETED: "issue_comment_deleted",
}
TYPES = {"status": "issue_generic", "resolution": "issue_generic"}
"""`issue_event_type_name` by the first field that changed; else `issue_updated`."""


def payloads(site: Site, news: News) -> list[Json]:
    """Return the bodies that one happening causes, in the order in which they are sent."""
    shapes = Shapes(site=site)
    match news.what:
        case Happening.ISSUE_CREATED:
            return [_issue(shapes, news, "jira:issue_created", "issue_created")]
        case Happening.ISSUE_UPDATED:
            first = news.entry.items[0].field if news.entry else ""
            return [_issue(shapes, news, "jira:issue_updated", TYPES.get(first, "issue_updated"))]
        case Happening.COMMENT_CREATED | Happening.COMMENT_UPDATED | Happening.COMMENT_DELETED:
            return _comment(shapes, news)
        case _:
            assert_never(news.what)


def _issue(shapes: Shapes, news: News, event: str, event_type: str) -> Json:
    # Cloud leaves comments out of the issue, Data Center has them in.
    left_out = {"comment"} if shapes.site.flavour is Flavour.CLOUD else set()
    issue = issue_shape(shapes, news.issue, fields=set(FIELDS) - left_out)
    del issue["expand"]
    payload: Json = {
        "timestamp": int(news.at.timestamp() * 1000),
        "webhookEvent": event,
        "issue_event_type_name": event_type,
        "user": shapes.person(news.person),
        "issue": issue,
    }
    if news.entry is not None:
        payload["changelog"] = {"id": news.entry.id, "items": shapes.items(news.entry.items)}
    if news.comment is not None:
        payload["comment"] = shapes.comment(news.issue, news.comment)
    return payload


def _comment(shapes: Shapes, news: News) -> list[Json]:
    if news.comment is None:
        raise ValueError("news of a comment comes with the comment")
    payload: Json = {
        "timestamp": int(news.at.timestamp() * 1000),
        "webhookEvent": news.what.value,
        "comment": shapes.comment(news.issue, news.comment),
    }
    match shapes.site.flavour:
        case Flavour.CLOUD:
            payload["issue"] = slim(shapes, news.issue)
            # Cloud's comment hooks keep email addresses to themselves.
            people = (payload["comment"]["author"], payload["comment"]["updateAuthor"])
            for person in (*people, payload["issue"]["fields"]["assignee"] or {}):
                person.pop("emailAddress", None)
            return [payload]
        case Flavour.DATA_CENTER:
            return [payload, _issue(shapes, news, "jira:issue_updated", COMMENTED[news.what])]
        case _:
            assert_never(shapes.site.flavour)
