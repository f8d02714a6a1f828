"""Which courses a school gives, and which teacher gives which."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from firstbell.rehearsal.world.model import PRIMARY
from firstbell.rehearsal.world.subjects import SUBJECTS, Subject

TEACHERS_PER_CLASS = 2.5
FULL_TIME_HOURS, PART_TIME_HOURS, HOURS_MAX = 20, 8, 22  # lessons a week
LATIN_EVERY = 3  # every third pupil of two classes chooses the first option, the others the second
CO_TAUGHT_YEARS = {"wiskunde": {1}, "nederlands": {1, 2}}
"""Courses with two teachers before the class."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassPlan:
    """A class before anybody teaches it."""

    id: str
    name: str
    year: int
    room: str
    pupil_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CoursePlan:
    """A course before anybody teaches it. `group` is 3B, or 3AB for pupils of two classes."""

    subject: Subject
    group: str
    classes: tuple[ClassPlan, ...]
    pupil_ids: tuple[str, ...]
    band: str | None = None

    @property
    def year(self) -> int:
        """The year of its classes."""
        return self.classes[0].year

    @property
    def hours(self) -> int:
        """Lessons a week."""
        return self.subject.hours[self.year]

    @property
    def code(self) -> str:
        """For instance WIS-3B: unique in a school."""
        return f"{self.subject.code}-{self.group}"

    @property
    def team(self) -> str:
        """The teachers among whom this course finds its own: those of a subject, or of one class."""
        return self.group if self.subject.by_homeroom_teacher else self.subject.key

    @property
    def teachers_wanted(self) -> int:
        """How many teachers stand before the class together."""
        return 2 if self.year in CO_TAUGHT_YEARS.get(self.subject.key, ()) else 1


def plan_courses(level: str, classes: list[ClassPlan]) -> list[CoursePlan]:
    """Return one course for each class and subject, and the options for every two classes of a year."""
    plans = [
        CoursePlan(subject, group.name, (group,), group.pupil_ids)
        for subject in SUBJECTS[level]
        for group in classes
        if not subject.option and group.year in subject.hours
    ]
    options = [subject for subject in SUBJECTS[level] if subject.option]
    if options:
        for pair in _pairs(classes):
            plans.extend(_option_courses(options, pair))
    return plans


def _pairs(classes: list[ClassPlan]) -> Iterator[tuple[ClassPlan, ...]]:
    for _, same_year in groupby(classes, key=lambda group: group.year):
        row = list(same_year)
        for start in range(0, len(row), 2):
            yield tuple(row[start : start + 2])


def _option_courses(options: list[Subject], pair: tuple[ClassPlan, ...]) -> Iterator[CoursePlan]:
    name = pair[0].name + "".join(group.name[1:] for group in pair[1:])
    pupils = [pupil for group in pair for pupil in group.pupil_ids]
    latin = pupils[LATIN_EVERY - 1 :: LATIN_EVERY]
    chosen = set(latin)
    others = [pupil for pupil in pupils if pupil not in chosen]
    for subject, members in zip(options, (latin, others), strict=True):
        yield CoursePlan(subject, name, pair, tuple(members), band=name)


def team_sizes(level: str, plans: list[CoursePlan], class_count: int) -> dict[str, int]:
    """Return how many teachers every team needs.

    Primary schools have one for each class and one for each subject that has its own. Secondary schools
    share out two and a half teachers for each class by the hours of the subjects (largest remainder).
    """
    hours: dict[str, int] = defaultdict(int)
    for plan in plans:
        hours[plan.team] += plan.hours * plan.teachers_wanted
    if level == PRIMARY:
        return dict.fromkeys(hours, 1)
    fewest = {plan.team: plan.teachers_wanted for plan in sorted(plans, key=lambda plan: plan.teachers_wanted)}
    sizes = {team: max(fewest[team], ceil(count / FULL_TIME_HOURS)) for team, count in hours.items()}
    for _ in range(round(class_count * TEACHERS_PER_CLASS) - sum(sizes.values())):
        busiest = max(hours, key=lambda team: hours[team] / sizes[team])
        sizes[busiest] += 1
    return sizes


def assign_teachers(
    plans: Iterable[CoursePlan], teams: dict[str, list[str]], first_group: str
) -> dict[CoursePlan, tuple[str, ...]]:
    """Return the ids of the teachers of every course.

    In each team some work full time and the others share what is left. The courses of `first_group` go
    to the first teacher of their team.
    """
    by_team: dict[str, list[CoursePlan]] = defaultdict(list)
    for plan in sorted(plans, key=lambda plan: plan.group != first_group):
        by_team[plan.team].append(plan)
    assigned: dict[CoursePlan, tuple[str, ...]] = {}
    for team, courses in by_team.items():
        left = _hours_wanted(courses, teams[team])
        taught = dict.fromkeys(left, 0)
        for course in courses:
            chosen = _with_most_room(course, left, taught)
            for teacher in chosen:
                left[teacher] -= course.hours
                taught[teacher] += course.hours
            assigned[course] = chosen
    return assigned


def _hours_wanted(courses: list[CoursePlan], teachers: list[str]) -> dict[str, float]:
    total = sum(course.hours * course.teachers_wanted for course in courses)
    spare = max(0, total - PART_TIME_HOURS * len(teachers))
    full_time = min(len(teachers) - 1, spare // (FULL_TIME_HOURS - PART_TIME_HOURS))
    rest = (total - FULL_TIME_HOURS * full_time) / (len(teachers) - full_time)
    return {teacher: FULL_TIME_HOURS if number < full_time else rest for number, teacher in enumerate(teachers)}


def _with_most_room(course: CoursePlan, left: dict[str, float], taught: dict[str, int]) -> tuple[str, ...]:
    def overload(teacher: str) -> tuple[bool, float]:
        return taught[teacher] + course.hours > HOURS_MAX, -left[teacher]

    return tuple(sorted(left, key=overload)[: course.teachers_wanted])


def homeroom_teachers(
    classes: list[ClassPlan], teachers: dict[CoursePlan, tuple[str, ...]], first_group: str
) -> dict[ClassPlan, str]:
    """Return who looks after each class: the one who sees it most and looks after no other yet."""
    chosen: dict[ClassPlan, str] = {}
    for group in sorted(classes, key=lambda group: group.name != first_group):
        hours: dict[str, int] = defaultdict(int)
        for plan, ids in teachers.items():
            if plan.classes == (group,):
                hours[ids[0]] += plan.hours
        taken = set(chosen.values())
        chosen[group] = min(hours, key=lambda teacher: (teacher in taken, -hours[teacher]))
    return chosen
