"""What an iCalendar file (RFC 5545) says about lessons.

Beside the properties of the RFC it may carry `X-FIRSTBELL-COURSE`, the course's id in the roster, and
`X-FIRSTBELL-PRIVATE-NOTE`.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from firstbell.domains.timetable.model.slots import Rejection, Slot, WrongError
from firstbell.kernel.errors import InvalidError

_RULE_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"}
_SERIES_DAYS_MAX = 3_660  # ten years: the rule is followed from its first day on, however long ago that was
_NOT_PEOPLE = {"ROOM", "RESOURCE", "GROUP"}

Read = Iterator[Slot | Rejection]


def read_ics(data: bytes, zone: ZoneInfo, first: date, last: date) -> Read:
    """The lessons of an iCalendar file from `first` to `last`, in the local time of `zone`.

    Raises:
        InvalidError: this is not an iCalendar file.
    """
    try:
        calendar = icalendar.Calendar.from_ical(data)
    except (ValueError, IndexError, KeyError) as error:
        raise InvalidError(f"This is not an iCalendar file: {error}") from error
    if calendar.name != "VCALENDAR":
        raise InvalidError("This is not an iCalendar file: it does not begin with VCALENDAR.")
    series: dict[str, list[Any]] = {}
    for number, event in enumerate(calendar.walk("VEVENT"), start=1):
        uid = str(event.get("UID", ""))
        if uid:
            series.setdefault(uid, []).append(event)
        else:
            yield Rejection(f"event {number}", "UID", "this is missing")
    for uid, events in series.items():
        yield from _series_slots(uid, events, zone, first, last)


def _series_slots(uid: str, events: list[Any], zone: ZoneInfo, first: date, last: date) -> Read:
    place = f"UID {uid[:200]}"
    try:
        for event in events:
            _check_event(event)
            _check_rules(event, first)
        planned = list(_planned(uid, events, zone, first, last))
    except WrongError as error:
        yield error.at(place)
        return
    for source_id, event in planned:
        try:
            yield _event_slot(place, source_id, event, zone)
        except WrongError as error:
            yield error.at(place)


def _planned(uid: str, events: list[Any], zone: ZoneInfo, first: date, last: date) -> Iterator[tuple[str, Any]]:
    """Each time that a series takes place, named by when it was first planned: moving one keeps its name."""
    if len(events) == 1 and not {"RRULE", "RDATE", "RECURRENCE-ID"} & events[0].keys():
        yield uid, events[0]
        return
    calendar = icalendar.Calendar()
    calendar.subcomponents = events
    try:
        occurrences = recurring_ical_events.of(calendar).between(first, last + timedelta(days=1))
        for occurrence in occurrences:
            planned = _local(occurrence["RECURRENCE-ID"].dt, zone)
            yield f"{uid}@{planned:%Y%m%dT%H%M}", occurrence
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise WrongError("RRULE", f"this cannot be followed ({error})") from error


def _check_event(event: Any) -> None:
    if event.errors:
        name, why = event.errors[0]
        raise WrongError(str(name), f"this cannot be read ({why})")
    starts = event.get("DTSTART")
    if starts is None or isinstance(starts, list):
        raise WrongError("DTSTART", "there must be one")
    if not isinstance(starts.dt, datetime):
        raise WrongError("DTSTART", "this is a whole day, not a lesson")
    if "TZID" in starts.params and starts.dt.tzinfo is None:
        raise WrongError("DTSTART", f"the time zone {starts.params['TZID']!r} is unknown")


def _check_rules(event: Any, first: date) -> None:
    """Rules that come to a day often enough, so that following them ends."""
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        frequency, interval = rule.get("FREQ", [""])[0], rule.get("INTERVAL", [1])[0]
        if frequency not in {"DAILY", "WEEKLY"} or not rule.keys() <= _RULE_PARTS:
            raise WrongError("RRULE", "only FREQ=DAILY and WEEKLY with INTERVAL, COUNT, UNTIL, BYDAY, WKST are known")
        if interval < 1 or (interval > 1 and frequency == "DAILY" and "BYDAY" in rule):
            raise WrongError("RRULE", "this INTERVAL may never come to a day")
        if (first - event["DTSTART"].dt.date()).days > _SERIES_DAYS_MAX:
            raise WrongError("DTSTART", f"the series began more than {_SERIES_DAYS_MAX} days before {first}")


def _event_slot(place: str, source_id: str, event: Any, zone: ZoneInfo) -> Slot:
    try:
        starts, ends = _local(event.decoded("DTSTART"), zone), _local(event.end, zone)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise WrongError("DTEND", f"when the lesson ends cannot be read ({error})") from error
    starts_at, ends_at = (moment.time().replace(second=0, microsecond=0) for moment in (starts, ends))
    if ends_at <= starts_at or ends.date() != starts.date():
        raise WrongError("DTEND", "the lesson must end later on the same day")
    return Slot(
        place,
        source_id,
        starts.date(),
        starts_at,
        ends_at,
        _text(event, "X-FIRSTBELL-COURSE"),
        _text(event, "SUMMARY"),
        _categories(event),
        tuple(_teachers(event)),
        _text(event, "LOCATION"),
        _text(event, "DESCRIPTION"),
        _text(event, "X-FIRSTBELL-PRIVATE-NOTE"),
        _text(event, "STATUS").upper() == "CANCELLED",
    )


def _local(moment: Any, zone: ZoneInfo) -> datetime:
    """The time in `zone`; a time without a zone is local already (RFC 5545, section 3.3.5, form 1)."""
    if not isinstance(moment, datetime):
        raise TypeError("a date without a time")
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _text(event: Any, name: str) -> str:
    value = event.get(name, "")
    first = value[0] if isinstance(value, list) and value else value
    return str(first).replace("\0", "").replace("\r\n", "\n").strip()


def _categories(event: Any) -> tuple[str, ...]:
    value = event.get("CATEGORIES")
    groups = value if isinstance(value, list) else [value] if value is not None else []
    return tuple(name for group in groups for cat in group.cats if (name := str(cat).strip()))


def _teachers(event: Any) -> Iterator[str]:
    """E-mail addresses of the organizer and of whoever attends, but not of rooms."""
    for name in ("ORGANIZER", "ATTENDEE"):
        value: Any = event.get(name, [])
        for address in value if isinstance(value, list) else [value]:
            if address.params.get("CUTYPE", "").upper() not in _NOT_PEOPLE:
                yield re.sub("^mailto:", "", str(address), flags=re.IGNORECASE)
