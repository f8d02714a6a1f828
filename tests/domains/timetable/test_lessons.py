"""The page of a lesson, and what its teachers change there."""

from uuid import UUID

import httpx
import pytest

from tests.domains.timetable.world import ESDOORN, LINDE, Browser, World

HEADER = "date,start,end,course,teachers,class,room,public_note,private_note\n"
SECRET = "Noor vraagt extra tijd"


@pytest.fixture
def lesson(world: World, _empty_timetable: None) -> UUID:
    """Mathematics for 3B on Monday, with a note for teachers."""
    world.import_file(HEADER + f"2026-11-23,08:30,09:20,WIS-3B,,,A 104,Pythagoras,{SECRET}\n")
    [row] = world.sql("SELECT id FROM lesson WHERE school_id = $1", world.schools[LINDE])
    assert isinstance(row["id"], UUID)
    return row["id"]


def bytes_of(client: httpx.Client, address: str) -> str:
    """The page and its headers."""
    answer = client.get(address)
    return f"{answer.headers}{answer.text}"


def test_its_teacher_reads_both_notes(browser: Browser, lesson: UUID) -> None:
    html = browser("An Peeters").get(f"/lessons/{lesson}").text
    assert "Pythagoras" in html
    assert SECRET in html


@pytest.mark.parametrize("name", ["Noor Vermeulen", "Sofie Claes", "Greet Maes", "Luc Dubois"])
def test_nobody_else_receives_the_private_note_in_any_byte(browser: Browser, lesson: UUID, name: str) -> None:
    client = browser(name)
    for address in (f"/lessons/{lesson}", "/", "/timetable", "/timetable/2026-11-23"):
        assert SECRET not in bytes_of(client, address), address
    assert "Pythagoras" in client.get(f"/lessons/{lesson}").text
    assert client.get(f"/lessons/{lesson}/notes").status_code in {403, 404}


@pytest.mark.parametrize("name", ["Ilyas Amrani", "Jan Vermeulen"])
def test_who_does_not_follow_the_course_does_not_find_the_lesson(browser: Browser, lesson: UUID, name: str) -> None:
    assert browser(name).get(f"/lessons/{lesson}").status_code == 404


def test_another_school_does_not_find_the_lesson(browser: Browser, lesson: UUID) -> None:
    assert browser("Wout Vermeulen", ESDOORN).get(f"/lessons/{lesson}").status_code == 404
    assert browser("Els Hendrickx", ESDOORN).get(f"/lessons/{lesson}").status_code == 404


def test_a_parent_opens_a_childs_lesson_from_the_host_of_another_school(browser: Browser, lesson: UUID) -> None:
    assert "Pythagoras" in browser("Sofie Claes", ESDOORN).get(f"/lessons/{lesson}").text


def test_a_teacher_changes_notes_and_room(browser: Browser, lesson: UUID) -> None:
    teacher = browser("An Peeters")
    form = {"room": "C 7", "public_note": "Toets H5\r\nRekenmachine mee", "private_note": ""}
    assert teacher.post(f"/lessons/{lesson}/notes", data=form).status_code == 303
    html = browser("Noor Vermeulen").get(f"/lessons/{lesson}").text
    assert "Toets H5\nRekenmachine mee" in html
    assert "C 7" in html
    assert SECRET not in teacher.get(f"/lessons/{lesson}").text


@pytest.mark.parametrize("name", ["Noor Vermeulen", "Sofie Claes", "Greet Maes", "Luc Dubois"])
def test_nobody_else_changes_a_lesson(browser: Browser, world: World, lesson: UUID, name: str) -> None:
    document = world.add_document("WIS-3B", "Werkblad.pdf")
    client = browser(name)
    for path, form in (
        ("notes", {"public_note": "Geen les!"}),
        ("cancellation", {}),
        ("restoration", {}),
        ("material", {"document": str(document)}),
        (f"material/{document}/removal", {}),
    ):
        assert client.post(f"/lessons/{lesson}/{path}", data=form).status_code in {403, 404}, path
    assert world.lessons("public_note, cancelled_at") == [("Pythagoras", None)]
    assert world.sql("SELECT document_id FROM lesson_document WHERE school_id = $1", world.schools[LINDE]) == []


def test_a_note_that_is_too_long_is_refused_and_nothing_is_kept(browser: Browser, world: World, lesson: UUID) -> None:
    answer = browser("An Peeters").post(f"/lessons/{lesson}/notes", data={"room": "C 7", "public_note": "a" * 4_001})
    assert answer.status_code == 422
    assert "hoogstens 4000 tekens" in answer.text
    assert world.lessons("room") == [("A 104",)]


def test_a_cancelled_lesson_says_so_and_can_be_restored(browser: Browser, lesson: UUID) -> None:
    teacher, pupil = browser("An Peeters"), browser("Noor Vermeulen")
    teacher.post(f"/lessons/{lesson}/cancellation")
    assert "gaat niet door" in pupil.get(f"/lessons/{lesson}").text
    teacher.post(f"/lessons/{lesson}/restoration")
    assert "gaat niet door" not in pupil.get(f"/lessons/{lesson}").text


def test_what_a_teacher_cancelled_stays_cancelled_after_the_next_file(
    browser: Browser, world: World, lesson: UUID
) -> None:
    browser("An Peeters").post(f"/lessons/{lesson}/cancellation")
    world.import_file(HEADER + "2026-11-23,08:30,09:20,WIS-3B,,,A 104,Pythagoras,\n")
    [row] = world.lessons("cancelled_by")
    assert row == (world.people["An Peeters"],)


def test_a_teacher_chooses_documents_of_the_course_and_takes_them_away(
    browser: Browser, world: World, lesson: UUID
) -> None:
    worksheet, proof = world.add_document("WIS-3B", "Werkblad.pdf"), world.add_document("WIS-3B", "Bewijs.pdf")
    teacher, pupil = browser("An Peeters"), browser("Noor Vermeulen")
    choices = teacher.get(f"/lessons/{lesson}/material").text
    assert f'value="{worksheet}"' in choices
    teacher.post(f"/lessons/{lesson}/material", data={"document": [str(worksheet), str(proof)]})
    html = pupil.get(f"/lessons/{lesson}").text
    assert f"/courses/{world.courses['WIS-3B']}/documents/{worksheet}" in html
    assert "Bewijs.pdf" in html
    answer = teacher.post(f"/lessons/{lesson}/material/{proof}/removal", follow_redirects=True)
    assert "Terugzetten" in answer.text
    assert "Bewijs.pdf" not in pupil.get(f"/lessons/{lesson}").text
    teacher.post(f"/lessons/{lesson}/material", data={"document": str(proof)})
    assert "Bewijs.pdf" in pupil.get(f"/lessons/{lesson}").text


def test_documents_of_another_course_are_never_material(browser: Browser, world: World, lesson: UUID) -> None:
    foreign = [world.add_document(course, "Vreemd.pdf") for course in ("FRA-3AB", "WO-1C")]
    browser("An Peeters").post(f"/lessons/{lesson}/material", data={"document": [str(one) for one in foreign]})
    assert world.sql("SELECT document_id FROM lesson_document WHERE school_id = $1", world.schools[LINDE]) == []
