"""The bytes of documents by their signed addresses."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.conftest import Installation, serving
from tests.domains.conftest import Course, SignedIn
from tests.domains.documents.conftest import PDF, add, content, shown

DATA = PDF + bytes(range(256)) * 4_000
SIZE = len(DATA)


@pytest.fixture
def address(course: Course, signed_in: SignedIn) -> str:
    """The signed address of a document of a megabyte."""
    teacher = signed_in("Tariq")
    add(teacher, course, ("Werkblad 1.pdf", DATA))
    location = teacher.get(f"{shown(teacher, course.href).hrefs['Werkblad 1.pdf']}/content").headers["location"]
    return str(location)


@pytest.fixture
def anybody(server: str) -> Iterator[httpx.Client]:
    """Somebody with nothing but an address."""
    with httpx.Client(base_url=server, headers={"host": "plataan.localhost"}) as client:
        yield client


def test_whoever_has_the_address_has_the_bytes_and_keeps_them(address: str, anybody: httpx.Client) -> None:
    answer = anybody.get(address)
    assert answer.content == DATA
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["cache-control"] == "private, max-age=172800, immutable"
    assert answer.headers["etag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''Werkblad%201.pdf"
    again = anybody.get(address, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_small_document_comes_at_once_and_is_judged_each_time(course: Course, signed_in: SignedIn) -> None:
    teacher, pupil = signed_in("Tariq"), signed_in("Noor")
    add(teacher, course, ("klein.pdf", PDF))
    href = shown(teacher, course.href).hrefs["klein.pdf"]
    answer = pupil.get(f"{href}/content")
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["cache-control"] == "private, no-cache"
    known = {"if-none-match": answer.headers["etag"]}
    again = pupil.get(f"{href}/content", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert "content-length" not in again.headers
    teacher.post(f"{href}/deletion")
    assert pupil.get(f"{href}/content", headers=known).status_code == 404


def test_small_documents_that_memory_has_no_room_for_come_from_their_files(
    installation: Installation, course: Course, signed_in: SignedIn
) -> None:
    files = {f"{number}.pdf": PDF + bytes([number]) * 600 for number in range(3)}
    with serving(installation, blob_memory_bytes_max="1000") as address:
        teacher = signed_in("Tariq", address=address)
        add(teacher, course, *files.items())
        hrefs = shown(teacher, course.href).hrefs
        for spelt in ("content", "content/"):
            answers = {name: teacher.get(f"{hrefs[name]}/{spelt}") for name in files}
            assert {name: answer.content for name, answer in answers.items()} == files
            assert {answer.headers["content-type"] for answer in answers.values()} == {"application/pdf"}


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-1999", 1000, 1999),
        ("bytes=262000-600000", 262_000, 600_000),
        ("bytes=500000-", 500_000, SIZE - 1),
        ("bytes=-10", SIZE - 10, SIZE - 1),
        ("bytes=5-99999999", 5, SIZE - 1),
        ("bytes=-99999999", 0, SIZE - 1),
    ],
)
def test_a_player_gets_the_part_that_it_asks_for(
    address: str, anybody: httpx.Client, asked: str, first: int, last: int
) -> None:
    answer = anybody.get(address, headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == DATA[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=2000000-", f"bytes={SIZE}-", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused(address: str, anybody: httpx.Client, asked: str) -> None:
    answer = anybody.get(address, headers={"range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=-"])
def test_a_range_that_says_nothing_means_everything(address: str, anybody: httpx.Client, asked: str) -> None:
    answer = anybody.get(address, headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_a_part_of_another_version_means_everything(address: str, anybody: httpx.Client) -> None:
    answer = anybody.get(address, headers={"range": "bytes=0-9", "if-range": '"another"'})
    assert answer.status_code == 200
    same = anybody.get(address, headers={"range": "bytes=0-9", "if-range": answer.headers["etag"]})
    assert same.status_code == 206


def test_head_tells_the_same_without_the_bytes(address: str, anybody: httpx.Client) -> None:
    answer = anybody.head(address)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ("as=shown", "as=download"),
        ("type=application%2Fpdf", "type=text%2Fhtml"),
        ("name=Werkblad", "name=Toets"),
        ("day=2", "day=3"),
        ("size=1", "size=2"),
        ("mac=", "mac=A"),
        ("key=t", "key=u"),
        ("&key=t", "&key=t&key=t"),
        ("/blobs/", "/blobs/0"),
        ("/blobs/", "/blobs//"),
    ],
)
def test_an_address_that_was_changed_is_none(address: str, anybody: httpx.Client, found: str, put: str) -> None:
    changed = address.replace(found, put, 1)
    assert changed != address
    assert anybody.get(changed).status_code == 404


def test_an_address_without_its_parts_is_none(address: str, anybody: httpx.Client) -> None:
    for short in (address.partition("?")[0], address.partition("&key")[0], "/blobs", "/blobs/", "/blobs/x/y/z?a"):
        assert anybody.get(short).status_code == 404, short
    assert anybody.post(address).status_code == 404


def test_an_address_is_the_same_all_day_and_good_until_the_end_of_the_next(
    installation: Installation, course: Course, signed_in: SignedIn
) -> None:
    morning = datetime.now(ZoneInfo("UTC")).replace(hour=5, minute=0, second=0)
    instants = [morning, morning + timedelta(hours=18), morning + timedelta(hours=42), morning + timedelta(hours=44)]
    with ExitStack() as running:
        with ThreadPoolExecutor() as threads:
            servers = list(
                threads.map(lambda at: running.enter_context(serving(installation, clock=at.isoformat())), instants)
            )
        teachers = [signed_in("Tariq", address=server) for server in servers]
        add(teachers[0], course, ("a.pdf", DATA))
        document = shown(teachers[0], course.href).hrefs["a.pdf"]
        early, late, tomorrow, after = (teacher.get(f"{document}/content").headers["location"] for teacher in teachers)
        assert early == late
        assert tomorrow != early
        assert teachers[2].get(early).status_code == 200
        assert teachers[3].get(early).status_code == 404
        assert teachers[3].get(after).status_code == 200


HOSTILE = {
    "pagina.html": b"<!doctype html><script>document.title='run'</script>",
    "tekening.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload=\"document.title='run'\"/>",
    "gegevens.xml": b"<?xml-stylesheet href='x.xsl' type='text/xsl'?><html xmlns='http://www.w3.org/1999/xhtml'/>",
    "bericht.mhtml": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<script>document.title='run'</script>",
    "werk.js": b"document.title = 'run'",
    "rekenen.wasm": b"\x00asm\x01\x00\x00\x00",
    "foto.png": b"<html><script>document.title='run'</script>",
    "brief.pdf": b"<html><script>document.title='run'</script>",
    "dubbel.html": b"%PDF-1.7\n<script>document.title='run'</script>\n%%EOF",
    "notities.txt": b"<html><script>document.title='run'</script>",
    "plaatje.gif.html": b"GIF89a/*<script>document.title='run'</script>*/",
    "stijl.css": b"@import 'x'",
    "toepassing.hta": b"<script>document.title='run'</script>",
}
HARMLESS = {"application/octet-stream", "application/pdf", "text/plain; charset=utf-8", "image/gif"}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_browser_could_run_is_never_served_as_that(course: Course, signed_in: SignedIn, name: str) -> None:
    teacher = signed_in("Tariq")
    add(teacher, course, (name, HOSTILE[name]))
    answer = content(teacher, shown(teacher, course.href).hrefs[name])
    kind = answer.headers["content-type"]
    assert answer.content == HOSTILE[name]
    assert kind in HARMLESS
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert kind == "application/pdf" or answer.headers["content-security-policy"].startswith("sandbox;")
    if kind == "application/octet-stream":
        assert answer.headers["content-disposition"].startswith("attachment;")


def test_a_text_is_shown_in_its_page_as_text(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    add(teacher, course, ("notities.txt", "<b>één</b>".encode()), ("oud.csv", "één;twee".encode("cp1252")))
    hrefs = shown(teacher, course.href).hrefs
    assert "&lt;b&gt;één&lt;/b&gt;" in teacher.get(hrefs["notities.txt"]).text
    assert "één;twee" in teacher.get(hrefs["oud.csv"]).text


def test_a_long_text_shows_its_first_200_kilobytes(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    add(teacher, course, ("lang.txt", b"a" * 400_000))
    page = teacher.get(shown(teacher, course.href).hrefs["lang.txt"]).text
    assert "a" * 200_000 in page
    assert "a" * 200_001 not in page


def test_without_its_bytes_a_document_still_has_a_page_that_says_so(
    installation: Installation, course: Course, signed_in: SignedIn
) -> None:
    teacher, data = signed_in("Tariq"), b"soon gone"
    add(teacher, course, ("weg.txt", data))
    href = shown(teacher, course.href).hrefs["weg.txt"]
    for path in (installation.folder / "blobs").glob(f"*/{hashlib.sha256(data).hexdigest()}"):
        path.unlink()
    page = teacher.get(href)
    assert page.status_code == 200
    assert "Deze tekst is even niet bereikbaar." in page.text
    part = teacher.get(
        teacher.get(f"{href}/content").headers["location"], headers={"range": "bytes=0-1", "accept": "*/*"}
    )
    assert (part.status_code, part.json()["type"]) == (503, "urn:firstbell:problem:storage-down")
