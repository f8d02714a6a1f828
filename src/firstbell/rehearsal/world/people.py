"""Who lives in the world: families with their children, and the staff of a school."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from firstbell.rehearsal.world.model import PRIMARY, SECONDARY, Family, Person, Role, stable_id
from firstbell.rehearsal.world.names import COMMUNITIES, Community, SignInNames, pick_community
from firstbell.rehearsal.world.subjects import YEARS

AGE_IN_FIRST_YEAR = {PRIMARY: 6, SECONDARY: 12}
FEMALE, MALE = "female", "male"

SIBLINGS = ((1, 76), (2, 20), (3, 4))
"""Children of one family in the same school, and how many families of a hundred have that many."""
ONE_PARENT_SHARE, GUARDIAN_SHARE, SEPARATED_SHARE, OTHER_COMMUNITY_SHARE = 0.16, 0.03, 0.2, 0.08
STAFF_FIRST_COMMUNITY_SHARE = 0.8  # teachers' rooms are less mixed than playgrounds


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a class that waits for a pupil."""

    class_name: str
    year: int
    number: int


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody whom the demo introduces by name."""

    given_name: str
    family_name: str
    sex: str


@dataclass(frozen=True, slots=True)
class KnownFamily:
    """A family that the demo introduces by name: one child in this class, and the parents."""

    class_name: str
    child: KnownPerson
    parents: tuple[KnownPerson, ...]


@dataclass(slots=True)
class Register:
    """What is gathered while a school fills up."""

    scope: tuple[object, ...]
    """Names that set this school's ids apart from those of other schools and seeds."""
    level: str
    first_day: date
    names: SignInNames = field(default_factory=SignInNames)
    pupils: dict[Seat, Person] = field(default_factory=dict)
    parents: list[Person] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)

    def id(self, *names: object) -> str:
        """Return the id of something in this school."""
        return stable_id(*self.scope, *names)

    def pupil_id(self, seat: Seat) -> str:
        """Return the id of whoever sits there."""
        return self.id("pupil", seat.class_name, seat.number)

    def person(
        self,
        person_id: str,
        role: Role,
        known: KnownPerson,
        *,
        birth_date: date | None = None,
        relatives: tuple[str, ...] = (),
    ) -> Person:
        """Return somebody with a sign-in name that nobody else in this school has."""
        sign_in_name = self.names.take(known.given_name, known.family_name)
        return Person(
            person_id,
            role,
            known.given_name,
            known.family_name,
            sign_in_name,
            known.sex,
            birth_date,
            relatives,
        )


def enrol_known_family(register: Register, free: list[Seat], family: KnownFamily, random: Random) -> None:
    """Give the child of this family a free seat in its class."""
    seat = next(seat for seat in free if seat.class_name == family.class_name)
    free.remove(seat)
    parents = [(Role.PARENT, parent) for parent in family.parents]
    _enrol(register, [(seat, family.child)], parents, separated=False, random=random)


def enrol_drawn_families(register: Register, free: list[Seat], random: Random) -> None:
    """Fill all free seats with children of drawn families, brothers and sisters in any class."""
    random.shuffle(free)
    sizes, weights = zip(*SIBLINGS, strict=True)
    while free:
        wanted = random.choices(sizes, weights)[0]
        seats = [free.pop() for _ in range(min(wanted, len(free)))]
        community = pick_community(random)
        family_name = random.choice(community.families)
        parents = _draw_parents(community, family_name, random)
        children = _draw_children(community, family_name, len(seats), random)
        separated = len(parents) > 1 and random.random() < SEPARATED_SHARE
        _enrol(register, list(zip(seats, children, strict=True)), parents, separated=separated, random=random)


def _draw_parents(community: Community, family_name: str, random: Random) -> list[tuple[Role, KnownPerson]]:
    """A mother keeps her own name; children carry their father's, or that of the one who raises them."""
    other = pick_community(random) if random.random() < OTHER_COMMUNITY_SHARE else community
    draw = random.random()
    if draw < GUARDIAN_SHARE:
        return [(Role.GUARDIAN, KnownPerson(random.choice(community.women), family_name, FEMALE))]
    if draw < GUARDIAN_SHARE + ONE_PARENT_SHARE:
        return [(Role.PARENT, KnownPerson(random.choice(community.women), family_name, FEMALE))]
    mother = KnownPerson(random.choice(other.women), random.choice(other.families), FEMALE)
    father = KnownPerson(random.choice(community.men), family_name, MALE)
    return [(Role.PARENT, mother), (Role.PARENT, father)]


def _draw_children(community: Community, family_name: str, count: int, random: Random) -> list[KnownPerson]:
    names: dict[str, str] = {}
    while len(names) < count:
        sex = random.choice((FEMALE, MALE))
        names[random.choice(community.girls if sex == FEMALE else community.boys)] = sex
    return [KnownPerson(given_name, family_name, sex) for given_name, sex in names.items()]


def _enrol(
    register: Register,
    children: list[tuple[Seat, KnownPerson]],
    parents: list[tuple[Role, KnownPerson]],
    *,
    separated: bool,
    random: Random,
) -> None:
    pupil_ids = tuple(register.pupil_id(seat) for seat, _ in children)
    parent_ids = tuple(register.id("parent", pupil_ids[0], number) for number in range(len(parents)))
    for seat, child in children:
        birth_date = _birth_date(register, seat.year, random)
        register.pupils[seat] = register.person(
            register.pupil_id(seat), Role.PUPIL, child, birth_date=birth_date, relatives=parent_ids
        )
    for parent_id, (role, parent) in zip(parent_ids, parents, strict=True):
        register.parents.append(register.person(parent_id, role, parent, relatives=pupil_ids))
    register.families.append(Family(pupil_ids, parent_ids, separated))


def _birth_date(register: Register, year: int, random: Random) -> date:
    """Children start in the calendar year in which they turn six (primary) or twelve (secondary)."""
    age = AGE_IN_FIRST_YEAR[register.level] + year - YEARS.start
    return date(register.first_day.year - age, 1, 1) + timedelta(days=random.randrange(365))


def hire(register: Register, role: Role, place: object, random: Random, known: KnownPerson | None = None) -> Person:
    """Return a member of staff: the known one, or somebody drawn."""
    return register.person(register.id(role, place), role, known or _draw_colleague(random))


def _draw_colleague(random: Random) -> KnownPerson:
    community = COMMUNITIES[0] if random.random() < STAFF_FIRST_COMMUNITY_SHARE else pick_community(random)
    sex = random.choice((FEMALE, FEMALE, MALE))
    given_names = community.women if sex == FEMALE else community.men
    return KnownPerson(random.choice(given_names), random.choice(community.families), sex)
