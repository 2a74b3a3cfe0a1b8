"""Job tokens: unguessable, valid only while their job runs. What one may do is the REST layer's business."""

import secrets


def new_job_token() -> str:
    """Make a token in GitLab's manner, `glcbt-…`; its length says nothing (real ones are JWTs from 19.0)."""
    return f"glcbt-64_{secrets.token_urlsafe(32)}"
