"""Documents as somebody sends and finds them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Installation, serving
from tests.domains.conftest import Course, Plataan

PDF = b"%PDF-1.7\n% a worksheet\n"


def add(
    client: httpx.Client,
    course: Course,
    *files: tuple[str, bytes],
    folder: UUID | None = None,
    upload: UUID | None = None,
) -> httpx.Response:
    """Send a form of files to a folder of a course, the top one unless another is named."""
    return client.post(
        f"{course.href}/folders/{folder or course.folder_id}/documents?upload={upload or uuid4()}",
        files=[("files", (name, data, "text/html")) for name, data in files],
    )


def add_folder(client: httpx.Client, course: Course, name: str, parent: UUID | None = None) -> UUID:
    """Make a folder; its id."""
    made = uuid4()
    form = {"id": str(made), "name": name, "parent": str(parent or course.folder_id)}
    answer = client.post(f"{course.href}/folders", data=form)
    assert answer.status_code == 303, answer.text
    return made


@dataclass(frozen=True)
class Shown:
    """A list of documents and folders as a page has it."""

    hrefs: dict[str, str]

    @property
    def names(self) -> list[str]:
        return list(self.hrefs)


def shown(client: httpx.Client, href: str) -> Shown:
    """What the page at `href` lists, in its order."""
    page = client.get(href)
    assert page.status_code == 200, page.text
    found = re.findall(r'<a class="row-title" href="([^"]+/(?:documents|folders)/[^"/]+)">([^<]+)</a>', page.text)
    return Shown({name: address for address, name in found})


def content(client: httpx.Client, document: str) -> httpx.Response:
    """The bytes of the document at this address, by way of their signed address when it is sent there."""
    opened = client.get(f"{document}/content")
    assert opened.status_code in (200, 303), opened.text
    return opened if opened.status_code == 200 else client.get(opened.headers["location"])


def signed_address(client: httpx.Client, document: str) -> str:
    """Where the parts of a document are."""
    opened = client.get(f"{document}/content", headers={"range": "bytes=0-0"})
    assert opened.status_code == 303, opened.text
    return str(opened.headers["location"])


def new_course(installation: Installation, plataan: Plataan, title: str) -> Course:
    """A course of Tariq and Noor."""
    folder, made = uuid4(), uuid4()
    sql = installation.sql
    sql(
        "INSERT INTO folder (school_id, id, root_id, name, created_at) VALUES ($1, $2, $2, $3, now())",
        plataan.id, folder, title,
    )  # fmt: skip
    sql(
        "INSERT INTO course (school_id, id, school_year_id, folder_id, source_id, title, audience) "
        "SELECT $1, $2, id, $3, $4, $5, '3B' FROM school_year WHERE school_id = $1 LIMIT 1",
        plataan.id, made, folder, made.hex, title,
    )  # fmt: skip
    sql(
        "INSERT INTO enrolment (school_id, course_id, person_id, role) VALUES ($1, $2, $3, 'teacher'), "
        "($1, $2, $4, 'pupil')",
        plataan.id, made, plataan.people["Tariq"], plataan.people["Noor"],
    )  # fmt: skip
    return Course(made, folder)


@pytest.fixture
def course(plataan: Plataan, installation: Installation) -> Course:
    """A fresh course, so that no test finds what another left."""
    return new_course(installation, plataan, "Fysica")


@pytest.fixture(scope="session")
def narrow_server(installation: Installation, plataan: Plataan) -> Iterator[str]:
    """A server with small limits."""
    del plataan
    with serving(
        installation,
        upload_bytes_max="1000000",
        upload_files_max="3",
        upload_request_bytes_max="2000000",
        folder_entries_max="4",
        folder_depth_max="3",
    ) as address:
        yield address
