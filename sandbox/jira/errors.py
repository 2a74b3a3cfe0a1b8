"""Refusals in Jira's shape: `{"errorMessages": [...], "errors": {field: sentence}}`."""

from sandbox.http import HttpError


def refusal(status: int, *messages: str, fields: dict[str, str] | None = None, **headers: str) -> HttpError:
    """Make the refusal; header names are written with underscores."""
    payload = {"errorMessages": list(messages), "errors": fields or {}}
    return HttpError(status, payload, {name.replace("_", "-"): value for name, value in headers.items()})


def bad_request(*messages: str, **fields: str) -> HttpError:
    """400, with a sentence for each field that is wrong."""
    return refusal(400, *messages, fields=fields)


def no_issue() -> HttpError:
    """404, the same whether the issue is missing or hidden."""
    return refusal(404, "Issue does not exist or you do not have permission to see it.")


def not_found(message: str) -> HttpError:
    """404."""
    return refusal(404, message)
