"""Whatever a file holds, reading it ends, and every part of it is a lesson or a rejection."""

from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from firstbell.domains.timetable.model.events import read_ics
from firstbell.domains.timetable.model.rows import COLUMNS, read_csv
from firstbell.domains.timetable.model.slots import Rejection, Slot
from firstbell.kernel.errors import InvalidError

BRUSSELS = ZoneInfo("Europe/Brussels")
FIRST, LAST = date(2026, 9, 1), date(2027, 6, 30)

cells = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["2026-11-23", "08:30", "09:20", "25:00", "0:00", "2026-02-30", "=1+1", '"', "3A;3B", "\0", ""]),
)


def is_sound(found: Slot | Rejection) -> bool:
    """What a reader may hand on."""
    if isinstance(found, Rejection):
        return bool(found.place and found.column and found.reason)
    return found.starts_at < found.ends_at and "\0" not in f"{found.room}{found.public_note}{found.private_note}"


@given(st.lists(st.lists(cells, max_size=11), max_size=8), st.sampled_from(",;"))
def test_any_rows_of_csv_are_lessons_or_rejections(rows: list[list[str]], separator: str) -> None:
    text = separator.join(COLUMNS) + "\n" + "\n".join(separator.join(row) for row in rows)
    assert all(is_sound(found) for found in read_csv(text.encode("utf-8", "surrogatepass").splitlines(keepends=True)))


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_as_csv_are_refused_or_read(lines: list[bytes]) -> None:
    try:
        assert all(is_sound(found) for found in read_csv(lines))
    except InvalidError as error:
        assert "columns" in error.title


values = st.one_of(
    st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=30),
    st.sampled_from(
        [
            "20261123T083000", "20261123T083000Z", "20261123", "99999999T999999", "00010101T000000", "PT50M", "-PT1H",
            "P99999999999D", "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=5", "FREQ=DAILY;INTERVAL=0", "FREQ=SECONDLY",
            "FREQ=WEEKLY;UNTIL=20261301T000000Z", "FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY;COUNT=-1", "3B,3A", "CANCELLED",
        ]
    ),
)  # fmt: skip
names = st.sampled_from(
    [
        "DTSTART", "DTSTART;TZID=Europe/Brussels", "DTSTART;TZID=Nergens", "DTSTART;VALUE=DATE", "DTEND", "DURATION",
        "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SUMMARY", "CATEGORIES", "ATTENDEE", "ORGANIZER", "STATUS",
        "LOCATION", "DESCRIPTION", "X-FIRSTBELL-COURSE", "UID", "SEQUENCE",
    ]
)  # fmt: skip
events = st.lists(st.tuples(names, values), max_size=8)


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=4), st.booleans())
def test_any_events_are_lessons_or_rejections(calendar: list[list[tuple[str, str]]], in_one_series: bool) -> None:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for number, properties in enumerate(calendar):
        lines += ["BEGIN:VEVENT", f"UID:{0 if in_one_series else number}", "DTSTART:20261123T083000", "DURATION:PT50M"]
        lines += [f"{name}:{value}" for name, value in properties]
        lines.append("END:VEVENT")
    data = "\r\n".join([*lines, "END:VCALENDAR", ""]).encode("utf-8", "replace")
    try:
        assert all(is_sound(found) for found in read_ics(data, BRUSSELS, FIRST, LAST))
    except InvalidError as error:
        assert "iCalendar" in error.title


@given(st.binary(max_size=200))
def test_any_bytes_as_a_calendar_are_refused_or_read(data: bytes) -> None:
    try:
        assert all(is_sound(found) for found in read_ics(data, BRUSSELS, FIRST, LAST))
    except InvalidError as error:
        assert "iCalendar" in error.title
