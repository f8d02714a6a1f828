"""Words in the reader's language: gettext catalogues, dates and times as people write them."""

import gettext
from datetime import date, datetime, time
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale, dates, lists, negotiate_locale
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = ("nl", "en", "fr")
"""The languages in which every page is complete; the first is the fallback."""

_KB, _MB = 1_000, 1_000_000
_CATALOGUES = Path(__file__).parent.parent / "locales"


def mark(message: str) -> str:
    """Mark `message` for extraction where it is declared; it is translated where it is shown."""
    return message


@cache
def translations(locale: str) -> gettext.NullTranslations:
    """The catalogue of `locale`: `locales/nl/*.po`, one per domain, merged. Ids are English sentences."""
    if locale == "en":
        return gettext.NullTranslations()
    merged = Catalog(locale=locale)
    for path in sorted((_CATALOGUES / locale).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.id:
                    merged[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose_locale(*chosen: str | None, accept_language: str = "") -> str:
    """The first of `chosen` (person, school) that we speak, else what the browser asks for, else Dutch."""
    for locale in chosen:
        if locale in LOCALES:
            return locale
    wanted = [part.partition(";")[0].strip() for part in accept_language[:200].split(",")]
    return negotiate_locale(wanted, LOCALES, sep="-") or LOCALES[0]


@cache
def _locale(code: str) -> Locale:
    return Locale.parse("en_GB" if code == "en" else f"{code}_BE")


def format_time(value: time | datetime, locale: str) -> str:
    """8.30 in Dutch, 8:30 in English, 8 h 30 in French: as a school writes it, and never over two lines."""
    if locale == "nl":
        return f"{value.hour}.{value.minute:02}"
    if locale == "fr":
        return f"{value.hour}\N{NARROW NO-BREAK SPACE}h\N{NARROW NO-BREAK SPACE}{value.minute:02}"
    return f"{value.hour}:{value.minute:02}"


def format_list(words: list[str], locale: str) -> str:
    """One, two and three: as a sentence has it."""
    return lists.format_list(words, locale=_locale(locale))


@cache
def _pattern(kind: str, locale: str) -> str:
    return {
        "weekday": "EEEE",
        "short": "EE d MMM",
        "day": "d MMMM",
        "long": "EEEE d MMMM",
        "full": "EEEE d MMMM y",
    }[kind]


@lru_cache(maxsize=4_096)
def _formatted_date(year: int, month: int, day: int, locale: str, kind: str) -> str:
    text = dates.format_date(date(year, month, day), _pattern(kind, locale), _locale(locale))
    return text.replace(".", "") if kind == "short" else text


def format_date(value: date, locale: str, kind: str = "long") -> str:
    """A date as people say it.

    `kind`: weekday, short (do 23 apr), day (23 april), long (with weekday), full (with year).
    """
    return _formatted_date(value.year, value.month, value.day, locale, kind)


def format_bytes(size: int, locale: str) -> str:
    """A size as file managers show it: 240 kB, 1,2 MB, in French 1,2 Mo."""
    unit = "o" if locale == "fr" else "B"
    if size < _KB:
        return f"{size} {unit}"
    if size < _MB:
        return f"{round(size / _KB)} k{unit}"
    point = "." if locale == "en" else ","
    return f"{size / _MB:.1f}".removesuffix(".0").replace(".", point) + f" M{unit}"
