"""One real Chromium for all journeys."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

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


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's chromium where it is, else the one that Playwright installed."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield found
        found.close()


@contextmanager
def visitor(browser: Browser, size: tuple[int, int] = DESK, **options: Any) -> Iterator[Page]:
    """A page of somebody whom no server knows yet; it fails for scripts that fail and for requests to other sites."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert not faults, f"the browser complained: {faults}"


def violations(page: Page) -> list[str]:
    """What axe finds wrong for somebody who sees, hears or moves differently. The script comes by the debugger: the
    page's own policy would refuse it."""
    page.evaluate(AXE.read_text())
    result = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [f"{found['id']}: {found['nodes'][0]['html'][:200]}" for found in result["violations"]]
