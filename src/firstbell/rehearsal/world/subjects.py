"""What is taught: subjects, weekly hours and chapters for the six years of both kinds of school.

The hours follow the usual lesson tables of the first and second grade of general secondary education:
32 hours a week, of which 4 are an option (Latin, or economics and technology) in every class.
"""

from dataclasses import dataclass
from enum import StrEnum

from firstbell.rehearsal.world.model import PRIMARY, SECONDARY

YEARS = range(1, 7)


class Kind(StrEnum):
    """What the exercises of a subject look like."""

    NUMBERS = "numbers"
    WORDS = "words"
    MATTER = "matter"
    MAKING = "making"


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject. `hours` and `chapters` go by year; no hours means that the year does not have it."""

    key: str
    title: str
    code: str
    kind: Kind
    hours: dict[int, int]
    chapters: dict[int, tuple[str, str]]
    first_chapter: int = 4
    """The number of the chapter that has been finished; the class is now in the next one."""
    worksheet: str = "Werkblad {chapter}"
    """What teachers call the worksheet of a chapter with this `chapter` and `number`."""
    special_rooms: tuple[str, ...] = ()
    option: bool = False
    by_homeroom_teacher: bool = False


def _hours(*by_year: int) -> dict[int, int]:
    return {year: hours for year, hours in zip(YEARS, by_year, strict=True) if hours}


def _chapters(*pairs: str) -> dict[int, tuple[str, str]]:
    """Read 'finished | current', one text for each year; an empty text stands for a year without."""
    read = [tuple(part.strip() for part in pair.split("|")) for pair in pairs]
    return {year: (pair[0], pair[1]) for year, pair in zip(YEARS, read, strict=True) if len(pair) > 1}


_SECONDARY = (
    Subject(
        "wiskunde",
        "Wiskunde",
        "WIS",
        Kind.NUMBERS,
        _hours(4, 4, 5, 5, 5, 5),
        _chapters(
            "Gehele getallen | Breuken",
            "Machten | Gelijkvormigheid",
            "Vergelijkingen | Pythagoras",
            "Vierkantswortels | Tweedegraadsfuncties",
            "Goniometrie | Rijen",
            "Afgeleiden | Integralen",
        ),
    ),
    Subject(
        "nederlands",
        "Nederlands",
        "NED",
        Kind.WORDS,
        _hours(5, 5, 4, 4, 4, 4),
        _chapters(
            "Zinsdelen | Verhalen lezen",
            "Werkwoordspelling | Een mening geven",
            "Poëzie | Zakelijke teksten",
            "Debatteren | Een recensie schrijven",
            "Argumenteren | De roman",
            "Essay | Literatuur na 1945",
        ),
        first_chapter=3,
    ),
    Subject(
        "frans",
        "Frans",
        "FRA",
        Kind.WORDS,
        _hours(4, 4, 4, 4, 4, 4),
        _chapters(
            "Ma famille | À l'école",
            "En ville | Bon appétit",
            "Mes loisirs | Mes amis",
            "En voyage | Le passé composé",
            "Les médias | Le monde du travail",
            "La francophonie | Le subjonctif",
        ),
        first_chapter=6,
        worksheet="Vocabulaire {number}",
    ),
    Subject(
        "engels",
        "Engels",
        "ENG",
        Kind.WORDS,
        _hours(2, 2, 3, 3, 3, 3),
        _chapters(
            "Hello there | My day",
            "Around town | Past simple",
            "Going places | Telling stories",
            "Present perfect | In the news",
            "Conditionals | Short stories",
            "Reported speech | Giving a talk",
        ),
        first_chapter=2,
        worksheet="Unit {number} {chapter}",
    ),
    Subject(
        "geschiedenis",
        "Geschiedenis",
        "GES",
        Kind.MATTER,
        _hours(1, 2, 2, 2, 2, 2),
        _chapters(
            "Prehistorie | Egypte",
            "Griekenland | Het Romeinse rijk",
            "De middeleeuwse stad | Ridders en boeren",
            "Ontdekkingsreizen | Reformatie",
            "De Franse Revolutie | De industriële samenleving",
            "Interbellum | De Koude Oorlog",
        ),
        first_chapter=2,
    ),
    Subject(
        "aardrijkskunde",
        "Aardrijkskunde",
        "AAR",
        Kind.MATTER,
        _hours(2, 1, 1, 1, 1, 1),
        _chapters(
            "Kaartlezen | Landschappen",
            "Reliëf | Rivieren",
            "Weer en klimaat | Klimaten in Europa",
            "Bevolking | Steden",
            "Platentektoniek | Vulkanen",
            "Globalisering | Klimaatverandering",
        ),
        first_chapter=3,
    ),
    Subject(
        "natuurwetenschappen",
        "Natuurwetenschappen",
        "NAT",
        Kind.MATTER,
        _hours(2, 2, 4, 4, 4, 4),
        _chapters(
            "De cel | Bloemplanten",
            "Het deeltjesmodel | Energie",
            "Krachten | Geluid en licht",
            "Zuren en basen | Elektriciteit",
            "Genetica | Reactiesnelheid",
            "Trillingen | Evolutie",
        ),
        special_rooms=("Labo 1", "Labo 2"),
    ),
    Subject(
        "lo",
        "Lichamelijke opvoeding",
        "LO",
        Kind.MAKING,
        _hours(2, 2, 2, 2, 2, 2),
        _chapters(*["Atletiek | Balsporten", "Turnen | Badminton"] * 3),
        first_chapter=1,
    ),
    Subject(
        "godsdienst",
        "Godsdienst",
        "GOD",
        Kind.MATTER,
        _hours(2, 2, 2, 2, 2, 2),
        _chapters(
            "Samen op weg | Feesten",
            "Vriendschap | Verhalen die dragen",
            "Wie ben ik | Wereldgodsdiensten",
            "Vrijheid | Verbondenheid",
            "Verdriet en troost | Rechtvaardigheid",
            "Zin zoeken | Kiezen en engageren",
        ),
        first_chapter=2,
    ),
    Subject(
        "techniek",
        "Techniek",
        "TEC",
        Kind.MAKING,
        _hours(2, 2, 0, 0, 0, 0),
        _chapters("Constructies | Overbrengingen", "Energie omzetten | Elektrische schakelingen", "", "", "", ""),
        special_rooms=("Technieklokaal",),
    ),
    Subject(
        "beeld",
        "Beeld",
        "BEE",
        Kind.MAKING,
        _hours(1, 1, 1, 1, 1, 1),
        _chapters(
            "Lijn en vlak | Kleur",
            "Perspectief | Portret",
            "Collage | Compositie",
            "Fotografie | Licht en schaduw",
            "Design | Kunst in de stad",
            "Kunststromingen | Portfolio",
        ),
        first_chapter=1,
        special_rooms=("Beeldatelier",),
    ),
    Subject(
        "muziek",
        "Muziek",
        "MUZ",
        Kind.MAKING,
        _hours(1, 1, 0, 0, 0, 0),
        _chapters("Ritme | Toonladders", "Het orkest | Ode aan de vreugde", "", "", "", ""),
        first_chapter=2,
        special_rooms=("Muzieklokaal",),
    ),
    Subject(
        "latijn",
        "Latijn",
        "LAT",
        Kind.WORDS,
        _hours(4, 4, 4, 4, 4, 4),
        _chapters(
            "Familia | In foro",
            "Bellum Troianum | Ulixes",
            "Caesar | De bello Gallico",
            "Ovidius | Metamorphoses",
            "Cicero | Retorica",
            "Vergilius | Aeneis",
        ),
        option=True,
    ),
    Subject(
        "economie",
        "Economie",
        "ECO",
        Kind.MATTER,
        _hours(4, 4, 4, 4, 4, 4),
        _chapters(
            "Kopen en sparen | Mijn budget",
            "Reclame | De winkel",
            "De consument | Vraag en aanbod",
            "De onderneming | De balans",
            "Loon en arbeid | Marktvormen",
            "Conjunctuur | Internationale handel",
        ),
        option=True,
    ),
)

_PRIMARY = (
    Subject(
        "taal",
        "Nederlands",
        "TAA",
        Kind.WORDS,
        _hours(10, 9, 9, 9, 8, 8),
        _chapters(
            "Letters | Woordjes lezen",
            "Zinnen lezen | Verhalen",
            "Woorden maken | Een brief schrijven",
            "Werkwoorden | Nieuws uit de klas",
            "Zinsdelen | Een boek voorstellen",
            "Leestekens | Een spreekbeurt",
        ),
        by_homeroom_teacher=True,
    ),
    Subject(
        "rekenen",
        "Wiskunde",
        "REK",
        Kind.NUMBERS,
        _hours(7, 7, 7, 7, 6, 6),
        _chapters(
            "Tot 10 | Tot 20",
            "Tot 100 | De tafels van 2 en 5",
            "De tafels | Klokkijken",
            "Delen | Breuken",
            "Kommagetallen | Omtrek en oppervlakte",
            "Procenten | Schaal",
        ),
        by_homeroom_teacher=True,
    ),
    Subject(
        "wereld",
        "Wereldoriëntatie",
        "WER",
        Kind.MATTER,
        _hours(4, 5, 5, 5, 5, 5),
        _chapters(
            "De herfst | Mijn familie",
            "Dieren | In het verkeer",
            "Het weer | Onze gemeente",
            "Water | De Romeinen",
            "Het lichaam | België",
            "Energie | Europa",
        ),
        by_homeroom_teacher=True,
    ),
    Subject(
        "fransbasis",
        "Frans",
        "FRB",
        Kind.WORDS,
        _hours(0, 0, 0, 0, 2, 2),
        _chapters("", "", "", "", "Bonjour | Ma classe", "La famille | Au marché"),
        by_homeroom_teacher=True,
    ),
    Subject(
        "muzo",
        "Muzische vorming",
        "MUO",
        Kind.MAKING,
        _hours(2, 2, 2, 2, 2, 2),
        _chapters(*["Dansen | Schilderen", "Toneel | Zingen"] * 3),
        by_homeroom_teacher=True,
    ),
    Subject(
        "godsdienstbasis",
        "Godsdienst",
        "GOB",
        Kind.MATTER,
        _hours(3, 3, 3, 3, 3, 3),
        _chapters(*["Samen delen | Licht", "Dankbaar zijn | Feesten"] * 3),
    ),
    Subject(
        "bewegen",
        "Lichamelijke opvoeding",
        "BEW",
        Kind.MAKING,
        _hours(2, 2, 2, 2, 2, 2),
        _chapters(*["Lopen en springen | Balspelen", "Zwemmen | Evenwicht"] * 3),
    ),
)

SUBJECTS = {SECONDARY: _SECONDARY, PRIMARY: _PRIMARY}
BY_KEY = {subject.key: subject for subjects in SUBJECTS.values() for subject in subjects}
SPORTS = frozenset({"lo", "bewegen"})
"""Sports need a hall for every teacher: a classroom is no second best."""
