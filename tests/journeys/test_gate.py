"""The operator's page of the gate, live; and pages that the gate refuses for a while."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Town, serving
from tests.journeys.conftest import sign_in
from tests.journeys.test_accessibility import faults
from tests.journeys.test_documents import in_a_new_folder
from tests.journeys.test_morning import course_of_an

OPERATOR, SCHOOL = "tom.wouters", "sint-jozef"
HASTY = {"device_requests_max": "40", "device_requests_per_second": "0.4"}
"""A server that finds 40 requests of one device enough for now, and one in 2.5 s afterwards."""


@pytest.fixture(scope="module")
def hasty(town: Town) -> Iterator[str]:
    """The address of the school on such a server."""
    with serving(town.installation, **HASTY) as address:
        yield f"http://{town.world.school(SCHOOL).host}:{urlsplit(address).port}"


Enter = Callable[[str], Page]


@pytest.fixture
def enter(chromium: Browser, hasty: str) -> Iterator[Enter]:
    """Signs somebody in, in a browser of their own."""
    with ExitStack() as open_browsers:

        def begin(name: str) -> Page:
            page = open_browsers.enter_context(chromium.new_context(base_url=hasty)).new_page()
            page.goto("/sign-in")
            sign_in(page, name)
            return page

        yield begin


@pytest.fixture
def operator(town: Town) -> Iterator[str]:
    """Somebody who looks after the installation for a while."""
    town.installation.run("person", "operator", OPERATOR, "--school", SCHOOL)
    yield OPERATOR
    town.installation.run("person", "operator", OPERATOR, "--school", SCHOOL, "--no-more")


def use_up(page: Page) -> None:
    """Ask for more than a person can."""
    page.evaluate("Promise.all(Array.from({length: 60}, () => fetch('/account')))")


def test_the_gate_is_shown_live_and_keeps_what_it_shows_while_it_is_refused(enter: Enter, operator: str) -> None:
    page = enter(operator)
    page.goto("/operator")
    wrong = faults(page, "nl")
    page.goto("/operator/gate")
    page.wait_for_selector(".plot", timeout=60_000)  # no plot before five seconds are over; the page found it by itself
    wrong |= faults(page, "nl")
    assert not wrong

    use_up(page)
    expect(page.locator("#refused")).to_be_visible(timeout=30_000)
    assert page.locator(".plot").count() == 8, "what was there stays"
    assert page.url.endswith("/operator/gate")
    expect(page.locator("#refused")).to_be_hidden(timeout=60_000)
    assert page.locator(".plot").count() == 8


def test_a_file_that_is_refused_waits_its_turn_and_arrives(enter: Enter, town: Town, tmp_path: Path) -> None:
    page = enter("an.peeters")
    in_a_new_folder(page, course_of_an(town))
    use_up(page)
    (tmp_path / "een.txt").write_text("Dag klas")
    page.set_input_files("input[type=file]", tmp_path / "een.txt")
    expect(page.locator("#refused")).to_be_visible()
    expect(page.locator(".sending")).to_contain_text("Toegevoegd", timeout=60_000)
    expect(page.locator("#documents .row-title")).to_have_text(["een.txt"], timeout=60_000)
    expect(page.locator("#refused")).to_be_hidden(timeout=60_000)
