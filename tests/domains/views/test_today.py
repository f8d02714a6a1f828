"""The today page of each role, on a Monday morning at nine."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from asyncpg.exceptions import QueryCanceledError

from tests.conftest import serving, wait_until
from tests.domains.timetable.world import ESDOORN, LINDE, MONDAY_AT_NINE, Browser, World, signed_in

HEADER = "date,start,end,course,teachers,class,room,public_note,private_note\n"
MONDAY = (
    "2026-11-23,08:30,09:20,WIS-3B,,,A 104,Pythagoras,\n"
    "2026-11-23,09:20,10:10,FRA-3AB,,,B 2,,\n"
    "2026-11-24,10:25,11:15,WIS-3B,,,A 104,,\n"
)
ESDOORN_MONDAY = "2026-11-23,08:30,10:10,WO-1C,,,K1,Herfst,\n"


@pytest.fixture
def _lessons(world: World, _empty_timetable: None) -> None:
    world.import_file(HEADER + MONDAY)
    world.import_file(HEADER + ESDOORN_MONDAY, school=ESDOORN)


def line(html: str) -> list[tuple[str, str]]:
    """How each lesson of a day stands, and its title."""
    found = re.findall(
        r'<li class="lesson is-([\w -]+?)(?: hue-\d)?"[^>]*>.*?lesson-title">(?:<a[^>]*>)?([^<]*)<', html, re.S
    )
    return [(state, title) for state, title in found]


def attach(world: World, course: str, name: str) -> UUID:
    """Make a new document of the course material of its lesson on Monday."""
    document = world.add_document(course, name)
    world.sql(
        "INSERT INTO lesson_document SELECT school_id, id, $2 FROM lesson WHERE course_id = $1 AND date = '2026-11-23'",
        world.courses[course],
        document,
    )
    return document


@pytest.mark.usefixtures("_lessons")
def test_a_pupil_sees_the_day_as_a_line_with_the_present_lesson_raised(browser: Browser, world: World) -> None:
    worksheet = attach(world, "WIS-3B", "Werkblad Pythagoras.pdf")
    html = browser("Noor Vermeulen").get("/").text
    assert "Goeiemorgen, Noor" in html
    assert line(html) == [("now", "Wiskunde"), ("later", "Frans")]
    assert "Pythagoras" in html
    assert f'href="/courses/{world.courses["WIS-3B"]}/documents/{worksheet}"' in html
    assert "Morgen" in html


@pytest.mark.usefixtures("_lessons")
def test_a_pupil_sees_what_is_new_in_their_own_courses(browser: Browser, world: World) -> None:
    world.add_document("FRA-3AB", "Vocabulaire 7.pdf")
    world.add_document("FRA-3AB", "Vocabulaire 1.pdf", added_at="2026-11-02T10:00:00Z")
    world.add_document("WIS-3A", "Stelsels.pdf")
    html = browser("Noor Vermeulen").get("/").text
    assert "Vocabulaire 7.pdf" in html
    assert "Vocabulaire 1.pdf" not in html
    assert "Stelsels.pdf" not in html


def test_a_day_without_lessons_says_so_and_shows_the_next_school_day(browser: Browser, world: World) -> None:
    world.import_file(HEADER + "2026-11-30,08:30,09:20,WIS-3B,,,A 104,,\n")
    html = browser("Noor Vermeulen").get("/").text
    assert "Vandaag geen les." in html
    assert "Maandag 30 november" in html
    assert line(html) == [("later", "Wiskunde")]


def test_after_the_last_bell_the_next_day_is_shown(browser: Browser, world: World) -> None:
    world.import_file(HEADER + "2026-11-23,07:30,08:20,WIS-3B,,,A 104,,\n2026-11-24,08:30,09:20,FRA-3AB,,,B 2,,\n")
    html = browser("Noor Vermeulen").get("/").text
    assert "De lessen van vandaag zitten erop." in html
    assert line(html) == [("later", "Frans")]


def test_without_a_timetable_the_page_says_what_will_come(browser: Browser) -> None:
    assert "Vandaag geen les" in browser("Noor Vermeulen").get("/").text


@pytest.mark.usefixtures("_lessons")
def test_a_teacher_sees_the_lessons_with_their_class_and_the_own_courses(browser: Browser, world: World) -> None:
    html = browser("An Peeters").get("/").text
    assert line(html) == [("now", "Wiskunde")]
    assert "3B · A 104" in html
    assert f'href="/courses/{world.courses["WIS-3A"]}"' in html


@pytest.mark.usefixtures("_lessons")
def test_a_parent_sees_every_child_side_by_side_over_schools(browser: Browser) -> None:
    for host in (LINDE, ESDOORN):
        html = browser("Sofie Claes", host).get("/").text
        assert html.index("Noor") < html.index("Wout")
        assert line(html) == [("now", "Wiskunde"), ("later", "Frans"), ("now", "Wereldoriëntatie")]
        assert "De Esdoorn" in html


@pytest.mark.usefixtures("_lessons")
def test_a_parent_without_children_is_told_how_to_link_one(browser: Browser) -> None:
    assert "Nog geen kinderen" in browser("Jan Vermeulen").get("/").text


@pytest.mark.usefixtures("_lessons")
@pytest.mark.parametrize("name", ["Greet Maes", "Mia Jacobs", "Kobe Wouters"])
def test_who_runs_the_school_sees_what_is_being_taught(browser: Browser, name: str) -> None:
    html = browser(name).get("/").text
    assert "1 les bezig" in html
    assert "Wiskunde 3B" in html
    assert "Frans" not in html


@pytest.mark.usefixtures("_lessons")
def test_the_ict_coordinator_sees_how_the_school_stands(browser: Browser) -> None:
    html = browser("Kobe Wouters").get("/").text
    assert "Deze installatie" in html
    assert "dinsdag 24 november 2026" in html


@pytest.mark.usefixtures("_lessons")
def test_what_a_teacher_changes_reaches_the_page_that_a_class_shares(world: World) -> None:
    [row] = world.sql("SELECT id FROM lesson WHERE course_id = $1 AND date = '2026-11-23'", world.courses["WIS-3B"])
    with (
        serving(world.installation, clock=MONDAY_AT_NINE) as address,
        signed_in(address, "Noor Vermeulen") as pupil,
        signed_in(address, "An Peeters") as teacher,
    ):
        assert "Pythagoras" in pupil.get("/").text
        teacher.post(f"/lessons/{row['id']}/notes", data={"room": "C 7", "public_note": "Thales"})
        wait_until(lambda: "Thales" in pupil.get("/").text)


@pytest.mark.usefixtures("_lessons")
def test_whoever_leaves_a_course_no_longer_sees_its_lessons(browser: Browser, world: World) -> None:
    """Who follows what is asked for every page; only what a course shares is kept."""
    pupil = browser("Ilyas Amrani")
    assert "Frans" in pupil.get("/").text
    key = (world.schools[LINDE], world.courses["FRA-3AB"], world.people["Ilyas Amrani"])
    world.sql("DELETE FROM enrolment WHERE school_id = $1 AND course_id = $2 AND person_id = $3", *key)
    try:
        assert "Frans" not in pupil.get("/").text
    finally:
        world.sql("INSERT INTO enrolment VALUES ($1, $2, $3, 'pupil')", *key)


def test_when_documents_fail_the_lessons_are_still_there(browser: Browser, world: World) -> None:
    world.import_file(HEADER + MONDAY)
    pupil = browser("Noor Vermeulen")
    world.sql("REVOKE SELECT ON document FROM firstbell_app")
    try:
        html = pupil.get("/").text
    finally:
        world.sql("GRANT SELECT ON document TO firstbell_app")
    assert line(html) == [("now", "Wiskunde"), ("later", "Frans")]
    assert "kunnen we even niet tonen" in html


@pytest.mark.usefixtures("_lessons")
def test_the_page_speaks_the_language_of_its_reader(browser: Browser, world: World) -> None:
    account = world.sql("SELECT account_id FROM person WHERE id = $1", world.people["Noor Vermeulen"])[0]["account_id"]
    world.sql("UPDATE account SET locale = 'fr' WHERE id = $1", account)
    try:
        html = browser("Noor Vermeulen").get("/").text
    finally:
        world.sql("UPDATE account SET locale = NULL WHERE id = $1", account)
    assert "Bonjour, Noor" in html
    assert "8\N{NARROW NO-BREAK SPACE}h\N{NARROW NO-BREAK SPACE}30" in html


def test_a_database_that_does_not_answer_in_time_is_a_moment_and_no_fault(world: World) -> None:
    with (
        serving(world.installation, clock=MONDAY_AT_NINE, database_statement_timeout_ms="300") as address,
        signed_in(address, "Noor Vermeulen") as pupil,
        ThreadPoolExecutor(1) as threads,
    ):
        held = threads.submit(world.sql, "DO $$ BEGIN LOCK TABLE enrolment; PERFORM pg_sleep(300); END $$")
        held_by = "FROM pg_locks WHERE relation = 'enrolment'::regclass AND mode = 'AccessExclusiveLock' AND granted"
        wait_until(lambda: bool(world.sql(f"SELECT {held_by}")))
        page, program = pupil.get("/"), pupil.get("/", headers={"accept": "application/json"})
        world.sql(f"SELECT pg_cancel_backend(pid) {held_by}")
        with pytest.raises(QueryCanceledError):
            held.result()
        assert (page.status_code, program.status_code) == (503, 503)
        assert int(page.headers["retry-after"]) > 0
        assert "We kunnen even niet bij de gegevens van je school." in page.text
        assert program.json()["type"] == "urn:firstbell:problem:away"
        assert pupil.get("/").status_code == 200
