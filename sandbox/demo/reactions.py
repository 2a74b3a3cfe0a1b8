"""What people do while a run goes on: a scenario's reactions, as those persons, in Jira and on GitLab's pages."""

from __future__ import annotations

from typing import Any

import httpx2

from sandbox.demo.processes import DemoError
from sandbox.demo.story import WAITING, Story
from sandbox.demo.terminal import Screen
from sandbox.demo.world import Vendors, World
from sandbox.scenario_format import GitLabAct, Reaction

TIMEOUT_S = 60.0


def statuses_since(story: Story, told: int) -> frozenset[str]:
    """Return the statuses that the run reached in its moments after the first `told`, and the one that it has."""
    passed = (moment.status_after for moment in story.moments[told:])
    return frozenset({story.run.status, *(status for status in passed if status is not None)})


def set_label(world: World, login: tuple[str, str], label: str) -> None:
    """Set a label on the ticket; where it is set already, nothing happens, as in Jira."""
    _label(world, login, {"add": label})


class Reactions:
    """What the persons of a scenario do. Each reaction happens once."""

    def __init__(self, world: World, reactions: tuple[Reaction, ...], screen: Screen) -> None:
        """Start with all reactions left."""
        self._world = world
        self._left = list(reactions)
        self._screen = screen
        self._comments = 0
        self._told = 0

    def react(self, story: Story) -> None:
        """Perform the reactions that are due, also to statuses that the run has already left."""
        reached = statuses_since(story, self._told)
        self._told = len(story.moments)
        iteration = story.run.iteration
        for reaction in list(self._left):
            is_due = any(reaction.is_due(status=status, iteration=iteration) for status in reached)
            if is_due and any(reaction.after in moment.reason for moment in story.moments):
                self._left.remove(reaction)
                self._do(reaction, story)

    def ticket_status(self) -> str:
        """Return the status that the ticket has in Jira."""
        login = next(self._login(username) for username in self._usernames())
        found: dict[str, Any] = _ask(self._world, "GET", "?fields=status", None, login).json()
        status: str = found["fields"]["status"]["name"]
        return status

    def is_over(self, story: Story) -> bool:
        """Return whether the run waits for people who have no reaction left, and has read all their comments."""
        run = story.run
        waits = run.status in WAITING
        due = any(one.is_due(status=run.status, iteration=run.iteration) for one in self._left)
        return waits and not due and self._was_heard(story)

    def are_done(self, story: Story) -> bool:
        """Return whether nobody has a reaction left to the run's end, and all comments are read."""
        due = any(one.is_due(status=story.run.status, iteration=story.run.iteration) for one in self._left)
        return not due and (not self._comments or self._was_heard(story))

    def _was_heard(self, story: Story) -> bool:
        heard = sum(moment.event == "IssueCommented" for moment in story.moments)
        return heard >= self._comments and all(act.state != "pending" for act in story.effects)

    def _act(self, username: str, wanted: GitLabAct, story: Story) -> None:
        ours = next((one.iid for one in story.merge_requests if one.repository == wanted.project), None)
        given = {"project": wanted.project} | ({} if ours is None else {"iid": ours}) | wanted.given
        number = given.get("iid", "")
        self._screen.line(f"{username} in GitLab: {wanted.act} {wanted.project}{f'!{number}' if number else ''}")
        url = f"{_vendors(self._world).gitlab['url']}/_sandbox/people/{username}/{wanted.act}"
        answer = httpx2.post(url, json=given, timeout=TIMEOUT_S)
        if answer.is_error:
            raise DemoError(f"{username} could not {wanted.act} in GitLab: {answer.text}")

    def _do(self, reaction: Reaction, story: Story) -> None:
        login = self._login(reaction.by)
        if reaction.label is not None:
            self._screen.line(f"{reaction.by} takes the label {reaction.label} off and sets it again")
            _label(self._world, login, {"remove": reaction.label})
            _label(self._world, login, {"add": reaction.label})
        if reaction.security is not None:
            self._screen.line(f"{reaction.by} gives the ticket a security level")
            _ask(self._world, "PUT", "", {"fields": {"security": {"id": reaction.security}}}, login)
        if reaction.gitlab is not None:
            self._act(reaction.by, reaction.gitlab, story)
        if reaction.comment is not None:
            self._screen.line(f"{reaction.by} comments on the ticket: {' '.join(reaction.comment.split())}")
            _ask(self._world, "POST", "/comment", {"body": reaction.comment}, login)
            self._comments += 1

    def _usernames(self) -> tuple[str, ...]:
        return tuple(_vendors(self._world).people)

    def _login(self, username: str) -> tuple[str, str]:
        person = _vendors(self._world).people[username]
        return person["jira_login"], person["jira_token"]


def _label(world: World, login: tuple[str, str], operation: dict[str, str]) -> None:
    _ask(world, "PUT", "", {"update": {"labels": [operation]}}, login)


def _ask(
    world: World, method: str, path: str, body: dict[str, object] | None, login: tuple[str, str]
) -> httpx2.Response:
    vendors = _vendors(world)
    url = f"{vendors.jira['url']}/rest/api/2/issue/{vendors.issue_key}{path}"
    return httpx2.request(method, url, json=body, auth=login, timeout=TIMEOUT_S).raise_for_status()


def _vendors(world: World) -> Vendors:
    if world.vendors is None:
        raise DemoError("The sandbox has not been started.")
    return world.vendors
