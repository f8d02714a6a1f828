"""One real Chromium for all journeys."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from firstbell.cli.demo_school import PASSWORD
from tests.conftest import Town

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
PHONE, DESK = (390, 844), (1280, 800)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
COLOURS = {"type": "rule", "values": ["color-contrast"]}
"""What night changes."""

# As long as an action may take: what comes late on a busy machine is not what a journey judges.
expect.set_options(timeout=30_000)

EVERYTHING = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's chromium where it is, else the one that Playwright installed."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield found
        found.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, town: Town, server: str) -> Iterator[Visit]:
    """Make a browser of its own at a school: `visit("noor.vermeulen")`, or `visit()` for whoever is not signed in."""
    port = urlsplit(server).port
    with ExitStack() as open_browsers:

        def make(
            name: str | None = None,
            *,
            slug: str = "sint-jozef",
            size: tuple[int, int] = DESK,
            expects_errors: bool = False,
            **options: Any,
        ) -> Page:
            home = f"http://{town.world.school(slug).host}:{port}"
            page = open_browsers.enter_context(_window(chromium, home, size, options, expects_errors))
            page.goto("/sign-in")
            if name is not None:
                sign_in(page, name)
            return page

        yield make


@contextmanager
def _window(
    chromium: Browser, home: str, size: tuple[int, int], options: dict[str, Any], expects_errors: bool
) -> Iterator[Page]:
    """A window that holds the promise of every page: no script fails, and no other site is asked for anything."""
    width, height = size
    context = chromium.new_context(base_url=home, viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    faults: list[str] = []
    ours = (f"{home}/", "data:", "blob:", "about:", "chrome")  # Chromium shows a PDF by pages of its own
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith(ours) else faults.append(request.url))
    yield page
    context.close()
    assert expects_errors or not faults, f"the browser complained: {faults}"


def sign_in(page: Page, name: str) -> None:
    """Sign in as people do."""
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("form button.go")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def violations(page: Page, rules: dict[str, Any] = EVERYTHING) -> list[str]:
    """What axe finds wrong for somebody who sees, hears or moves differently.

    Its script comes in by the debugger, past the page's own policy.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
    return [f"{wrong['id']}: {wrong['nodes'][0]['html'][:200]}" for wrong in found["violations"]]
