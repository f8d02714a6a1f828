"""Every page for everybody: axe finds nothing, by day and by night, on a phone and on a desk, in three languages.

The desk's layout is looked at in one language; the other two bring other words, which are longest on a phone.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.conftest import Town
from tests.journeys.conftest import COLOURS, DESK, PHONE, Visit, violations
from tests.matrix.test_routes import DAY, ROUTES

PUPIL, TEACHER, PARENT, OFFICE = "noor.vermeulen", "an.peeters", "sofie.vermeulen", "karel.thys"
LOCALES = ("nl", "fr", "en")
COURSE = "/courses/{course_id}"
PAGES: dict[str, tuple[str, ...]] = {
    PUPIL: (
        "/",
        "/timetable",
        "/timetable/{day}",
        "/lessons/{lesson_id}",
        "/courses",
        COURSE,
        f"{COURSE}/folders/{{folder_id}}",
        f"{COURSE}/documents/{{document_id}}",
        "/account",
        "/nowhere",
    ),
    TEACHER: (
        "/",
        "/timetable",
        "/classes",
        "/classes/{class_id}",
        "/classes/{class_id}/timetable",
        "/lessons/{lesson_id}",
        "/lessons/{lesson_id}/notes",
        "/lessons/{lesson_id}/material",
        COURSE,
        f"{COURSE}/bin",
        f"{COURSE}/folders/{{folder_id}}",
        f"{COURSE}/folders/{{folder_id}}/details",
        f"{COURSE}/documents/{{document_id}}/details",
    ),
    PARENT: ("/", "/courses"),
    "hilde.maes": ("/", COURSE),
    OFFICE: ("/", "/people", "/people/{person_id}"),
    "tom.wouters": ("/",),
}
ELSEWHERE = {
    "/sign-in",
    "/account/children/{person_id}/removal",
    "/operator",
    "/operator/gate",
}
"""Pages with a test of their own, here or in test_gate."""
BYTES = {"/blobs", f"{COURSE}/documents/{{document_id}}/content"}
"""What is no page."""


def test_every_page_is_looked_at() -> None:
    declared = {re.sub(r":\w+}", "}", route.path) for route in ROUTES if route.method == "GET"}
    assert declared - ELSEWHERE - BYTES <= {path for pages in PAGES.values() for path in pages}


@pytest.fixture
def reader(town: Town, name: str) -> Iterator[str]:
    """Somebody who may choose other languages in this test."""
    yield name
    town.speak(name, None)


def read(page: Page, locale: str) -> None:
    """Choose a language, as people do."""
    page.goto("/account")
    page.select_option("[name=locale]", locale)
    page.click("form[action='/account/language'] button")
    page.wait_for_url("**/account?*")


def faults(page: Page, locale: str) -> dict[str, list[str]]:
    """What is wrong with the page that is open, and where."""
    assert page.locator("html").get_attribute("lang") == locale
    wrong: dict[str, list[str]] = {}
    for width, height in (PHONE, DESK) if locale == LOCALES[0] else (PHONE,):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="light")
        found = violations(page)
        page.emulate_media(color_scheme="dark")
        found += violations(page, COLOURS)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("it scrolls sideways")
        if found:
            wrong[f"{page.url} in {locale} at {width}"] = found
    return wrong


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_for_everybody(visit: Visit, town: Town, reader: str) -> None:
    thing = {**town.thing("sint-jozef", of="3B", title="Wiskunde"), **DAY}
    page = visit(reader, expects_errors="/nowhere" in PAGES[reader])
    wrong: dict[str, list[str]] = {}
    for locale in LOCALES:
        read(page, locale)
        for path in PAGES[reader]:
            page.goto(path.format(**thing))
            wrong |= faults(page, locale)
    assert not wrong


@pytest.mark.parametrize("name", [PARENT])
def test_the_page_that_takes_a_child_off_is_for_everybody(visit: Visit, town: Town, reader: str) -> None:
    office = visit(OFFICE)
    office.goto(f"/people/{town.thing('sint-jozef', not_of='3B')['person_id']}")
    office.click("form[action$='/activation-code'] button")
    page = visit(reader)
    page.goto("/account")
    page.fill("[name=code]", office.locator("code").inner_text())
    page.click("form[action='/account/links'] button")
    page.wait_for_url("**/account?*")
    address = page.locator("a[href$='/removal']").get_attribute("href")
    assert address
    wrong: dict[str, list[str]] = {}
    for locale in LOCALES:
        read(page, locale)
        page.goto(address)
        wrong |= faults(page, locale)
    page.click(f"form[action='{address}'] button")
    page.wait_for_url("**/account?*")
    assert page.locator("a[href$='/removal']").count() == 0
    assert not wrong


def test_what_has_the_focus_is_never_under_the_tabs_of_a_phone(visit: Visit) -> None:
    page = visit(PUPIL, size=PHONE)
    page.goto("/")
    page.focus("main")
    tabs_begin = page.evaluate("document.querySelector('.tabs').getBoundingClientRect().top")
    ends = []
    for _ in range(page.locator("main a").count()):
        page.keyboard.press("Tab")
        ends.append(page.evaluate("document.activeElement.getBoundingClientRect().bottom"))
    assert len(ends) > 5
    assert max(ends) <= tabs_begin


def test_the_sign_in_page_is_for_everybody(visit: Visit) -> None:
    page = visit(size=PHONE)
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    assert not violations(page, COLOURS)
