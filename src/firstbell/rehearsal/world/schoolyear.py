"""The school year of Flanders: when there are lessons, and the holidays between them.

The rules are those that the Flemish government publishes for nursery, primary and secondary schools.
"""

from dataclasses import dataclass
from datetime import date, timedelta

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
MONDAY, SATURDAY, SUNDAY = 0, 5, 6
MARCH, JULY, SEPTEMBER = 3, 7, 9


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days without lessons, the last one included."""

    name: str
    first_day: date
    last_day: date

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """1 September to 31 August; lessons stop at `last_lesson_day`.

    `open_day` is a day at a weekend on which parents come to see the lessons of a Monday.
    """

    first_day: date
    last_day: date
    last_lesson_day: date
    holidays: tuple[Holiday, ...]
    open_day: date | None = None

    @property
    def name(self) -> str:
        """For instance 2026-2027."""
        return f"{self.first_day.year}-{self.last_day.year}"

    def has_lessons(self, day: date) -> bool:
        """Whether the school is open on this day."""
        return day == self.open_day or (
            self.first_day <= day <= self.last_lesson_day
            and day.weekday() < SATURDAY
            and not any(day in holiday for holiday in self.holidays)
        )

    def week(self, day: date) -> int:
        """Return the number of the week in the school year, counted from 0."""
        return (monday_of(day) - monday_of(self.first_day)).days // 7


def school_year(today: date) -> SchoolYear:
    """Return the school year that holds `today`, and in which `today` is no holiday.

    A demo that is started on a day off would show empty pages. So the holiday that holds `today` is
    left out, in July and August the lessons go on until the end of the year, and a Saturday or Sunday is
    the school's open day.
    """
    start = today.year if today.month >= SEPTEMBER else today.year - 1
    summer = JULY <= today.month < SEPTEMBER
    holidays = tuple(holiday for holiday in _holidays(start) if today not in holiday)
    last_day = date(start + 1, 8, 31)
    return SchoolYear(
        first_day=date(start, 9, 1),
        last_day=last_day,
        last_lesson_day=last_day if summer else date(start + 1, 6, 30),
        holidays=holidays,
        open_day=today if today.weekday() >= SATURDAY else None,
    )


def monday_of(day: date) -> date:
    """Return the Monday of the week that holds this day."""
    return day - day.weekday() * DAY


def _holidays(start: int) -> list[Holiday]:
    easter = easter_sunday(start + 1)
    return [
        _weeks("Herfstvakantie", _monday_near(date(start, 11, 1), skip_from=SUNDAY), 1),
        Holiday("Wapenstilstand", date(start, 11, 11), date(start, 11, 11)),
        _weeks("Kerstvakantie", _monday_near(date(start, 12, 25), skip_from=SATURDAY), 2),
        _weeks("Krokusvakantie", monday_of(easter) - 6 * WEEK, 1),
        _weeks("Paasvakantie", _easter_break(easter), 2),
        Holiday("Paasmaandag", easter + DAY, easter + DAY),
        Holiday("Dag van de Arbeid", date(start + 1, 5, 1), date(start + 1, 5, 1)),
        Holiday("Hemelvaart", easter + 39 * DAY, easter + 40 * DAY),
        Holiday("Pinkstermaandag", easter + 50 * DAY, easter + 50 * DAY),
    ]


def _weeks(name: str, monday: date, weeks: int) -> Holiday:
    return Holiday(name, monday, monday + weeks * WEEK - DAY)


def _monday_near(day: date, skip_from: int) -> date:
    """The Monday of that week, or of the next week when the day falls late in its week."""
    return monday_of(day) + (WEEK if day.weekday() >= skip_from else timedelta())


def _easter_break(easter: date) -> date:
    """First Monday of April; after an Easter in March the day after it; two weeks before a late one."""
    if easter.month == MARCH:
        return easter + DAY
    if easter > date(easter.year, 4, 15):
        return monday_of(easter) - WEEK
    first = date(easter.year, 4, 1)
    return first + (-first.weekday() % 7) * DAY


def easter_sunday(year: int) -> date:
    """Easter in the Gregorian calendar (the anonymous algorithm that Nature printed in 1876)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap_century, century_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_century - correction + 15) % 30
    leap, leap_rest = divmod(rest, 4)
    weekday = (32 + 2 * century_rest + 2 * leap - epact - leap_rest) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
