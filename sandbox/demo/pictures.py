"""The command `scripts/pictures`: play scenarios and take the pictures of docs/images from what people see then.

Idempotent: each picture is taken anew, from real pages. What is in a picture is said by elements of the page, so that
it is cropped to them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright
from rich.console import Console

from sandbox.demo.play import play
from sandbox.demo.processes import DemoError
from sandbox.demo.story import Story
from sandbox.demo.terminal import Screen, screen
from sandbox.demo.world import CHECKOUT, READ_TOKEN, World
from sandbox.scenario_format import find, load

IMAGES = CHECKOUT / "docs" / "images"
SHARPNESS = 2
"""Pixels of the picture for one of the page, so that text stays sharp on the screens of today."""
MARGIN = 14
"""Of the page, around what is shown."""


class Seen(Struct, frozen=True, kw_only=True):
    """A world in which a story ended or waits."""

    world: World
    story: Story

    def receiver(self, path: str) -> str:
        """Return the address of a page of ours."""
        return f"{self.world.receiver_url}{path}"

    def ticket(self, reader: str = "") -> str:
        """Return the address of the ticket in Jira, for everybody or as a person sees it."""
        vendors = self.world.vendors
        if vendors is None:
            raise DemoError("The sandbox has not been started.")
        return f"{vendors.jira['url']}/browse/{vendors.issue_key}" + (f"?as={reader}" if reader else "")

    def pipeline(self, kind: str) -> str:
        """Return the address of the first pipeline of a kind."""
        return next(one.url for one in self.story.pipelines if one.kind == kind)

    def merge_request(self) -> str:
        """Return the address of the first merge request."""
        return self.story.merge_requests[0].url


class Picture(Struct, frozen=True, kw_only=True):
    """A picture: where it is taken, and what of the page is in it."""

    name: str
    scenario: str
    address: Callable[[Seen], str]
    parts: tuple[str, ...] = ("main",)
    """Selectors; the picture reaches from the first to the last of all elements that fit."""
    width: int = 1000
    """Of the window."""
    below: int = MARGIN
    """The margin below."""
    waits: bool = False
    """Taken while the run waits for people, who don't react."""


TICKET = (".crumbs", "aside", ".comment")
"""Of the ticket's page: all but its history."""

OURS = (".comment:has-text('Bug fix:')",)
"""Of the ticket's page: what we said."""

PICTURES = (
    Picture(
        name="start",
        scenario="pl-479",
        address=lambda seen: seen.receiver("/"),
        parts=("main h1", "main table"),
        width=1130,
    ),
    Picture(
        name="pipeline",
        scenario="pl-479",
        address=lambda seen: seen.pipeline("parent"),
        parts=("main h1", "main .graph"),
        width=1620,
    ),
    Picture(
        name="tests",
        scenario="pl-479",
        address=lambda seen: f"{seen.pipeline('child')}/test_report",
        parts=("main h1", "main table.tests tr:nth-child(-n+9)"),
        width=1200,
        below=0,  # where the next row begins
    ),
    Picture(
        name="merge-request",
        scenario="pl-479",
        address=Seen.merge_request,
        parts=("main h1", "main .columns .card", "main aside"),
        width=1340,
    ),
    Picture(
        name="superfluous-file",
        scenario="superfluous-file",
        address=Seen.merge_request,
        parts=("main h1", "main .columns .card", "main aside"),
        width=1340,
    ),
    Picture(name="ticket", scenario="pl-479", address=Seen.ticket, parts=TICKET),
    Picture(
        name="run-story",
        scenario="pl-479",
        address=lambda seen: seen.receiver(f"/runs/{seen.story.run.id}"),
        parts=("main h1", "main .card"),
    ),
    Picture(
        name="run-jobs",
        scenario="pl-479",
        address=lambda seen: seen.receiver(f"/runs/{seen.story.run.id}"),
        parts=("h2:text-is('Pipelines')", "h2:text-is('Cost by phase') + *"),
    ),
    Picture(name="plan-waits", scenario="plan-approval", address=Seen.ticket, parts=OURS, waits=True),
    Picture(name="question", scenario="needs-information", address=Seen.ticket, parts=OURS, waits=True),
    Picture(
        name="security-ticket", scenario="security-concern", address=lambda seen: seen.ticket("dana"), parts=TICKET
    ),
    Picture(name="not-reproduced", scenario="not-reproduced", address=Seen.ticket, parts=OURS),
)


class Box(Struct, frozen=True, kw_only=True):
    """A rectangle of a page."""

    x: float
    y: float
    width: float
    height: float


def around(boxes: Sequence[Box], *, below: float = MARGIN) -> Box:
    """Return the smallest rectangle that holds all, with a margin where the page has room for one."""
    left, top = max(0.0, min(one.x for one in boxes) - MARGIN), max(0.0, min(one.y for one in boxes) - MARGIN)
    right = max(one.x + one.width for one in boxes) + MARGIN
    bottom = max(one.y + one.height for one in boxes) + below
    return Box(x=left, y=top, width=right - left, height=bottom - top)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = _parser()
    options = parser.parse_args(arguments)
    known = [one.name for one in PICTURES]
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"there is no picture {unknown[0]}; there are {', '.join(known)}")
    chosen = [one for one in PICTURES if not options.names or one.name in options.names]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options.out.mkdir(parents=True, exist_ok=True)
    with screen(Console(force_terminal=False)) as out, _browser() as browser:
        try:
            for (name, waits), pictures in groupby(chosen, lambda one: (one.scenario, one.waits)):
                with _staged(name, out, waits=waits) as seen:
                    _take(pictures, seen, browser, out, folder=options.out)
        except DemoError as error:
            out.line(f"✗ {error}")
            return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/pictures",
        description="Play scenarios and take the pictures of the documentation from what people see then. "
        f"Pictures: {', '.join(one.name for one in PICTURES)}.",
    )
    parser.add_argument("names", nargs="*", metavar="PICTURE", help="only these (default: all)")
    parser.add_argument("--out", type=Path, default=IMAGES, metavar="DIR", help="where to (default: docs/images)")
    return parser


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("BUG_FIX_BROWSER") or None, args=["--no-sandbox", "--hide-scrollbars"]
        )
        with browser:
            yield browser


@contextmanager
def _staged(name: str, out: Screen, *, waits: bool) -> Iterator[Seen]:
    """Play a scenario and keep its world during the block."""
    scenario = load(find(name))
    if waits:
        scenario = replace(scenario, reactions=(), expected=replace(scenario.expected, own_pipelines={}))
    state = Path(tempfile.mkdtemp(prefix="bug-fix-pictures-"))
    out.line(f"{name}: {scenario.title}")
    try:
        with World(scenario=str(scenario.folder), state=state, catalogue=scenario.folder / "bug-fix.yml") as world:
            out.now(f"the world of {name} is started")
            world.start_postgres()
            world.start_sandbox()
            world.start_receiver()
            world.start_worker()
            played = play(world, scenario, out, evidence=state / "evidence", timeout_s=420)
            if played.surprises and not waits:
                raise DemoError(f"{name} did not end as expected: {'; '.join(played.surprises)}")
            yield Seen(world=world, story=played.story)
            out.now("everything is being stopped")
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _take(pictures: Iterable[Picture], seen: Seen, browser: Browser, out: Screen, *, folder: Path) -> None:
    for picture in pictures:
        page = browser.new_page(viewport={"width": picture.width, "height": 800}, device_scale_factor=SHARPNESS)
        page.goto(seen.receiver(f"/enter?token={READ_TOKEN}"))
        page.goto(picture.address(seen))
        box = around(list(_boxes(page, picture.parts)), below=picture.below)
        file = folder / f"{picture.name}.png"
        clip: FloatRect = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
        page.screenshot(path=file, full_page=True, clip=clip)
        page.close()
        out.line(f"✓ {file.name}  {file.stat().st_size / 1000:.0f} kB")


def _boxes(page: Page, parts: Sequence[str]) -> Iterator[Box]:
    for part in parts:
        found = page.locator(part).all()
        if not found:
            raise DemoError(f"{page.url} has nothing that fits {part!r}.")
        for one in found:
            box = one.bounding_box()
            if box is not None:
                yield Box(**box)


if __name__ == "__main__":
    sys.exit(main())
