"""Lessons come in as CSV."""

import hashlib
import re

from tests.domains.timetable.world import LINDE, World

HEADER = "date,start,end,course,teachers,class,room,public_note,private_note\n"
MONDAY = "2026-11-23,08:30,09:20,WIS-3B,an.peeters,3B,A 104,Pythagoras,Neem de passer mee\n"
TUESDAY = "2026-11-24,09:20,10:10,Frans,,3A;3B,B 2,,\n"


def counts(output: str) -> dict[str, int]:
    """What the command says that it did."""
    return {words: int(number) for number, words in re.findall(r"^ *(\d+)  (.+)$", output, re.M) if int(number)}


def test_a_row_becomes_a_lesson(world: World) -> None:
    answer = world.import_file(HEADER + MONDAY + TUESDAY)
    assert answer.returncode == 0, answer.stderr
    assert counts(answer.stdout) == {"added": 2}
    assert world.lessons("date::text, starts_at::text, ends_at::text, room, public_note, private_note, course_id") == [
        ("2026-11-23", "08:30:00", "09:20:00", "A 104", "Pythagoras", "Neem de passer mee", world.courses["WIS-3B"]),
        ("2026-11-24", "09:20:00", "10:10:00", "B 2", "", "", world.courses["FRA-3AB"]),
    ]


def test_without_teachers_those_of_the_course_give_the_lesson(world: World) -> None:
    world.import_file(HEADER + TUESDAY)
    assert world.sql("SELECT person_id, date::text FROM lesson_teacher WHERE school_id = $1", world.schools[LINDE]) == [
        {"person_id": world.people["Luc Dubois"], "date": "2026-11-24"}
    ]


def test_the_same_file_twice_changes_nothing(world: World) -> None:
    world.import_file(HEADER + MONDAY + TUESDAY)
    before = world.lessons("id, xmin::text")
    answer = world.import_file(HEADER + MONDAY + TUESDAY)
    assert counts(answer.stdout) == {"unchanged": 2}
    assert world.lessons("id, xmin::text") == before


def test_a_dry_run_says_what_it_would_do_and_does_nothing(world: World) -> None:
    answer = world.import_file(HEADER + MONDAY, "--dry-run")
    assert counts(answer.stdout) == {"added": 1}
    assert world.lessons() == []


def test_another_room_or_teacher_in_the_file_changes_the_lesson(world: World) -> None:
    world.import_file(HEADER + MONDAY)
    answer = world.import_file(
        HEADER + MONDAY.replace("A 104", "C 1").replace("an.peeters", "LUC.DUBOIS@linde.example")
    )
    assert counts(answer.stdout) == {"changed": 1}
    assert world.lessons() == [("2026-11-23", "08:30:00", "C 1")]
    assert [
        row["person_id"]
        for row in world.sql("SELECT person_id FROM lesson_teacher WHERE school_id = $1", world.schools[LINDE])
    ] == [world.people["Luc Dubois"]]


def test_a_lesson_that_is_gone_from_the_file_is_removed(world: World) -> None:
    later = MONDAY.replace("11-23", "11-25")
    world.import_file(HEADER + MONDAY + TUESDAY + later)
    answer = world.import_file(HEADER + MONDAY + later)
    assert counts(answer.stdout) == {"removed": 1, "unchanged": 2}


def test_days_that_the_file_does_not_speak_of_stay_as_they_are(world: World) -> None:
    world.import_file(HEADER + MONDAY)
    answer = world.import_file(HEADER + TUESDAY)
    assert counts(answer.stdout) == {"added": 1}
    answer = world.import_file(HEADER + TUESDAY, "--from", "2026-11-23", "--until", "2026-11-27")
    assert counts(answer.stdout) == {"removed": 1, "unchanged": 1}


def test_a_lesson_with_material_that_is_gone_from_the_file_is_cancelled(world: World) -> None:
    later = MONDAY.replace("11-23", "11-25")
    world.import_file(HEADER + MONDAY + TUESDAY + later)
    [lesson] = [
        row["id"]
        for row in world.sql("SELECT id FROM lesson WHERE date = '2026-11-24' AND school_id = $1", world.schools[LINDE])
    ]
    document = world.add_document("FRA-3AB", "Vocabulaire 7.pdf")
    world.sql("INSERT INTO lesson_document VALUES ($1, $2, $3)", world.schools[LINDE], lesson, document)
    answer = world.import_file(HEADER + MONDAY + later)
    assert counts(answer.stdout) == {"cancelled": 1, "unchanged": 2}
    answer = world.import_file(HEADER + MONDAY + TUESDAY + later)
    assert counts(answer.stdout) == {"changed": 1, "unchanged": 2}
    assert world.lessons("cancelled_at") == [(None,)] * 3


def test_notes_that_a_teacher_wrote_survive_the_next_file(world: World) -> None:
    world.import_file(HEADER + MONDAY)
    world.sql(
        "UPDATE lesson SET public_note = 'Toets!', private_note = '', noted_at = now() WHERE school_id = $1",
        world.schools[LINDE],
    )
    answer = world.import_file(HEADER + MONDAY.replace("Pythagoras", "Thales"))
    assert counts(answer.stdout) == {"unchanged": 1}
    assert world.lessons("public_note") == [("Toets!",)]


def test_a_room_that_a_teacher_set_stays_until_the_file_has_another(world: World) -> None:
    world.import_file(HEADER + MONDAY)
    world.sql("UPDATE lesson SET room = 'Turnzaal' WHERE school_id = $1", world.schools[LINDE])
    world.import_file(HEADER + MONDAY)
    assert world.lessons("room") == [("Turnzaal",)]
    world.import_file(HEADER + MONDAY.replace("A 104", "A 106"))
    assert world.lessons("room") == [("A 106",)]


BROKEN_ROWS = {
    "2026-13-01,08:30,09:20,WIS-3B,,3B,,,": "date: '2026-13-01' is not a date",
    "2026-11-23,08:3O,09:20,WIS-3B,,3B,,,": "start: '08:3O' is not a time",
    "2026-11-23,08:30,08:30,WIS-3B,,3B,,,": "end: the lesson ends before it begins",
    "2026-11-23,08:30,09:20,Alchemie,,3B,,,": "course: there is no course 'Alchemie 3B'",
    "2026-11-23,08:30,09:20,Wiskunde,,,,,": "course: several courses are 'Wiskunde'",
    "2026-11-23,08:30,09:20,WIS-3B,noor.vermeulen,3B,,,": "teachers: no teacher has",
    "2026-11-23,08:30,09:20,,,3B,,,": "course: this is empty",
    "2026-11-23,08:30,09:20,WIS-3B,,3B,A,,,,": "row: there are 11 cells under 9 columns",
    "2026-11-23,08:30,09:20,WIS-3B,,3B,A\0,,": "room: there is a null character",
}


def test_every_rejected_row_is_named_and_rejects_the_file(world: World) -> None:
    text = HEADER + "\n".join(BROKEN_ROWS) + "\n" + TUESDAY
    answer = world.import_file(text)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    for line, reason in enumerate(BROKEN_ROWS.values(), start=2):
        assert f"line {line}, {reason}" in answer.stderr
    assert world.lessons() == []


def test_on_request_the_right_rows_of_a_file_come_in_without_the_others(world: World) -> None:
    answer = world.import_file(HEADER + "\n".join(BROKEN_ROWS) + "\n" + TUESDAY, "--skip-rejected")
    assert counts(answer.stdout) == {"added": 1, "rejected": len(BROKEN_ROWS)}


def test_a_lesson_that_stands_in_the_file_twice_is_rejected(world: World) -> None:
    answer = world.import_file(HEADER + MONDAY + MONDAY)
    assert "line 3, lesson: the file has this lesson twice" in answer.stderr
    assert world.lessons() == []


def test_headers_may_be_dutch_or_french_and_separated_by_semicolons(world: World) -> None:
    answer = world.import_file(
        "\ufeffDatum;Van;Tot;Vak;Klas;Lokaal\r\n23/11/2026;8u30;9.20;Wiskunde;3B;A 104\r\n"
        "24/11/2026;8u30;9.20;Frans;3A+3B;A 104\r\n"
    )
    assert counts(answer.stdout) == {"added": 2}


def test_a_file_without_its_columns_is_refused_in_one_sentence(world: World) -> None:
    answer = world.import_file("dag,uur\nmaandag,1\n")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "it lacks date, start, end, course" in answer.stderr


def test_an_unknown_school_is_named_with_those_that_there_are(world: World) -> None:
    path = world.folder / "lessons.csv"
    path.write_text(HEADER + MONDAY)
    answer = world.installation.run("timetable", "import", str(path), "--school", "eik")
    assert answer.returncode == 1
    assert "There is no school 'eik'" in answer.stderr


def test_text_in_another_encoding_is_rejected_by_line_and_column(world: World) -> None:
    answer = world.import_file(HEADER.encode() + MONDAY.replace("Pythagoras", "Getaltheorie é").encode("cp1252"))
    assert "line 2, public_note: this is not UTF-8 text" in answer.stderr


def test_an_import_is_noted_with_the_file_and_what_it_did(world: World) -> None:
    text = HEADER + MONDAY.replace("Pythagoras", "Een notitie van deze test")
    world.import_file(text, "--dry-run")
    world.import_file(text)
    [noted] = world.sql(
        "SELECT verb, person_id, detail ->> 'added' AS added FROM audit "
        "WHERE school_id = $1 AND detail ->> 'sha256' = $2",
        world.schools[LINDE],
        hashlib.sha256(text.encode()).hexdigest(),
    )
    assert noted == {"verb": "import timetable", "person_id": None, "added": "1"}
