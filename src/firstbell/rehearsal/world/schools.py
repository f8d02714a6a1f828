"""Founds the schools of a world, with their classes, staff, families and courses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from firstbell.rehearsal.world.courses import (
    ClassPlan,
    CoursePlan,
    assign_teachers,
    homeroom_teachers,
    plan_courses,
    team_sizes,
)
from firstbell.rehearsal.world.model import (
    PRIMARY,
    SECONDARY,
    CastMember,
    Course,
    Person,
    Role,
    School,
    SchoolClass,
    World,
)
from firstbell.rehearsal.world.names import secondary_school_name, slug
from firstbell.rehearsal.world.people import (
    FEMALE,
    MALE,
    KnownFamily,
    KnownPerson,
    Register,
    Seat,
    enrol_drawn_families,
    enrol_known_family,
    hire,
)
from firstbell.rehearsal.world.schoolyear import school_year
from firstbell.rehearsal.world.subjects import YEARS

PUPILS_MIN = 12  # two classes of six: the smallest world that still has groups over classes
PUPILS_DEFAULT = 600
CLASS_SIZE = 25
ONE_SCHOOL_PUPILS_MAX = 1_000  # a secondary school with more than forty classes is hardly ever seen
SCHOOL_PUPILS, SCHOOL_CLASSES = 600, 24
PRIMARY_PUPILS_MIN, PRIMARY_SHARE = 18, 0.1
ROOMS_PER_BLOCK = 16
CLASS_PAIRS = ("AB", "CD", "EF", "GH")


@dataclass(frozen=True, slots=True)
class Introduced:
    """The people of a school whom the demo introduces by name."""

    families: tuple[KnownFamily, ...] = ()
    leaders: tuple[tuple[Role, KnownPerson], ...] = ()
    teachers: tuple[tuple[str, KnownPerson], ...] = ()
    """The first teacher of a team: a subject's key, or the name of a class in a primary school."""
    first_group: str = ""
    """The class whom these teachers teach."""


LEADERS = (Role.HEAD, Role.SECRETARIAT, Role.ICT)
PARENTS = (KnownPerson("Sofie", "Vermeulen", FEMALE), KnownPerson("Jonas", "Claes", MALE))
MAIN_SCHOOL = Introduced(
    families=(KnownFamily("3B", KnownPerson("Noor", "Vermeulen", FEMALE), PARENTS),),
    leaders=(
        (Role.HEAD, KnownPerson("Hilde", "Maes", FEMALE)),
        (Role.SECRETARIAT, KnownPerson("Karel", "Thys", MALE)),
        (Role.ICT, KnownPerson("Tom", "Wouters", MALE)),
    ),
    teachers=(
        ("wiskunde", KnownPerson("An", "Peeters", FEMALE)),
        ("frans", KnownPerson("Marc", "Dubois", MALE)),
        ("natuurwetenschappen", KnownPerson("Elif", "Aydin", FEMALE)),
    ),
    first_group="3B",
)
PRIMARY_SCHOOL_NAME = "De Wegwijzer"
PRIMARY_SCHOOL = Introduced(
    families=(KnownFamily("4A", KnownPerson("Milan", "Vermeulen", MALE), PARENTS),),
    leaders=(
        (Role.HEAD, KnownPerson("Geert", "Callens", MALE)),
        (Role.SECRETARIAT, KnownPerson("Ilse", "Moens", FEMALE)),
        (Role.ICT, KnownPerson("Nele", "Raes", FEMALE)),
    ),
    teachers=(("4A", KnownPerson("Lies", "Bogaert", FEMALE)),),
    first_group="4A",
)
OPERATOR = CastMember(Role.OPERATOR, "Robin Lenaerts", None, "operator")
CAST = (
    (0, "noor.vermeulen"),
    (0, "an.peeters"),
    (0, "sofie.vermeulen"),
    (0, "hilde.maes"),
    (0, "karel.thys"),
    (0, "tom.wouters"),
    (1, "milan.vermeulen"),
    (1, "lies.bogaert"),
    (1, "sofie.vermeulen"),
    (1, "geert.callens"),
)
"""The number of the school, and the sign-in name of somebody to try the demo as."""


def generate_world(seed: int, pupils: int = PUPILS_DEFAULT, *, today: date) -> World:
    """Return the world of this seed: the same arguments give the same world, to the last byte of its files.

    `pupils` counts those of the secondary schools: one school up to 1,000, beyond that schools of about
    600. Beside them there is always one small primary school, where the brother of a known pupil goes.
    Raises ValueError for fewer than 12 pupils.
    """
    if pupils < PUPILS_MIN:
        raise ValueError(f"A world has at least {PUPILS_MIN} pupils, not {pupils}.")
    schools = [*_secondary_schools(seed, pupils, today)]
    schools.insert(1, _primary_school(seed, len(schools[0].pupils), today))
    return World(seed, today, school_year(today), tuple(schools), (*_cast(schools), OPERATOR))


def _secondary_schools(seed: int, pupils: int, today: date) -> Iterator[School]:
    count = 1 if pupils <= ONE_SCHOOL_PUPILS_MAX else round(pupils / SCHOOL_PUPILS)
    classes = SCHOOL_CLASSES if count > 1 else max(2, round(pupils / CLASS_SIZE))
    for index, size in enumerate(_shares(pupils, count)):
        seats = _seats(_class_names(classes), size)
        introduced = Introduced() if index else MAIN_SCHOOL
        yield _found(seed, today, secondary_school_name(index), SECONDARY, seats, introduced=introduced)


def _primary_school(seed: int, main_pupils: int, today: date) -> School:
    size = max(PRIMARY_PUPILS_MIN, round(main_pupils * PRIMARY_SHARE))
    seats = _seats([(grade, "A") for grade in YEARS], size)
    return _found(seed, today, PRIMARY_SCHOOL_NAME, PRIMARY, seats, introduced=PRIMARY_SCHOOL)


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (part < total % parts) for part in range(parts)]


def _class_names(count: int) -> list[tuple[int, str]]:
    """Return years and letters, filled two by two since two classes of a year share their options."""
    order = [(year, letter) for pair in CLASS_PAIRS for year in (3, 1, 5, 2, 4, 6) for letter in pair]
    return sorted(order[:count])


def _seats(names: list[tuple[int, str]], pupils: int) -> list[list[Seat]]:
    return [
        [Seat(f"{year}{letter}", year, number) for number in range(1, size + 1)]
        for (year, letter), size in zip(names, _shares(pupils, len(names)), strict=True)
    ]


def _found(seed: int, today: date, name: str, level: str, seats: list[list[Seat]], *, introduced: Introduced) -> School:
    year = school_year(today)
    scope = (seed, year.name, slug(name))
    random = Random("/".join(map(str, scope)))
    register = Register(scope, level, year.first_day)
    free = [seat for places in seats for seat in places]
    for family in introduced.families:
        enrol_known_family(register, free, family, random)
    leaders = [hire(register, role, 1, random, dict(introduced.leaders).get(role)) for role in LEADERS]
    classes = [_class_plan(register, number, places) for number, places in enumerate(seats)]
    plans = plan_courses(level, classes)
    teams = _hire_teams(register, team_sizes(level, plans, len(classes)), dict(introduced.teachers), random)
    enrol_drawn_families(register, free, random)
    team_ids = {team: [teacher.id for teacher in teachers] for team, teachers in teams.items()}
    teachers = assign_teachers(plans, team_ids, introduced.first_group)
    homeroom = homeroom_teachers(classes, teachers, introduced.first_group)
    return School(
        id=register.id("school"),
        slug=slug(name),
        name=name,
        level=level,
        year=year,
        today=today,
        staff=(*leaders, *(teacher for team in teams.values() for teacher in team)),
        pupils=tuple(register.pupils[seat] for places in seats for seat in places),
        parents=tuple(register.parents),
        families=tuple(register.families),
        classes=tuple(
            SchoolClass(plan.id, plan.name, plan.year, plan.room, plan.pupil_ids, homeroom[plan]) for plan in classes
        ),
        courses=tuple(_course(register, level, plan, teachers[plan]) for plan in plans),
    )


def _class_plan(register: Register, number: int, places: list[Seat]) -> ClassPlan:
    block, room = divmod(number, ROOMS_PER_BLOCK)
    return ClassPlan(
        id=register.id("class", places[0].class_name),
        name=places[0].class_name,
        year=places[0].year,
        room=f"{'ABCD'[block]} {101 + room}",
        pupil_ids=tuple(register.pupil_id(seat) for seat in places),
    )


def _hire_teams(
    register: Register, sizes: dict[str, int], known: dict[str, KnownPerson], random: Random
) -> dict[str, list[Person]]:
    """Hire the known first, so that no drawn colleague takes their sign-in names."""
    first = {team: hire(register, Role.TEACHER, f"{team}-1", random, known[team]) for team in known if team in sizes}
    return {
        team: [
            first[team] if number == 1 and team in first else hire(register, Role.TEACHER, f"{team}-{number}", random)
            for number in range(1, size + 1)
        ]
        for team, size in sizes.items()
    }


def _course(register: Register, level: str, plan: CoursePlan, teacher_ids: tuple[str, ...]) -> Course:
    return Course(
        id=register.id("course", plan.code),
        code=plan.code,
        title=plan.subject.title,
        subject=plan.subject.key,
        level=level,
        year=plan.year,
        hours=plan.hours,
        group=plan.group,
        class_ids=tuple(group.id for group in plan.classes),
        teacher_ids=teacher_ids,
        pupil_ids=plan.pupil_ids,
        band=plan.band,
    )


def _cast(schools: list[School]) -> Iterator[CastMember]:
    for number, sign_in_name in CAST:
        school = schools[number]
        person = next(person for person in school.people if person.sign_in_name == sign_in_name)
        yield CastMember(person.role, person.name, school.slug, person.sign_in_name)
