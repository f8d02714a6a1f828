"""Makes a school's weekly timetable in which no teacher, class or room is wanted twice at the same time.

A lesson hour of a course, or of all courses of a band at once, is a block; the classes and teachers of a
block are its resources. Giving slots to blocks is colouring the edges of a hypergraph. A block goes to a
free slot when there is one; otherwise two slots change places along a Kempe chain (the blocks of both
slots that hang together by common resources), which keeps every other block free of clashes. D. de Werra,
"An introduction to timetabling", European Journal of Operational Research 19 (1985), has the argument.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from itertools import groupby
from random import Random

from firstbell.rehearsal.world.model import PRIMARY, SECONDARY, Course, School, stable_id
from firstbell.rehearsal.world.schoolyear import DAY, MONDAY, WEEK
from firstbell.rehearsal.world.subjects import BY_KEY, SPORTS


@dataclass(frozen=True, slots=True)
class Period:
    """When one lesson of the day begins and ends."""

    start: time
    end: time


PERIODS = tuple(
    Period(time(*start), time(*end))
    for start, end in (
        ((8, 30), (9, 20)),
        ((9, 20), (10, 10)),
        ((10, 25), (11, 15)),
        ((11, 15), (12, 5)),
        ((13, 5), (13, 55)),
        ((13, 55), (14, 45)),
        ((15, 0), (15, 50)),
    )
)
WEDNESDAY, WEEKDAYS = 2, range(5)
MORNING_PERIODS = 4
PERIODS_A_DAY = {SECONDARY: 7, PRIMARY: 6}  # primary schools stop before the last one
HALLS = ("Sporthal", "Turnzaal", "Sportveld")
KICKS_MAX = 2_000  # a school of forty classes needs none; more means that the hours do not fit
POLISH_ROUNDS = 6
TIMETABLES_KEPT = 64  # a timetable holds about 150 kB; tests and exports look at few schools at a time

Slot = tuple[int, int]
"""Day of the week (Monday is 0) and number of the period."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One hour of a course in every week of the school year."""

    id: str
    course: Course
    weekday: int
    period: int
    room: str

    @property
    def start(self) -> time:
        """When it begins, in the school's own time."""
        return PERIODS[self.period].start

    @property
    def end(self) -> time:
        """When it ends, in the school's own time."""
        return PERIODS[self.period].end


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    courses: tuple[Course, ...]
    resources: frozenset[str]


@lru_cache(maxsize=TIMETABLES_KEPT)
def weekly_lessons(school: School) -> tuple[Lesson, ...]:
    """Return the lessons of a week, by day, period and course. Raises RuntimeError when they do not fit."""
    solver = _Solver(_slots(school.level), Random(school.id))
    blocks = [*_blocks(school.courses)]
    solver.place_all(blocks)
    solver.spread_courses_over_days(blocks)
    return tuple(_with_rooms(school, solver.slot_of))


def lesson_days(school: School, lesson: Lesson, monday: date, weeks: int) -> dict[date, bool]:
    """Return the days of these weeks on which a lesson falls, and whether it takes place.

    The school's open day, when it lies within these weeks, is a second Monday.
    """
    days = [monday + lesson.weekday * DAY + week * WEEK for week in range(weeks)]
    open_day = school.year.open_day
    if open_day and lesson.weekday == MONDAY and monday <= open_day < monday + weeks * WEEK:
        days.append(open_day)
    return {day: school.year.has_lessons(day) for day in sorted(days)}


def _slots(level: str) -> list[Slot]:
    return [
        (weekday, period)
        for period in range(PERIODS_A_DAY[level])
        for weekday in WEEKDAYS
        if weekday != WEDNESDAY or period < MORNING_PERIODS
    ]


def _blocks(courses: Iterable[Course]) -> Iterator[_Block]:
    """The widest blocks first: those are the hardest to place."""
    bands: dict[str, list[Course]] = defaultdict(list)
    for course in courses:
        bands[course.band or course.id].append(course)
    blocks = [
        _Block(
            tuple(band),
            frozenset(name for course in band for name in (*course.class_ids, *course.teacher_ids)),
        )
        for band in bands.values()
        for _ in range(band[0].hours)
    ]
    yield from sorted(blocks, key=lambda block: -len(block.resources))


class _Solver:
    def __init__(self, slots: list[Slot], random: Random) -> None:
        self._slots = slots
        self._random = random
        self._busy: dict[Slot, dict[str, _Block]] = {slot: {} for slot in slots}
        self._per_day: dict[tuple[Course, int], int] = defaultdict(int)
        self.slot_of: dict[_Block, Slot] = {}

    def place_all(self, blocks: list[_Block]) -> None:
        waiting = deque(blocks)
        kicks = 0
        while waiting:
            block = waiting.popleft()
            if self._place_free(block) or self._place_by_exchange(block):
                continue
            kicks += 1
            if kicks > KICKS_MAX:
                raise RuntimeError("The lessons do not fit into the week.")
            waiting.extend(self._place_by_force(block))

    def _place_free(self, block: _Block) -> bool:
        free = [slot for slot in self._slots if self._busy[slot].keys().isdisjoint(block.resources)]
        if not free:
            return False
        self._put(block, min(free, key=lambda slot: self._per_day[block.courses[0], slot[0]]))
        return True

    def _place_by_exchange(self, block: _Block) -> bool:
        """Free a slot for this block by moving those in its way to a second slot, and theirs back."""
        wanted = sorted(self._slots, key=lambda slot: len(self._in_the_way(block, slot)))
        for first in wanted:
            for second in self._slots:
                if second == first:
                    continue
                chain = self._chain(self._in_the_way(block, first), first, second)
                if all(self.slot_of[other] == first or other.resources.isdisjoint(block.resources) for other in chain):
                    self._exchange(chain, first, second)
                    self._put(block, first)
                    return True
        return False

    def _place_by_force(self, block: _Block) -> list[_Block]:
        slot = self._random.choice(self._slots)
        displaced = self._in_the_way(block, slot)
        for other in displaced:
            self._take(other)
        self._put(block, slot)
        return displaced

    def spread_courses_over_days(self, blocks: list[_Block]) -> None:
        """Exchange slots as long as that leaves fewer days on which a class has a course twice."""
        for _ in range(POLISH_ROUNDS):
            crowded = [block for block in blocks if self._crowd([block]) > 0]
            if not crowded:
                return
            for block in crowded:
                self._move_to_better_day(block)

    def _move_to_better_day(self, block: _Block) -> None:
        first = self.slot_of[block]
        for second in self._random.sample(self._slots, len(self._slots)):
            if second[0] == first[0] or self._per_day[block.courses[0], second[0]]:
                continue
            chain = self._chain([block], first, second)
            before = self._crowd(chain)
            self._exchange(chain, first, second)
            if self._crowd(chain) < before:
                return
            self._exchange(chain, second, first)

    def _crowd(self, blocks: Iterable[_Block]) -> int:
        """How often these blocks' courses come again on a day; three times on a day weighs three, not two."""
        days = {(course, weekday) for block in blocks for course in block.courses for weekday in WEEKDAYS}
        return sum(count * (count - 1) // 2 for count in (self._per_day[day] for day in days))

    def _in_the_way(self, block: _Block, slot: Slot) -> list[_Block]:
        busy = self._busy[slot]
        return list(dict.fromkeys(busy[name] for name in sorted(block.resources) if name in busy))

    def _chain(self, start: list[_Block], first: Slot, second: Slot) -> list[_Block]:
        """Every block in either slot that hangs together with these by classes or teachers."""
        chain = dict.fromkeys(start)
        waiting = deque(start)
        while waiting:
            block = waiting.popleft()
            other_slot = second if self.slot_of[block] == first else first
            for other in self._in_the_way(block, other_slot):
                if other not in chain:
                    chain[other] = None
                    waiting.append(other)
        return list(chain)

    def _exchange(self, chain: list[_Block], first: Slot, second: Slot) -> None:
        moves = [(block, second if self.slot_of[block] == first else first) for block in chain]
        for block, _ in moves:
            self._take(block)
        for block, slot in moves:
            self._put(block, slot)

    def _put(self, block: _Block, slot: Slot) -> None:
        self.slot_of[block] = slot
        self._busy[slot].update(dict.fromkeys(block.resources, block))
        for course in block.courses:
            self._per_day[course, slot[0]] += 1

    def _take(self, block: _Block) -> None:
        slot = self.slot_of.pop(block)
        for name in block.resources:
            del self._busy[slot][name]
        for course in block.courses:
            self._per_day[course, slot[0]] -= 1


def _with_rooms(school: School, slot_of: dict[_Block, Slot]) -> Iterator[Lesson]:
    home = {group.id: group.room for group in school.classes}
    halls = _halls(school.courses)
    placed = sorted(
        ((slot, course) for block, slot in slot_of.items() for course in block.courses),
        key=lambda placed: (placed[0], placed[1].code),
    )
    hours: dict[Course, int] = defaultdict(int)
    for _, at_once in groupby(placed, key=lambda placed: placed[0]):
        taken: set[str] = set()
        for slot, course in at_once:
            room = _room(course, home, halls, taken)
            taken.add(room)
            hours[course] += 1
            yield Lesson(stable_id(course.id, hours[course]), course, *slot, room)


def _room(course: Course, home: dict[str, str], halls: dict[str, str], taken: set[str]) -> str:
    """A hall for sports, else the subject's own room while it is free, else the room of the class."""
    if course.subject in SPORTS:
        return halls[course.teacher_ids[0]]
    own_rooms = [room for room in BY_KEY[course.subject].special_rooms if room not in taken]
    if own_rooms:
        return own_rooms[0]
    class_rooms = [home[class_id] for class_id in course.class_ids if home[class_id] not in taken]
    return class_rooms[0] if class_rooms else f"Keuzelokaal {course.group}"


def _halls(courses: Iterable[Course]) -> dict[str, str]:
    """Each teacher of sports keeps to one hall, so that no two ever need the same."""
    teachers = dict.fromkeys(course.teacher_ids[0] for course in courses if course.subject in SPORTS)
    names = [*HALLS, *(f"Sporthal {number}" for number in range(2, len(teachers) + 2))]
    return dict(zip(teachers, names, strict=False))
