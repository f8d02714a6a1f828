"""CSV files from outside, in a folder or a zip archive: read as a stream and within limits, whatever their bytes."""

import csv
import hashlib
import re
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import IO

LINE_CHARS_MAX = 4_000_000
"""A longer line is not a row: 31 cells of the 131,072 characters at which the csv module gives up."""
DIRECTORY_BYTES_MAX = 1_000_000
"""What an archive may say about its entries; 100 of them need 10 kB."""

_DIGEST_BYTES = 1_000_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_END_OF_DIRECTORY = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_BYTES_MAX = 65_535


class UnreadableError(ValueError):
    """A file cannot be read as CSV at all; the message is one sentence for whoever gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read from outside before we refuse."""

    archive_bytes_max: int
    bytes_max: int
    ratio_max: int
    entries_max: int


class Package(ABC):
    """The files of a folder, or of a zip archive, by their names; nothing is unpacked to disk."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """The bytes of the file `name`."""

    @abstractmethod
    def digest(self) -> str:
        """The SHA-256 by which somebody finds again what was handed over: of the archive, else of all its files."""

    @contextmanager
    def table(self, name: str) -> Iterator["Table"]:
        """Read the file `name` as CSV.

        Raises:
            UnreadableError: here or while rows are read: its bytes are not UTF-8, not CSV, or damaged.
        """
        try:
            with self.open(name) as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
                yield Table(name, raw, text)
        except UnicodeDecodeError as error:
            raise UnreadableError(f"{name} is not in UTF-8; save it as UTF-8 and try again.") from error
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise UnreadableError(f"{name} is damaged inside the archive.") from error
        except OSError as error:
            raise UnreadableError(f"{name} cannot be read: {error.strerror}.") from error


@contextmanager
def open_package(path: Path, limits: Limits) -> Iterator[Package]:
    """Open the folder or zip archive at `path`.

    Raises:
        UnreadableError: it is neither, it goes beyond `limits`, or it hides something.
    """
    try:
        if path.is_dir():
            yield _Folder(path, limits)
            return
        with path.open("rb") as file:
            _check_directory(path, file, limits)
            with zipfile.ZipFile(file) as archive:
                yield _Archive(path, archive, limits)
    except FileNotFoundError as error:
        raise UnreadableError(f"{path} does not exist.") from error
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise UnreadableError(f"{path} is neither a folder nor a zip archive that can be read.") from error


class _Folder(Package):
    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        sizes: dict[str, int] = {}
        for entry in path.iterdir():
            kept = entry.lstat()
            if stat.S_ISREG(kept.st_mode):
                sizes[entry.name] = kept.st_size
            elif entry.suffix == ".csv":
                raise UnreadableError(f"{entry.name} is not a plain file; links are not followed.")
            if len(sizes) > limits.entries_max:
                raise UnreadableError(f"{path} holds more than {limits.entries_max} files.")
        _check_size(path, sum(size for name, size in sizes.items() if name.endswith(".csv")), limits)
        super().__init__(sizes)

    def open(self, name: str) -> IO[bytes]:
        return (self._path / name).open("rb")

    def digest(self) -> str:
        digest = hashlib.sha256()
        for name in sorted(self.sizes):
            with self.open(name) as file:
                digest.update(name.encode() + b"\0")
                while part := file.read(_DIGEST_BYTES):
                    digest.update(part)
        return digest.hexdigest()


class _Archive(Package):
    def __init__(self, path: Path, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._path = path
        self._archive = archive
        entries = [entry for entry in archive.infolist() if not _is_noise(entry)]
        if len(entries) > limits.entries_max:
            raise UnreadableError(f"{path} holds more than {limits.entries_max} files.")
        for entry in entries:
            _check_entry(path, entry, limits)
        _check_size(path, sum(entry.file_size for entry in entries), limits)
        self._entries = {_inside(entry, _top_folder(entries)): entry for entry in entries}
        if len(self._entries) < len(entries):
            raise UnreadableError(f"{path} holds two files with the same name.")
        super().__init__({name: entry.file_size for name, entry in self._entries.items()})

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._entries[name])

    def digest(self) -> str:
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _is_noise(entry: zipfile.ZipInfo) -> bool:
    """Folders, and what a Mac adds beside the files."""
    return entry.is_dir() or entry.filename.startswith("__MACOSX/")


def _check_entry(path: Path, entry: zipfile.ZipInfo, limits: Limits) -> None:
    parts = PurePosixPath(entry.filename).parts
    if entry.filename.startswith("/") or ".." in parts or "\\" in entry.orig_filename or ":" in entry.filename:
        raise UnreadableError(f"{path} holds a file whose name leads outside it: {entry.filename[:100]!r}.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise UnreadableError(f"{path} holds a link, {entry.filename[:100]!r}; put the file itself in.")
    if entry.flag_bits & 1:
        raise UnreadableError(f"{path} is locked with a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableError(f"{path} is compressed in a way that is not read here; use an ordinary zip archive.")
    if entry.file_size > limits.ratio_max * max(entry.compress_size, 1_000):
        raise UnreadableError(f"{path} is refused: {entry.filename[:100]!r} grows more than {limits.ratio_max} times.")


def _check_size(path: Path, size_bytes: int, limits: Limits) -> None:
    if size_bytes > limits.bytes_max:
        raise UnreadableError(f"{path} holds more than {limits.bytes_max // 1_000_000:,} MB.")


def _check_directory(path: Path, file: BufferedReader, limits: Limits) -> None:
    """Refuse an archive whose list of entries would not fit in memory, before that list is read."""
    size = file.seek(0, 2)
    if size > limits.archive_bytes_max:
        raise UnreadableError(f"{path} is larger than {limits.archive_bytes_max // 1_000_000:,} MB.")
    file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES_MAX))
    tail = file.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise UnreadableError(f"{path} is neither a folder nor a zip archive that can be read.")
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
    has_zip64 = tail[max(0, at - 20) : at].startswith(b"PK\x06\x07")
    if has_zip64 or directory_bytes > DIRECTORY_BYTES_MAX or entries > 10 * limits.entries_max:
        raise UnreadableError(f"{path} holds more than {limits.entries_max} files.")
    file.seek(0)


def _top_folder(entries: Sequence[zipfile.ZipInfo]) -> str:
    """Many people zip the folder instead of the files in it: the name that all entries begin with, or nothing."""
    tops = {entry.filename.partition("/")[0] for entry in entries if "/" in entry.filename}
    if len(tops) == 1 and all("/" in entry.filename for entry in entries):
        return tops.pop() + "/"
    return ""


def _inside(entry: zipfile.ZipInfo, top: str) -> str:
    return entry.filename.removeprefix(top)


class Table:
    """The rows of one CSV file. `columns` is its header."""

    def __init__(self, name: str, raw: IO[bytes], text: TextIOWrapper) -> None:
        self.name = name
        self._raw = raw
        self._text = text
        self._control_line = 0
        self._reader = csv.reader(self._lines(), strict=True)
        self.columns = self._header()

    @property
    def bytes_read(self) -> int:
        """How far the file was read, for a progress bar."""
        return self._raw.tell()

    def rows(self) -> Iterator[tuple[int, list[str], bool]]:
        """The line on which each row begins, its cells, and whether one has a control character, which no text has.

        Empty lines are left out. The number of cells is as the file has it.
        """
        reader = self._reader
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise UnreadableError(f"{self.name}, line {line}: {_meaning(error)}.") from error
            if cells is None:
                return
            if cells:
                yield line, cells, self._control_line >= line

    def _lines(self) -> Iterator[str]:
        number = 0
        while line := self._text.readline(LINE_CHARS_MAX):
            number += 1
            if len(line) == LINE_CHARS_MAX:
                raise UnreadableError(f"{self.name}, line {number}: is longer than {LINE_CHARS_MAX:,} characters.")
            if _CONTROL.search(line):
                self._control_line = number
            yield line

    def _header(self) -> list[str]:
        for _, cells, has_control in self.rows():
            columns = [cell.strip() for cell in cells]
            if has_control:
                raise UnreadableError(f"{self.name} is not text: its first line has control characters.")
            if len(columns) == 1 and ";" in columns[0]:
                raise UnreadableError(f"{self.name} has semicolons between its columns; it must have commas.")
            for one, other in pairwise(sorted(columns)):
                if one == other and one:
                    raise UnreadableError(f"{self.name} has the column {one[:100]!r} twice.")
            return columns
        raise UnreadableError(f"{self.name} is empty; its first line must name its columns.")


def _meaning(error: csv.Error) -> str:
    if "field larger" in str(error):
        return "a field is too long, or a quote is never closed"
    if "unexpected end" in str(error):
        return "a quote is never closed"
    return "quotes do not stand around a whole field"


def has_control(cell: str) -> bool:
    """True when `cell` has a control character other than a line break or a tab."""
    return _CONTROL.search(cell) is not None
