"""What lies in the folders of a course: worksheets, pictures, melodies, films and texts.

Documents of the same subject and year are the same bytes in every class and every school, as with
teachers who share their material. They are made when they are first read, and kept for the next reader.
Only who needs documents imports this module: it brings the makers of PDF, images and films along.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import PurePath
from random import Random

from firstbell.rehearsal.world.drawings import draw_map, draw_png
from firstbell.rehearsal.world.films import make_film
from firstbell.rehearsal.world.model import Course
from firstbell.rehearsal.world.sounds import play_pitches, play_tune
from firstbell.rehearsal.world.subjects import BY_KEY, Subject
from firstbell.rehearsal.world.texts import TEXTS
from firstbell.rehearsal.world.worksheets import make_worksheet

KEPT = 160  # all that both kinds of school have together, about 30 MB
REFERENCE_FOLDER = "Naslag"
WITHOUT_MATERIAL_SHARE, SECOND_DOCUMENT_SHARE = 0.25, 0.5
MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".txt": "text/plain",
}
Content = tuple[str, ...]
"""Names the bytes of a document: how they are made, and of what."""


@dataclass(frozen=True, slots=True)
class WorldDocument:
    """A document in a folder of a course. Documents with the same `content` have the same bytes."""

    folder: str
    name: str
    content: Content

    @property
    def media_type(self) -> str:
        """The media type that goes with the ending of its name."""
        return MEDIA_TYPES[PurePath(self.name).suffix]

    def read(self) -> bytes:
        """Return its bytes, made now unless they were made before."""
        return _make(self.content)


@dataclass(frozen=True, slots=True)
class _Item:
    """Something that teachers of a subject hand on: to the chapter before, to this one, or for reference."""

    place: str
    name: str
    content: Content
    year: int | None = None


BEFORE, NOW, REFERENCE = "before", "now", "reference"
MAP = _Item(NOW, "Reliëfkaart.jpg", ("map",))
WATER = _Item(BEFORE, "De kringloop van water.webm", ("film", "water"))
SENTENCE = _Item(BEFORE, "Zinsdelen.png", ("drawing", "sentence"))
READING = _Item(REFERENCE, "Leeslijst.txt", ("text", "reading"))
JACQUES = _Item(NOW, "Frère Jacques.mp3", ("tune", "jacques"))
FIELD = _Item(NOW, "Opstelling.png", ("drawing", "field"))
FEASTS = _Item(NOW, "Jaarkring.png", ("drawing", "year"))
SILENCE = _Item(REFERENCE, "Stiltemoment.txt", ("text", "silence"))
COLOURS = _Item(NOW, "Kleurencirkel.png", ("drawing", "colours"))
ODE = _Item(NOW, "Ode aan de vreugde.mp3", ("tune", "ode"))
EVERY_COURSE = _Item(REFERENCE, "Zo werken we.txt", ("text", "working"))
SHELVES: dict[str, tuple[_Item, ...]] = {
    "wiskunde": (
        _Item(NOW, "Bewijs in 3 stappen.webm", ("film", "pythagoras"), year=3),
        _Item(BEFORE, "Assenstelsel.png", ("drawing", "axes")),
        _Item(REFERENCE, "Formules.txt", ("text", "formulas")),
    ),
    "nederlands": (SENTENCE, READING),
    "frans": (JACQUES,),
    "engels": (
        _Item(NOW, "Little star.mp3", ("tune", "stars")),
        _Item(REFERENCE, "Irregular verbs.txt", ("text", "verbs")),
    ),
    "geschiedenis": (_Item(REFERENCE, "Tijdlijn.png", ("drawing", "timeline")),),
    "aardrijkskunde": (MAP, WATER),
    "natuurwetenschappen": (
        _Item(NOW, "Golven.webm", ("film", "wave")),
        _Item(BEFORE, "De cel.png", ("drawing", "cell")),
        _Item(REFERENCE, "Vijf octaven.wav", ("pitches",)),
    ),
    "lo": (FIELD,),
    "godsdienst": (FEASTS, SILENCE),
    "techniek": (_Item(NOW, "Schakeling.png", ("drawing", "circuit")),),
    "beeld": (COLOURS, _Item(BEFORE, "Perspectief.png", ("drawing", "perspective"))),
    "muziek": (ODE, _Item(BEFORE, "Toonladder.mp3", ("tune", "scale"))),
    "latijn": (_Item(REFERENCE, "Verbuigingen.txt", ("text", "declensions")),),
    "economie": (_Item(NOW, "Vraag en aanbod.png", ("drawing", "supply")),),
    "taal": (SENTENCE, READING),
    "rekenen": (_Item(NOW, "Klok.png", ("drawing", "clock")),),
    "wereld": (MAP, WATER),
    "fransbasis": (JACQUES,),
    "muzo": (COLOURS, ODE),
    "godsdienstbasis": (FEASTS, SILENCE),
    "bewegen": (FIELD,),
}


def course_documents(course: Course) -> Iterator[WorldDocument]:
    """Yield three to eight documents, the worksheet of the chapter that the class is in first.

    Names are unique within a course.
    """
    subject = BY_KEY[course.subject]
    chapter = subject.chapters[course.year][1]
    folders = _folders(subject, course.year)
    name = subject.worksheet.format(chapter=chapter, number=subject.first_chapter + 1)
    yield WorldDocument(folders[NOW], f"{name}.pdf", ("worksheet", subject.key, chapter))
    for item in (*SHELVES[subject.key], EVERY_COURSE):
        if item.year in {None, course.year}:
            yield WorldDocument(folders[item.place], item.name, item.content)


def lesson_material(course: Course, day: date) -> tuple[str, ...]:
    """Return the names of the documents that belong to the course's lesson on this day, mostly one or two."""
    random = Random(f"{course.id}/{day}")
    if random.random() < WITHOUT_MATERIAL_SHARE:
        return ()
    worksheet, *others = (document.name for document in course_documents(course) if document.folder != REFERENCE_FOLDER)
    if others and random.random() < SECOND_DOCUMENT_SHARE:
        return worksheet, random.choice(others)
    return (worksheet,)


def _folders(subject: Subject, year: int) -> dict[str, str]:
    """Folders are called after chapters and their numbers: 5 Pythagoras."""
    finished, current = subject.chapters[year]
    number = subject.first_chapter
    return {BEFORE: f"{number} {finished}", NOW: f"{number + 1} {current}", REFERENCE: REFERENCE_FOLDER}


@lru_cache(maxsize=KEPT)
def _make(content: Content) -> bytes:
    maker, *names = content
    return MAKERS[maker](*names)


MAKERS: dict[str, Callable[..., bytes]] = {
    "worksheet": lambda key, chapter: make_worksheet(BY_KEY[key], chapter),
    "drawing": draw_png,
    "map": draw_map,
    "film": make_film,
    "tune": play_tune,
    "pitches": play_pitches,
    "text": lambda name: TEXTS[name].encode(),
}
