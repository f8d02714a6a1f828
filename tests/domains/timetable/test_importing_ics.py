"""Lessons come in as iCalendar."""

from tests.domains.timetable.test_importing_csv import counts
from tests.domains.timetable.world import World

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//NL\r\n"
BERLIN = (
    "BEGIN:VTIMEZONE\r\nTZID:Westen\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0100\r\n"
    "TZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def event(*lines: str, uid: str = "wis-3b", course: str = "WIS-3B", start: str = "20261123T083000") -> str:
    """One event of fifty minutes or as `lines` say."""
    end = [] if any(line.startswith(("DTEND", "DURATION")) for line in lines) else ["DURATION:PT50M"]
    begin = [] if any(line.startswith("DTSTART") for line in lines) else [f"DTSTART;TZID=Europe/Brussels:{start}"]
    named = [f"X-FIRSTBELL-COURSE:{course}"] if course else []
    parts = ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260901T000000Z", *begin, *end, *named, *lines, "END:VEVENT")
    return "".join(f"{part}\r\n" for part in parts)


def ics(*events: str) -> str:
    """A calendar."""
    return HEAD + "".join(events) + "END:VCALENDAR\r\n"


WEEKLY = event(
    "SUMMARY:Wiskunde",
    "LOCATION:A 104",
    "DESCRIPTION:Meetkunde\\, deel 1",
    "RRULE:FREQ=WEEKLY;UNTIL=20261214T235959Z",
    "EXDATE;TZID=Europe/Brussels:20261130T083000",
)


def test_a_weekly_event_becomes_a_lesson_a_week_but_not_on_its_exceptions(world: World) -> None:
    answer = world.import_file(ics(WEEKLY), name="lessons.ics")
    assert counts(answer.stdout) == {"added": 3}, answer.stderr
    assert world.lessons("date::text, starts_at::text, ends_at::text, room, public_note") == [
        ("2026-11-23", "08:30:00", "09:20:00", "A 104", "Meetkunde, deel 1"),
        ("2026-12-07", "08:30:00", "09:20:00", "A 104", "Meetkunde, deel 1"),
        ("2026-12-14", "08:30:00", "09:20:00", "A 104", "Meetkunde, deel 1"),
    ]
    assert counts(world.import_file(ics(WEEKLY), name="lessons.ics").stdout) == {"unchanged": 3}


def test_an_occurrence_that_was_moved_stays_the_same_lesson(world: World) -> None:
    """Its notes and material move along, since it is named by when it was first planned."""
    world.import_file(ics(WEEKLY), name="lessons.ics")
    [(first,), *_] = before = world.lessons("id")
    moved = event("RECURRENCE-ID;TZID=Europe/Brussels:20261123T083000", "LOCATION:B 2", start="20261124T102500")
    answer = world.import_file(ics(WEEKLY, moved), name="lessons.ics")
    assert counts(answer.stdout) == {"changed": 1, "unchanged": 2}
    assert sorted(world.lessons("id")) == sorted(before)
    assert world.sql("SELECT date::text, starts_at::text, room FROM lesson WHERE id = $1", first) == [
        {"date": "2026-11-24", "starts_at": "10:25:00", "room": "B 2"}
    ]


def test_times_in_another_zone_are_those_of_the_school(world: World) -> None:
    world.import_file(
        HEAD + BERLIN + event("DTSTART:20261123T073000Z", uid="utc")
        + event("DTSTART;TZID=Westen:20261124T073000", uid="west")
        + event("DTSTART:20261125T083000", uid="floating") + "END:VCALENDAR\r\n",
        name="lessons.ics",
    )  # fmt: skip
    assert [row[1] for row in world.lessons()] == ["08:30:00"] * 3


def test_a_weekly_lesson_keeps_its_hour_when_the_clock_changes(world: World) -> None:
    """On 25 October 2026 and 28 March 2027 Belgium changes its clocks."""
    series = event("RRULE:FREQ=WEEKLY;UNTIL=20270405T235959Z", start="20261019T083000")
    world.import_file(ics(series), name="lessons.ics")
    assert {row[1] for row in world.lessons()} == {"08:30:00"}
    assert len(world.lessons()) == 25


def test_a_cancelled_event_is_a_cancelled_lesson(world: World) -> None:
    world.import_file(ics(event("STATUS:CANCELLED")), name="lessons.ics")
    assert world.lessons("cancelled_at IS NOT NULL, cancelled_by") == [(True, None)]


def test_course_and_teachers_are_found_by_title_class_and_address(world: World) -> None:
    lesson = event(
        "SUMMARY:wiskunde", "CATEGORIES:3a", "ORGANIZER:mailto:an.peeters@linde.example",
        "ATTENDEE;CN=Luc:MAILTO:luc.dubois@linde.example", "ATTENDEE;CUTYPE=ROOM:mailto:a104@linde.example",
        course="",
    )  # fmt: skip
    group = event("SUMMARY:Frans", "CATEGORIES:3B,3A", uid="group", course="", start="20261123T092000")
    answer = world.import_file(ics(lesson, group), name="lessons.ics")
    assert counts(answer.stdout) == {"added": 2}, answer.stderr
    assert world.lessons("course_id") == [(world.courses["WIS-3A"],), (world.courses["FRA-3AB"],)]
    assert {row["person_id"] for row in world.sql(
        "SELECT person_id FROM lesson_teacher JOIN lesson ON lesson.id = lesson_id WHERE course_id = $1",
        world.courses["WIS-3A"],
    )} == {world.people["An Peeters"], world.people["Luc Dubois"]}  # fmt: skip


BROKEN = {
    "DTSTART: this is a whole day": event("DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261124", uid="1"),
    "DTSTART: the time zone 'Atlantis/Stad' is unknown": event("DTSTART;TZID=Atlantis/Stad:20261123T083000", uid="2"),
    "DTEND: the lesson must end later on the same day": event("DURATION:PT0S", uid="3"),
    "RRULE: only FREQ=DAILY and WEEKLY": event("RRULE:FREQ=SECONDLY", uid="4"),
    "RRULE: this INTERVAL may never come to a day": event("RRULE:FREQ=WEEKLY;INTERVAL=0", uid="5"),
    "course: there is no course 'Alchemie'": event("SUMMARY:Alchemie", course="", uid="6"),
    "teachers: no teacher has": event("ATTENDEE:mailto:niemand@linde.example", uid="7"),
    "DTSTART: there must be one": event("DTSTART:20261123T083000", "DTSTART:20261124T083000", uid="8"),
}


def test_every_rejected_event_is_named_and_rejects_the_file(world: World) -> None:
    answer = world.import_file(ics(WEEKLY, *BROKEN.values()), name="lessons.ics")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    for uid, reason in enumerate(BROKEN, start=1):
        assert f"UID {uid}, {reason}" in answer.stderr
    assert world.lessons() == []
    answer = world.import_file(ics(WEEKLY, *BROKEN.values()), "--skip-rejected", name="lessons.ics")
    assert counts(answer.stdout) == {"added": 3, "rejected": len(BROKEN)}


def test_a_rule_without_an_end_ends_with_the_school_year(world: World) -> None:
    world.import_file(ics(event("RRULE:FREQ=WEEKLY", start="20260907T083000")), name="lessons.ics")
    assert world.lessons("max(date) OVER () :: text")[0] == ("2027-06-28",)


def test_what_is_no_calendar_is_refused_in_one_sentence(world: World) -> None:
    answer = world.import_file("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", name="lessons.ics")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
