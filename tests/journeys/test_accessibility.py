"""Every page for everybody: axe finds nothing, by day and by night, on a phone and on a desk, in three languages."""

import pytest

from tests.conftest import Town
from tests.journeys.conftest import DESK, PHONE, Visit, violations

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
VISITS = [(name, path) for name, paths in PAGES.items() for path in paths]


@pytest.mark.parametrize("locale", ["nl", "fr", "en"])
@pytest.mark.parametrize(("name", "path"), VISITS)
def test_a_page_is_for_everybody(visit: Visit, town: Town, name: str, path: str, locale: str) -> None:
    town.speak(name, locale)
    page = visit(name, expects_errors=path == "/nowhere")
    page.goto(path.format(**town.thing("sint-jozef", of="3B")))
    assert page.locator("html").get_attribute("lang") == locale
    wrong = {}
    for width, height in (DESK, PHONE):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            wrong[width, scheme] = violations(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, "nobody scrolls sideways"
    assert not any(wrong.values()), wrong


def test_the_sign_in_page_is_for_everybody(visit: Visit) -> None:
    page = visit()
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    assert not violations(page)
