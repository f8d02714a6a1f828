"""In the line, in a real browser: the page goes on by itself, and a device that shows work comes in at once."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import Installation, Town, serving
from tests.journeys.conftest import PHONE, violations


@pytest.fixture(scope="module")
def busy(installation: Installation, town: Town) -> Iterator[str]:
    """A worker to which any stranger comes from a busy place; where the school is on it."""
    with serving(installation, strangers_per_second="0", strangers_per_second_min="0") as address:
        yield f"http://{town.world.school('sint-jozef').host}:{urlsplit(address).port}"


@pytest.fixture
def page(chromium: Browser, busy: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=busy, viewport={"width": PHONE[0], "height": PHONE[1]})
    yield context.new_page()
    context.close()


def test_a_stranger_s_browser_solves_its_puzzle_and_comes_in_without_anybody_s_help(page: Page) -> None:
    statuses: list[tuple[str, int]] = []
    page.on("response", lambda answer: statuses.append((answer.request.method, answer.status)))
    page.goto("/sign-in")
    page.wait_for_selector("[name=password]")
    assert statuses[0] == ("GET", 503)
    assert ("POST", 204) in statuses
    assert page.url.endswith("/sign-in")


def test_a_puzzle_that_takes_long_is_told_and_not_interrupted_and_the_page_is_for_everybody(page: Page) -> None:
    # Work that never ends: the page stays, past the moment at which it would have gone on without scripts.
    page.route("**/sha-*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/sign-in", wait_until="commit")  # on a slow machine it asks again before all of it is there
    page.get_by_text("Je toestel lost een kleine puzzel op").wait_for()
    page.evaluate("window.here = true")
    assert violations(page) == []
    page.wait_for_timeout(4_000)
    assert page.evaluate("window.here")


def test_when_the_script_cannot_work_the_page_goes_on_as_without_it(page: Page) -> None:
    page.route("**/bid?*", lambda route: route.abort())
    answers: list[tuple[str, int]] = []
    page.on("response", lambda answer: answers.append((answer.request.method, answer.status)))
    page.goto("/sign-in")
    page.wait_for_selector("[name=password]")
    assert answers[0] == ("GET", 503)
    assert all(method == "GET" for method, _ in answers), "it came back, and that is enough while there is room"
