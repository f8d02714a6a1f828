"""Every page for everybody: axe finds nothing, by day and by night, on a phone and on a desk, in three languages.

Colours and the desk's layout are looked at in one language; the other two bring other words, longer ones on a phone.
"""

from collections.abc import Iterator

import pytest

from tests.conftest import Town
from tests.journeys.conftest import COLOURS, DESK, PHONE, Visit, violations

PUPIL, TEACHER, PARENT, OFFICE = "noor.vermeulen", "an.peeters", "sofie.vermeulen", "karel.thys"
COURSE = "/courses/{course_id}"
PAGES: dict[str, tuple[str, ...]] = {
    PUPIL: (
        "/",
        "/timetable",
        "/lessons/{lesson_id}",
        "/courses",
        COURSE,
        f"{COURSE}/folders/{{folder_id}}",
        f"{COURSE}/documents/{{document_id}}",
        "/account",
        "/nowhere",
    ),
    TEACHER: ("/", "/timetable", "/classes", "/classes/{class_id}"),
    PARENT: ("/", "/courses"),
    "hilde.maes": ("/", COURSE),
    OFFICE: ("/", "/people", "/people/{person_id}"),
    "tom.wouters": ("/",),
}


@pytest.fixture
def reader(town: Town, name: str, locale: str) -> Iterator[str]:
    """Somebody who reads `locale` for this test."""
    town.speak(name, locale)
    yield name
    town.speak(name, None)


@pytest.mark.parametrize("locale", ["nl", "fr", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_for_everybody(visit: Visit, town: Town, reader: str, name: str, locale: str) -> None:
    thing = town.thing("sint-jozef", of="3B")
    page = visit(reader, expects_errors="/nowhere" in PAGES[name])
    wrong: dict[str, list[str]] = {}
    for path in PAGES[name]:
        page.goto(path.format(**thing))
        assert page.locator("html").get_attribute("lang") == locale
        for width, height in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="light")
            found = violations(page) if locale == "nl" or width == PHONE[0] else []
            if locale == "nl":
                page.emulate_media(color_scheme="dark")
                found += violations(page, COLOURS)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append("it scrolls sideways")
            if found:
                wrong[f"{path} at {width}"] = found
    assert not wrong


def test_the_sign_in_page_is_for_everybody(visit: Visit) -> None:
    page = visit(size=PHONE)
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    assert not violations(page, COLOURS)
