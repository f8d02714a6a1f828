"""The demo world is what a believable school would hand us, and the same for the same seed."""

import csv
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path

import icalendar
import pytest
import recurring_ical_events

from firstbell.rehearsal.world import (
    Person,
    Role,
    School,
    World,
    generate_world,
    lesson_days,
    lesson_notes,
    school_year,
    weekly_lessons,
    write_ics,
    write_oneroster,
    write_role_mapping,
    write_timetable_csv,
)

TODAY = date(2026, 4, 20)
Rows = list[dict[str, str]]


@cache
def world(pupils: int = 60, seed: int = 7) -> World:
    return generate_world(seed, pupils, today=TODAY)


def roster(school: School, folder: Path, version: str = "1.1") -> dict[str, Rows]:
    target = folder / f"{school.slug}-{version}.zip"
    write_oneroster(school, target, "1.1" if version == "1.1" else "1.2")
    with zipfile.ZipFile(target) as archive:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
        }


def everybody(world: World) -> Iterator[tuple[School, Person]]:
    for school in world.schools:
        for person in school.people:
            yield school, person


def test_the_default_world_is_a_school_of_600_pupils_and_a_small_one() -> None:
    main, small = generate_world(1, today=TODAY).schools
    teachers = [person for person in main.staff if person.role is Role.TEACHER]
    assert (len(main.pupils), len(main.classes), len(teachers)) == (600, 24, 60)
    assert {len(group.pupil_ids) for group in main.classes} == {25}
    assert len(small.classes) == 6
    assert len(small.pupils) == 60
    assert {person.role for person in main.staff} >= {Role.HEAD, Role.SECRETARIAT, Role.ICT}


@pytest.mark.parametrize(("pupils", "schools", "classes"), [(12, 2, 2), (300, 2, 12), (1_000, 2, 40), (3_000, 6, 24)])
def test_a_world_grows_by_classes_and_then_by_schools(pupils: int, schools: int, classes: int) -> None:
    grown = world(pupils)
    assert len(grown.schools) == schools
    assert len(grown.schools[0].classes) == classes
    assert sum(len(school.pupils) for school in grown.schools if school.slug != "de-wegwijzer") == pupils
    assert len({school.host for school in grown.schools}) == schools


def test_a_world_of_fewer_than_twelve_pupils_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 12 pupils"):
        generate_world(1, 11, today=TODAY)


@pytest.mark.parametrize("pupils", [12, 60, 600])
def test_well_known_people_have_the_same_sign_in_names_in_every_world(pupils: int) -> None:
    assert world(pupils).cast == world(12, seed=99).cast


@pytest.mark.parametrize("pupils", [12, 600, 3_000])
def test_an_peeters_teaches_the_class_of_noor(pupils: int) -> None:
    school = world(pupils).school("sint-jozef")
    noor = next(person for person in school.pupils if person.sign_in_name == "noor.vermeulen")
    an = next(person for person in school.staff if person.sign_in_name == "an.peeters")
    group = next(group for group in school.classes if noor.id in group.pupil_ids)
    course = next(course for course in school.courses if course.code == "WIS-3B")
    assert group.name == "3B"
    assert course.teacher_ids == (an.id,)
    assert group.homeroom_teacher_id == an.id


def test_one_mother_has_children_in_two_schools() -> None:
    children = {
        school.slug: {child.name for child in school.pupils if parent.id in child.relatives}
        for school, parent in everybody(world())
        if parent.sign_in_name == "sofie.vermeulen"
    }
    assert children["sint-jozef"] == {"Noor Vermeulen"}
    assert children["de-wegwijzer"] == {"Milan Vermeulen"}


def test_sign_in_names_are_unique_in_a_school() -> None:
    for school in world(600).schools:
        names = Counter(person.sign_in_name for person in school.people)
        assert names.most_common(1)[0][1] == 1
        assert all(name.isascii() for name in names)


def test_pupils_have_one_or_two_parents_and_some_families_are_separated() -> None:
    school = world(600).schools[0]
    assert {len(pupil.relatives) for pupil in school.pupils} == {1, 2}
    assert any(family.separated for family in school.families)
    assert any(len(family.pupil_ids) > 1 for family in school.families)


@pytest.mark.parametrize("pupils", [12, 60, 330, 600])
def test_nobody_and_no_room_is_wanted_twice_at_the_same_time(pupils: int) -> None:
    for school in world(pupils).schools:
        taken: Counter[tuple[int, int, str]] = Counter()
        hours: Counter[str] = Counter()
        for lesson in weekly_lessons(school):
            hours[lesson.course.id] += 1
            for wanted in {*lesson.course.teacher_ids, *lesson.course.pupil_ids, lesson.room}:
                taken[lesson.weekday, lesson.period, wanted] += 1
        assert taken.most_common(1)[0][1] == 1
        assert hours == Counter({course.id: course.hours for course in school.courses})


def test_wednesday_afternoon_is_free() -> None:
    lessons = weekly_lessons(world().schools[0])
    assert max(lesson.end for lesson in lessons if lesson.weekday == 2) == time(12, 5)


def test_no_teacher_gives_more_than_twenty_two_hours() -> None:
    school = world(600).schools[0]
    hours: Counter[str] = Counter()
    for course in school.courses:
        hours.update(dict.fromkeys(course.teacher_ids, course.hours))
    assert max(hours.values()) <= 22
    assert sum(count >= 18 for count in hours.values()) >= 20


def test_every_pupil_of_a_class_follows_exactly_one_of_its_options() -> None:
    school = world().school("sint-jozef")
    options = [course for course in school.courses if course.band == "3AB"]
    members = Counter(pupil for course in options for pupil in course.pupil_ids)
    expected = {pupil for group in school.classes if group.name in {"3A", "3B"} for pupil in group.pupil_ids}
    assert members == Counter(dict.fromkeys(expected, 1))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def digest(run: str) -> dict[str, str]:
        folder = tmp_path / run
        folder.mkdir()
        for school in generate_world(5, 60, today=TODAY).schools:
            write_oneroster(school, folder / f"{school.slug}.zip", "1.2")
            write_role_mapping(school, folder / f"{school.slug}.json")
            write_ics(school, folder / f"{school.slug}.ics", TODAY, 2)
            write_timetable_csv(school, folder / f"{school.slug}.csv", TODAY, 2)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}

    assert digest("first") == digest("second")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_every_reference_in_a_roster_leads_somewhere(version: str, tmp_path: Path) -> None:
    for school in world().schools:
        files = roster(school, tmp_path, version)
        ids = {name: {row["sourcedId"] for row in rows} for name, rows in files.items() if name != "manifest"}
        assert all(len(ids[name]) == len(files[name]) for name in ids)
        for name, column, target in (
            ("classes", "courseSourcedId", "courses"),
            ("classes", "termSourcedIds", "academicSessions"),
            ("classes", "schoolSourcedId", "orgs"),
            ("courses", "schoolYearSourcedId", "academicSessions"),
            ("enrollments", "classSourcedId", "classes"),
            ("enrollments", "userSourcedId", "users"),
            ("demographics", "sourcedId", "users"),
            ("users", "agentSourcedIds", "users"),
            ("users", "orgSourcedIds", "orgs"),
            ("users", "primaryOrgSourcedId", "orgs"),
            ("roles", "userSourcedId", "users"),
            ("roles", "userProfileSourcedId", "userProfiles"),
        ):
            found = {part for row in files.get(name, []) for part in row.get(column, "").split(",")} - {""}
            assert found <= ids.get(target, set()), (name, column)


def test_a_manifest_lists_exactly_the_files_that_are_there(tmp_path: Path) -> None:
    for version in ("1.1", "1.2"):
        files = roster(world().schools[0], tmp_path, version)
        manifest = {row["propertyName"]: row["value"] for row in files["manifest"]}
        bulk = {name.removeprefix("file.") for name, value in manifest.items() if value == "bulk"}
        assert bulk == files.keys() - {"manifest"}
        assert manifest["oneroster.version"] == version


def test_a_folder_holds_the_same_roster_as_an_archive(tmp_path: Path) -> None:
    school = world().schools[1]
    write_oneroster(school, tmp_path / "folder", "1.1")
    write_oneroster(school, tmp_path / "roster.zip", "1.1")
    with zipfile.ZipFile(tmp_path / "roster.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()
        }


def test_the_role_mapping_names_what_version_1_1_has_no_role_for(tmp_path: Path) -> None:
    school = world().schools[0]
    write_role_mapping(school, tmp_path / "roles.json")
    mapping = json.loads((tmp_path / "roles.json").read_text())["roles"]
    users = {row["sourcedId"]: row for row in roster(school, tmp_path)["users"]}
    assert {users[user]["username"]: role for user, role in mapping.items()} == {
        "hilde.maes": "head",
        "karel.thys": "secretariat",
        "tom.wouters": "ict",
    }
    assert {users[user]["role"] for user in mapping} == {"administrator", "aide"}


@pytest.mark.parametrize("today", [TODAY, date(2026, 4, 25)])
def test_the_calendar_has_the_same_lessons_as_the_table(today: date, tmp_path: Path) -> None:
    school = generate_world(7, 60, today=today).schools[0]
    first_day, weeks = date(2026, 3, 23), 6
    write_ics(school, tmp_path / "lessons.ics", first_day, weeks)
    write_timetable_csv(school, tmp_path / "lessons.csv", first_day, weeks)
    calendar = icalendar.Calendar.from_ical((tmp_path / "lessons.ics").read_bytes())
    events = recurring_ical_events.of(calendar).between(date(2026, 3, 1), date(2026, 6, 1))
    in_calendar = Counter(
        (
            event["DTSTART"].dt.strftime("%Y-%m-%d %H:%M"),
            str(event["SUMMARY"]),
            ";".join(event["CATEGORIES"].cats),
            str(event["LOCATION"]),
            str(event.get("DESCRIPTION", "")),
        )
        for event in events
    )
    with (tmp_path / "lessons.csv").open(encoding="utf-8", newline="") as text:
        in_table = Counter(
            (f"{row['date']} {row['start']}", row["course"], row["class"], row["room"], row["public_note"])
            for row in csv.DictReader(text)
        )
    assert in_calendar == in_table
    assert not any(moment.startswith("2026-04-07") for moment, *_ in in_table), "Easter holidays"


@pytest.mark.parametrize(
    "today",
    [
        date(2026, 8, 3),
        date(2026, 12, 28),
        date(2026, 11, 11),
        date(2027, 5, 6),
        date(2026, 11, 21),
        date(2027, 7, 4),
    ],
)
def test_a_demo_started_on_a_day_off_has_lessons_that_day(today: date) -> None:
    school = generate_world(1, 12, today=today).schools[0]
    monday = today - timedelta(days=today.weekday())
    held = {
        day
        for lesson in weekly_lessons(school)
        for day, takes_place in lesson_days(school, lesson, monday, 1).items()
        if takes_place
    }
    assert today in held


def test_the_holidays_are_those_of_flanders() -> None:
    holidays = {
        holiday.name: (holiday.first_day, holiday.last_day) for holiday in school_year(date(2024, 9, 2)).holidays
    }
    assert holidays["Herfstvakantie"] == (date(2024, 10, 28), date(2024, 11, 3))
    assert holidays["Kerstvakantie"] == (date(2024, 12, 23), date(2025, 1, 5))
    assert holidays["Krokusvakantie"] == (date(2025, 3, 3), date(2025, 3, 9))
    assert holidays["Paasvakantie"] == (date(2025, 4, 7), date(2025, 4, 20))
    assert holidays["Hemelvaart"] == (date(2025, 5, 29), date(2025, 5, 30))
    assert holidays["Pinkstermaandag"] == (date(2025, 6, 9), date(2025, 6, 9))


def test_teachers_have_written_notes_for_this_week_and_not_for_next_term() -> None:
    school = world(600).schools[0]

    def notes(first_day: date) -> set[str]:
        return {
            note
            for lesson in weekly_lessons(school)
            for day in lesson_days(school, lesson, first_day, 1)
            for note in lesson_notes(school, lesson, day)
        } - {""}

    assert "Meebrengen: labojas." in notes(TODAY)
    assert not notes(date(2026, 6, 8))
