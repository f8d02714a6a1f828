"""The timetable by week and by day, as each role sees it."""

import re

import pytest

from tests.domains.timetable.world import ESDOORN, Browser, World

HEADER = "date,start,end,course,teachers,class,room,public_note,private_note\n"
WEEK = (
    "2026-11-23,08:30,09:20,WIS-3B,,,A 104,Pythagoras,Reserve: oefening 12\n"
    "2026-11-23,09:20,10:10,FRA-3AB,,,B 2,,\n"
    "2026-11-24,08:30,10:10,WIS-3A,,,A 104,,\n"
    "2026-11-26,13:05,13:55,WIS-3B,luc.dubois,,A 104,,\n"
)


@pytest.fixture(autouse=True)
def _lessons(world: World, _empty_timetable: None) -> None:
    assert world.import_file(HEADER + WEEK).returncode == 0
    assert world.import_file(HEADER + "2026-11-23,09:00,09:50,WO-1C,,,K1,,\n", school=ESDOORN).returncode == 0


def entries(html: str) -> list[tuple[str, str]]:
    """Title and what stands under it, of each lesson of a week."""
    return re.findall(r'<a class="hour[^>]*><b>([^<]*)</b><small>([^<]*)</small>', html)


def test_a_pupil_sees_the_lessons_of_their_own_courses(browser: Browser) -> None:
    html = browser("Noor Vermeulen").get("/timetable").text
    assert entries(html) == [
        ("Wiskunde", "A 104 · An Peeters"),
        ("Frans", "B 2 · Luc Dubois"),
        ("Wiskunde", "A 104 · Luc Dubois"),
    ]


def test_a_teacher_sees_the_lessons_that_they_give(browser: Browser) -> None:
    assert entries(browser("An Peeters").get("/timetable").text) == [
        ("Wiskunde", "3B · A 104"),
        ("Wiskunde", "3A · A 104"),
    ]
    assert ("Wiskunde", "3B · A 104") in entries(browser("Luc Dubois").get("/timetable").text)


def test_a_parent_sees_each_child_in_whichever_school(browser: Browser, world: World) -> None:
    client = browser("Sofie Claes")
    assert ("Frans", "B 2 · Luc Dubois") in entries(client.get("/timetable").text)
    wout = world.people[f"Wout Vermeulen ({ESDOORN})"]
    assert entries(client.get(f"/timetable?child={wout}").text) == [("Wereldoriëntatie", "K1 · Els Hendrickx")]


def test_a_parent_sees_no_other_child(browser: Browser, world: World) -> None:
    ilyas = world.people["Ilyas Amrani"]
    assert browser("Sofie Claes").get(f"/timetable?child={ilyas}").status_code == 404
    assert browser("Noor Vermeulen").get(f"/timetable?child={ilyas}").status_code == 404


def test_a_lesson_of_two_hours_spans_two_rows(browser: Browser) -> None:
    html = browser("Ilyas Amrani").get("/timetable").text
    assert html.count('rowspan="2"') == 1


def test_the_address_names_the_week(browser: Browser) -> None:
    client = browser("Noor Vermeulen")
    assert entries(client.get("/timetable?week=2026-W48").text) == entries(client.get("/timetable").text)
    assert entries(client.get("/timetable?week=2026-W49").text) == []
    assert "Geen lessen deze week" in client.get("/timetable?week=2026-W49").text


@pytest.mark.parametrize("week", ["2026-W54", "week", "2026-W00", "99999-W01", "2026-W1"])
def test_a_week_that_does_not_exist_is_not_found(browser: Browser, week: str) -> None:
    assert browser("Noor Vermeulen").get("/timetable", params={"week": week}).status_code == 404


def test_a_day_shows_notes_but_never_those_for_teachers(browser: Browser) -> None:
    html = browser("Noor Vermeulen").get("/timetable/2026-11-23").text
    assert "Pythagoras" in html
    assert "Reserve" not in html


def test_a_day_without_lessons_says_when_the_next_are(browser: Browser) -> None:
    html = browser("Noor Vermeulen").get("/timetable/2026-11-25").text
    assert "Geen les op deze dag" in html
    assert "/timetable/2026-11-26" in html


def test_staff_and_its_own_pupils_see_the_week_of_a_class(browser: Browser, world: World) -> None:
    address = f"/classes/{world.classes['3B']}/timetable"
    for name in ("Greet Maes", "An Peeters", "Mia Jacobs", "Noor Vermeulen"):
        assert ("Frans", "B 2 · Luc Dubois") in entries(browser(name).get(address).text), name
    assert browser("Ilyas Amrani").get(address).status_code == 404
    assert browser("Sofie Claes").get(address).status_code == 404


def test_who_runs_the_school_chooses_a_class(browser: Browser, world: World) -> None:
    assert f"/classes/{world.classes['3B']}/timetable" in browser("Greet Maes").get("/timetable").text
