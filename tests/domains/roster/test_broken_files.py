"""Whatever the bytes: one sentence, never a traceback, never half an import."""

import os
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Done
from tests.domains.roster.conftest import COLUMNS, School, small_roster
from tests.domains.roster.crowd import write_crowd

FILES = [*sorted(f"{name}.csv" for name in small_roster().tables), "manifest.csv"]
HOSTILE = st.sampled_from(
    ["\x00", '"', "'", ",", "\n", "\r", "\ufeff", "é", "=1+1", "noor", "wout", "tobedeleted", "9999-12-31", "\u202e",
     "autumn", "3b", "😀", "x" * 300, "-1", "true", "\t", "ext:", "; DROP TABLE person", "$1", "%s", "\\N"]
)  # fmt: skip
CELL = st.one_of(st.text(st.characters(codec="utf-8"), max_size=20), HOSTILE)
PATIENT = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PEAK_BYTES_MAX = 120_000_000
"""What the importer may take in memory, however long its files are; half of it is Python and its libraries."""


def assert_all_or_nothing(school: School, before: list[tuple[Any, ...]], done: Done) -> None:
    """It ended in success, or in one sentence with nothing written; and no error was left unsaid."""
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stdout + done.stderr
    if done.returncode == 1:
        sentence = [line for line in done.stderr.splitlines() if line][-1]
        assert sentence.endswith(".")
        assert "The database refuses" not in sentence
        assert school.state() == before


@pytest.fixture
def clean_school(shared_school: School) -> Iterator[School]:
    """The shared school, brought back to what its files say."""
    yield shared_school
    shared_school.put(small_roster())


@PATIENT
@given(name=st.sampled_from(FILES), data=st.data(), skips=st.booleans())
def test_bytes_changed_anywhere(clean_school: School, name: str, data: st.DataObject, skips: bool) -> None:
    folder = clean_school.write(small_roster())
    whole = (folder / name).read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 30)))
    (folder / name).write_bytes(whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:])
    before = clean_school.state()
    done = clean_school.put(folder, *(["--skip-rejected"] if skips else []))
    assert_all_or_nothing(clean_school, before, done)


@PATIENT
@given(
    spoiled=st.lists(
        st.tuples(st.sampled_from(sorted(COLUMNS)), st.integers(0, 20), st.integers(0, 12), CELL), max_size=6
    ),
    mode=st.sampled_from(["bulk", "delta"]),
    version=st.sampled_from(["1.1", "1.2"]),
    skips=st.booleans(),
)
def test_cells_that_say_anything(
    clean_school: School, spoiled: list[tuple[str, int, int, str]], mode: str, version: str, skips: bool
) -> None:
    roster = small_roster(version)
    roster.mode = mode
    for table, number, column, value in spoiled:
        rows = roster.tables.get(table, [])
        names = COLUMNS[table].split(",")
        if rows:
            rows[number % len(rows)][names[column % len(names)]] = value
    before = clean_school.state()
    done = clean_school.put(roster, *(["--skip-rejected"] if skips else []))
    assert_all_or_nothing(clean_school, before, done)


@PATIENT
@given(
    table=st.sampled_from(sorted(COLUMNS)),
    dropped=st.sets(st.integers(0, 12), max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_columns_missing_or_in_another_order(clean_school: School, table: str, dropped: set[int], order: Any) -> None:
    roster = small_roster()
    names = [name for number, name in enumerate(COLUMNS[table].split(",")) if number not in dropped]
    order.shuffle(names)
    lines = [",".join(names)]
    lines += [",".join(row.get(name, "") for name in names) for row in roster.tables[table]]
    roster.extra[f"{table}.csv"] = "\n".join(lines).encode()
    before = clean_school.state()
    done = clean_school.put(roster)
    assert_all_or_nothing(clean_school, before, done)


@PATIENT
@given(
    links=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12),
    table=st.sampled_from(["orgs", "academicSessions"]),
)
def test_parents_that_lead_anywhere(clean_school: School, links: list[tuple[int, int]], table: str) -> None:
    roster = small_roster()
    for child, parent in links:
        values = {"title": "T", "startDate": "2026-09-01", "endDate": "2026-12-01"}
        if table == "orgs":
            values = {"name": "O"}
        roster.add(
            table, f"x{child}", type="district" if table == "orgs" else "term", parentSourcedId=f"x{parent}", **values
        )
    before = clean_school.state()
    done = clean_school.put(roster)
    assert_all_or_nothing(clean_school, before, done)
    assert (done.returncode == 1) == bool(links), "whoever follows parents without end meets a circle or nobody"


@settings(PATIENT, max_examples=8)  # two imports each, of rows that are compared by the same statements
@given(version=st.sampled_from(["1.1", "1.2"]), seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(clean_school: School, version: str, seed: Any) -> None:
    clean_school.put(small_roster(version))
    before = clean_school.state()
    roster = small_roster(version)
    for rows in roster.tables.values():
        seed.shuffle(rows)
    done = clean_school.put(roster)
    assert done.returncode == 0
    assert clean_school.state() == before


def zip_of(path: Path, entries: dict[str, bytes], **attributes: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = attributes.get("compress_type", zipfile.ZIP_DEFLATED)
            info.external_attr = attributes.get("mode", 0o644) << 16
            archive.writestr(info, data)
    return path


def locked(path: Path) -> Path:
    """An archive whose entries say that they are encrypted."""
    data = bytearray(zip_of(path, small_roster().files()).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    path.write_bytes(data)
    return path


def of_many_files(path: Path) -> Path:
    return zip_of(path, {f"{number}.csv": b"" for number in range(150)})


def with_a_huge_directory(path: Path) -> Path:
    """Says that a million entries follow, in a directory that would fill the memory."""
    path.write_bytes(b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFF0, 0, 0))
    return path


def bomb(path: Path) -> Path:
    return zip_of(path, {**small_roster().files(), "users.csv": b"sourcedId," + b"\0" * 50_000_000})


def damaged(path: Path) -> Path:
    data = bytearray(zip_of(path, small_roster().files()).read_bytes())
    middle = data.find(b"enrollments.csv") + 40
    data[middle : middle + 20] = b"\xff" * 20
    path.write_bytes(data)
    return path


ARCHIVES = [
    (lambda path: zip_of(path, {"../users.csv": b""}), "leads outside"),
    (lambda path: zip_of(path, {"/etc/users.csv": b""}), "leads outside"),
    (lambda path: zip_of(path, {"..\\users.csv": b""}), "leads outside"),
    (lambda path: zip_of(path, {"users.csv": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), "holds a link"),
    (lambda path: zip_of(path, small_roster().files(), compress_type=zipfile.ZIP_LZMA), "an ordinary zip archive"),
    (locked, "is locked with a password"),
    (of_many_files, "holds more than 100 files"),
    (with_a_huge_directory, "holds more than 100 files"),
    (bomb, "grows more than 200 times"),
    (damaged, "is damaged inside the archive"),
    (lambda path: path.write_bytes(b"PK\x03\x04 not really") and path, "neither a folder nor a zip archive"),
    (lambda path: path.write_bytes(b"") or path, "neither a folder nor a zip archive"),
    (lambda path: path, "does not exist"),
]


@pytest.mark.parametrize(
    ("make", "sentence"), ARCHIVES, ids=[f"{n}-{text[:30]}" for n, (_, text) in enumerate(ARCHIVES)]
)
def test_an_archive_that_hides_something_is_refused(
    shared_school: School, tmp_path: Path, make: Any, sentence: str
) -> None:
    before = shared_school.state()
    done = shared_school.put(make(tmp_path / "roster.zip"))
    assert done.returncode == 1
    assert sentence in done.stderr.splitlines()[-1]
    assert_all_or_nothing(shared_school, before, done)


def test_an_archive_with_two_files_of_one_name_is_refused(shared_school: School, tmp_path: Path) -> None:
    path = tmp_path / "roster.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("users.csv", b"")
        archive.writestr("users.csv", b"x")
    done = shared_school.put(path)
    assert done.returncode == 1
    assert "two files with the same name" in done.stderr


@PATIENT
@given(data=st.data())
def test_bytes_of_an_archive_changed_anywhere(clean_school: School, tmp_path: Path, data: st.DataObject) -> None:
    path = zip_of(tmp_path / "roster.zip", small_roster().files())
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))])
    before = clean_school.state()
    done = clean_school.put(path)
    assert_all_or_nothing(clean_school, before, done)


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/dev/zero"), os.mkfifo])
def test_a_folder_with_something_else_than_files_is_refused(shared_school: School, make: Any) -> None:
    folder = shared_school.write(small_roster())
    (folder / "users.csv").unlink()
    make(folder / "users.csv")
    done = shared_school.put(folder)
    assert done.returncode == 1
    assert "users.csv is not a plain file" in done.stderr


def test_a_folder_larger_than_the_limit_is_refused(shared_school: School) -> None:
    done = shared_school.put(small_roster(), roster_bytes_max="1000")
    assert done.returncode == 1
    assert "holds more than" in done.stderr


@dataclass
class Measured:
    """How an import in a process of its own ended, and the most memory that it took."""

    returncode: int
    lines: int
    last: str
    stderr: str
    peak_bytes: int


# The kernel counts the peak of a program from its start; rusage would begin with what this process has.
RUN_AND_TELL_THE_PEAK = """
import sys
from pathlib import Path
from firstbell.cli import main
try:
    main()
finally:
    status = Path("/proc/self/status").read_text()
    print("peak kB:", status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""


def measure_import(school: School, folder: Path) -> Measured:
    command = [sys.executable, "-c", RUN_AND_TELL_THE_PEAK, "school", "import", str(folder), "--school", school.slug]
    environment = school.installation.environment()
    lines, last = 0, b""
    with (folder / "errors").open("w+") as errors:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines, last = lines + 1, line
        errors.seek(0)
        told = errors.read()
    peak_bytes = int(told.rpartition("peak kB:")[2]) * 1_024
    return Measured(process.returncode, lines, last.decode(), told, peak_bytes)


@pytest.mark.long
def test_a_million_rows_take_no_more_memory_than_a_thousand(school: School, tmp_path: Path) -> None:
    crowd = write_crowd(tmp_path / "crowd", 1_200)
    enrolments = (crowd / "enrollments.csv").read_text().splitlines()
    with (crowd / "enrollments.csv").open("w") as file:
        file.write(enrolments[0] + "\n")
        for number in range(1_000_000):
            file.write(f"n{number}-{enrolments[1 + number % (len(enrolments) - 1)]}\n")
    done = measure_import(school, crowd)
    assert done.returncode == 0, done.stderr
    assert done.peak_bytes < PEAK_BYTES_MAX


@pytest.mark.long
def test_a_million_wrong_rows_are_all_named(school: School, tmp_path: Path) -> None:
    folder = small_roster().write(tmp_path / "wrong")
    with (folder / "demographics.csv").open("w") as file:
        file.write("sourcedId,birthDate\n")
        for number in range(1_000_000):
            file.write(f"u{number},someday\n")
    done = measure_import(school, folder)
    assert done.returncode == 1
    assert "Nothing was imported" in done.stderr
    assert done.lines == 1_000_000
    assert "demographics.csv line 1000001, column birthDate: is 'someday'" in done.last
    assert done.peak_bytes < PEAK_BYTES_MAX
