"""Connections to GitLab over python-gitlab: time-outs set, no retries inside, overload raised with Retry-After."""

from __future__ import annotations

import gitlab
import requests
from gitlab.v4.objects import CurrentUser

from receiver import limits
from receiver.outbound.sdk_errors import stop_at_overload, translate_errors


class Connection:
    """GitLab as one bot sees it."""

    def __init__(self, url: str, token: str) -> None:
        session = requests.Session()
        session.hooks["response"].append(stop_at_overload)
        self.api = gitlab.Gitlab(
            url,
            private_token=token,
            timeout=limits.GITLAB_ANSWER_S,
            session=session,
            per_page=100,
            keep_base_url=True,
        )

    def user_id(self) -> int:
        """Return the id of the bot that the token belongs to."""
        return int(self._user().id)

    def identity(self) -> str:
        """Return the name of the bot that the token belongs to."""
        return str(self._user().username)

    def _user(self) -> CurrentUser:
        with translate_errors("GitLab", "asking whose token it is"):
            self.api.auth()
        user = self.api.user
        if user is None:  # auth() sets it or raises
            raise TypeError(user)
        return user

    def close(self) -> None:
        """Close all connections."""
        self.api.session.close()
