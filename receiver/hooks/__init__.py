"""Verify a hook's bytes and translate them into events. Pure: no I/O, no clock; secrets and time are passed in."""

from receiver.hooks.delivery import (
    Delivery,
    HookError,
    Interests,
    NotJsonError,
    Reading,
    SignatureError,
    Source,
    WrongShapeError,
)
from receiver.hooks.delivery_reader import read
from receiver.hooks.gitlab_secrets import GitlabSecrets, HookSecret
from receiver.hooks.signatures import (
    JiraSecrets,
    screen_gitlab,
    screen_jira,
    verify_gitlab,
    verify_jira,
)

__all__ = [
    "Delivery",
    "GitlabSecrets",
    "HookError",
    "HookSecret",
    "Interests",
    "JiraSecrets",
    "NotJsonError",
    "Reading",
    "SignatureError",
    "Source",
    "WrongShapeError",
    "read",
    "screen_gitlab",
    "screen_jira",
    "verify_gitlab",
    "verify_jira",
]
