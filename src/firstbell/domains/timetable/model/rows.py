"""What a CSV file says about lessons: one row each, under the headers `COLUMNS` or their `SYNONYMS`."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, time

from firstbell.domains.timetable.model.slots import Rejection, Slot, WrongError
from firstbell.kernel.errors import InvalidError

COLUMNS = ("date", "start", "end", "course", "teachers", "class", "room", "public_note", "private_note")
NEEDED = ("date", "start", "end", "course")
SYNONYMS = {
    "datum": "date", "begin": "start", "van": "start", "einde": "end", "tot": "end", "vak": "course",
    "leerkracht": "teachers", "leerkrachten": "teachers", "teacher": "teachers", "klas": "class",
    "klassen": "class", "classes": "class", "lokaal": "room", "notitie": "public_note", "note": "public_note",
    "eigen notitie": "private_note", "jour": "date", "début": "start", "debut": "start", "fin": "end",
    "cours": "course", "professeur": "teachers", "professeurs": "teachers", "classe": "class", "local": "room",
    "note privée": "private_note",
}  # fmt: skip
"""Dutch and French headers, and those that people write most."""

_TIME = re.compile(r"(\d{1,2})\s*[:.uh]\s*(\d{2})(?::00)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


def read_csv(lines: Iterable[bytes]) -> Iterator[Slot | Rejection]:
    """The lessons of a CSV file, one row each; commas or semicolons, UTF-8.

    Raises:
        InvalidError: the header is missing or lacks a column.
    """
    numbered = _Lines(lines)
    header = next(numbered, "")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    columns = _columns(header, delimiter)
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise InvalidError(f"The first line of the file must name the columns; it lacks {', '.join(missing)}.")
    rows = csv.reader(numbered, delimiter=delimiter)
    while True:
        place = f"line {numbered.number + 1}"
        try:
            row = next(rows)
            if row:
                yield _row_slot(place, columns, row)
        except StopIteration:
            return
        except WrongError as error:
            yield error.at(place)
        except csv.Error as error:
            yield Rejection(place, "row", f"this is not CSV ({error})")


class _Lines(Iterator[str]):
    """Lines as text, counted. What is not UTF-8 becomes a mark that `_cells` rejects."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self.number = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line.decode("utf-8-sig" if self.number == 1 else "utf-8", "replace")


def _columns(header: str, delimiter: str) -> list[str]:
    try:
        return [_column(name) for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error as error:
        raise InvalidError(f"The first line of the file must name the columns; this is not CSV ({error}).") from error


def _column(name: str) -> str:
    plain = " ".join(name.split()).casefold()
    return SYNONYMS.get(plain, plain)


def _row_slot(place: str, columns: list[str], row: list[str]) -> Slot:
    cells = _cells(columns, row)
    day, starts_at, ends_at = _date(cells["date"]), _time("start", cells["start"]), _time("end", cells["end"])
    if ends_at <= starts_at:
        raise WrongError("end", "the lesson ends before it begins")
    classes = _several(cells["class"])
    return Slot(
        place,
        f"{cells['course']}|{'+'.join(sorted(classes))}|{day:%Y%m%d}T{starts_at:%H%M}",
        day,
        starts_at,
        ends_at,
        cells["course"],
        cells["course"],
        classes,
        _several(cells["teachers"]),
        cells["room"],
        cells["public_note"],
        cells["private_note"],
    )


def _cells(columns: list[str], row: list[str]) -> dict[str, str]:
    if len(row) > len(columns):
        raise WrongError("row", f"there are {len(row)} cells under {len(columns)} columns")
    cells = dict.fromkeys(COLUMNS, "") | dict(zip(columns, (cell.strip() for cell in row), strict=False))
    for column, text in cells.items():
        if "\N{REPLACEMENT CHARACTER}" in text:
            raise WrongError(column, "this is not UTF-8 text")
        if "\0" in text:
            raise WrongError(column, "there is a null character in it")
    for column in NEEDED:
        if not cells[column]:
            raise WrongError(column, "this is empty")
    return cells


def _several(text: str) -> tuple[str, ...]:
    return tuple(name for part in re.split(r"[;,+]", text) if (name := part.strip()))


def _date(text: str) -> date:
    day_first = _DAY_FIRST.fullmatch(text)
    try:
        if day_first:
            day, month, year = map(int, day_first.groups())
            return date(year, month, day)
        return date.fromisoformat(text)
    except ValueError:
        raise WrongError("date", f"{text[:100]!r} is not a date such as 2026-11-23") from None


def _time(column: str, text: str) -> time:
    found = _TIME.fullmatch(text)
    try:
        hours, minutes = found.groups() if found else ("", "")
        return time(int(hours), int(minutes))
    except ValueError:
        raise WrongError(column, f"{text[:100]!r} is not a time such as 08:30") from None
