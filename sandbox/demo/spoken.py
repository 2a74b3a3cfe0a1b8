"""Search what a run left in GitLab and Jira for words that must not stand there. Reads by their APIs, as people do."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import httpx2

from sandbox.demo.story import Story
from sandbox.demo.world import World


def spoken(world: World, story: Story, words: Sequence[str]) -> list[str]:
    """Return where any of the words stands in logs and artifacts of the run's jobs, a sentence each."""
    if world.vendors is None or not words:
        return []
    gitlab = world.vendors.gitlab
    with httpx2.Client(
        base_url=f"{gitlab['url']}/api/v4", headers={"PRIVATE-TOKEN": gitlab["token"]}, timeout=20
    ) as client:
        left = dict(_left(client, story))
    if not any(name.endswith("'s log") and b"turn 1:" in data for name, data in left.items()):
        return ["no job's log tells of an agent's turn, so nothing was searched"]
    return found(left, words)


def published(world: World, story: Story, words: Sequence[str]) -> list[str]:
    """Return where any of the words stands in the run's merge requests and in our comments that are not restricted."""
    if world.vendors is None or not words:
        return []
    gitlab, jira = world.vendors.gitlab, world.vendors.jira
    said: dict[str, bytes] = {}
    with httpx2.Client(
        base_url=f"{gitlab['url']}/api/v4", headers={"PRIVATE-TOKEN": gitlab["token"]}, timeout=20
    ) as client:
        for one in story.merge_requests:
            place = f"/projects/{quote(one.repository, safe='')}/merge_requests/{one.iid}"
            request = client.get(place).raise_for_status().json()
            texts = [request[name] for name in ("title", "description", "source_branch")]
            texts += [note["body"] for note in client.get(f"{place}/notes").raise_for_status().json()]
            said[f"{one.repository}!{one.iid}"] = "\n".join(texts).encode()
    comments = httpx2.get(
        f"{jira['url']}/rest/api/2/issue/{world.vendors.issue_key}/comment",
        auth=(jira["person"], jira["person_token"]),
        timeout=20,
    )
    for comment in comments.raise_for_status().json()["comments"]:
        if _OURS in comment["body"] and "visibility" not in comment:
            said[f"comment {comment['id']} on the ticket"] = comment["body"].encode()
    return found(said, words) if said else ["nothing was published, so nothing was searched"]


_OURS = "bug-fix:run="
"""In the marker at the end of each of our comments."""


def found(left: Mapping[str, bytes], words: Sequence[str]) -> list[str]:
    """Return in which of the files, by name, which words stand."""
    return [
        f"{word!r} stands in {name}"
        for name, data in left.items()
        for word in words
        if word.encode().lower() in data.lower()
    ]


def _left(client: httpx2.Client, story: Story) -> Iterator[tuple[str, bytes]]:
    for pipeline in story.pipelines:
        for job in pipeline.jobs:
            place = f"/projects/{pipeline.project_id}/jobs/{job.id}"
            yield f"{job.name}'s log", client.get(f"{place}/trace").raise_for_status().content
            archive = client.get(f"{place}/artifacts")
            if archive.status_code != 404:
                yield from _unpacked(archive.raise_for_status().content, f"{job.name}'s artifact")


def _unpacked(archive: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an archive, those of archives in it too."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for one in opened.infolist():
            data = opened.read(one)
            if zipfile.is_zipfile(io.BytesIO(data)):
                yield from _unpacked(data, f"{name} {one.filename}")
            else:
                yield f"{name} {one.filename}", data
