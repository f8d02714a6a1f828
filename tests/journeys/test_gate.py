"""The operator's page of the gate: live, for everybody, and patient when the gate refuses the page itself."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from firstbell.kernel.engines import free_port
from tests.conftest import Town, wait_until
from tests.journeys.conftest import COLOURS, DESK, PHONE, sign_in, violations

OPERATOR, SCHOOL = "tom.wouters", "sint-jozef"
HASTY = {"device_requests_max": "40", "device_requests_per_second": "0.4"}
"""A server that finds 40 requests of one device enough for now, and one in 2.5 s afterwards."""


@pytest.fixture
def page(chromium: Browser, town: Town) -> Iterator[Page]:
    """The page of the gate on a server of its own, as its operator sees it."""
    port = free_port()
    address = f"http://{town.world.school(SCHOOL).host}:{port}"
    town.installation.run("person", "operator", OPERATOR, "--school", SCHOOL)
    server = subprocess.Popen(
        [sys.executable, "-m", "firstbell", "serve"],
        env=town.installation.environment(port=str(port), **HASTY),
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200, 60)
        context = chromium.new_context(base_url=address)
        found = context.new_page()
        found.goto("/sign-in")
        sign_in(found, OPERATOR)
        found.goto("/operator/gate")
        yield found
        context.close()
    finally:
        server.terminate()
        server.wait(20)
        town.installation.run("person", "operator", OPERATOR, "--school", SCHOOL, "--no-more")


def test_the_gate_is_shown_live_and_keeps_what_it_shows_while_it_is_refused(page: Page) -> None:
    page.wait_for_selector(".plot", timeout=60_000)  # no plot before five seconds are over; the page found it by itself
    wrong = []
    for width, height in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            wrong += violations(page, COLOURS) if theme == "dark" else violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"it scrolls sideways at {width}")
    assert not wrong

    page.evaluate("Promise.all(Array.from({length: 60}, () => fetch('/account')))")
    expect(page.locator("#refused")).to_be_visible(timeout=30_000)
    assert page.locator(".plot").count() == 8, "what was there stays"
    assert page.url.endswith("/operator/gate")
    expect(page.locator("#refused")).to_be_hidden(timeout=60_000)
    assert page.locator(".plot").count() == 8
