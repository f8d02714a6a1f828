"""What teachers write with their lessons: a note for everybody and a note for themselves."""

from datetime import date
from random import Random

from firstbell.rehearsal.world.model import Course, School
from firstbell.rehearsal.world.schoolyear import WEEK, monday_of
from firstbell.rehearsal.world.subjects import BY_KEY, Kind
from firstbell.rehearsal.world.timetable import Lesson

WEEKS_BEFORE, WEEKS_AFTER = 1, 2  # teachers prepare about a fortnight ahead
PUBLIC_SHARE, PRIVATE_SHARE = 0.45, 0.15

PUBLIC = {
    Kind.NUMBERS: (
        "{chapter}: uitleg en oefeningen 4 tot 9.",
        "{chapter}: we verbeteren oefening 3 en beginnen aan de toepassingen.",
        "Meebrengen: rekenmachine en geodriehoek.",
        "Kleine toets: {finished}.",
    ),
    Kind.WORDS: (
        "{chapter}: we lezen samen en maken oefening 2.",
        "Spreekoefening per twee: {chapter}.",
        "Woordenlijst kennen: {finished}.",
        "Meebrengen: je leesboek.",
    ),
    Kind.MATTER: (
        "{chapter}: bronnen bekijken en vragen 1 tot 5.",
        "Groepswerk: {chapter}. Breng je map mee.",
        "Herhaling: {finished}. Stel gerust je vragen.",
    ),
    Kind.MAKING: (
        "Vandaag oefenen we: {chapter}.",
        "We werken verder: {chapter}.",
        "Meebrengen: alles van vorige les.",
    ),
}
OF_SUBJECT = {
    "natuurwetenschappen": ("Meebrengen: labojas.", "{chapter}: proef in het labo, labojas aan."),
    "lo": ("Turnkledij en een flesje water meebrengen.", "{chapter}: we starten buiten als het droog is."),
    "bewegen": ("Turnzak niet vergeten.",),
    "muziek": ("Breng je blokfluit mee.",),
}
PRIVATE = (
    "Kopies liggen klaar in het secretariaat.",
    "Lokaal vroeger openen, beamer testen.",
    "Groepjes van vorige les behouden.",
    "Niet vergeten: uitgestelde toets afnemen.",
)


def lesson_notes(school: School, lesson: Lesson, day: date) -> tuple[str, str]:
    """Return the public and the private note of a lesson on this day; most are empty.

    Teachers have written them for the week of the school's `today`, the one before and the next two.
    """
    week = monday_of(school.today)
    if not week - WEEKS_BEFORE * WEEK <= day < week + (WEEKS_AFTER + 1) * WEEK:
        return "", ""
    random = Random(f"{lesson.id}/{day}")
    public = _public_note(lesson.course, random) if random.random() < PUBLIC_SHARE else ""
    private = random.choice(PRIVATE) if random.random() < PRIVATE_SHARE else ""
    return public, private


def _public_note(course: Course, random: Random) -> str:
    subject = BY_KEY[course.subject]
    finished, current = subject.chapters[course.year]
    sentence = random.choice((*OF_SUBJECT.get(subject.key, ()), *PUBLIC[subject.kind]))
    return sentence.format(chapter=current, finished=finished)
