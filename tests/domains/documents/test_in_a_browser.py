"""A teacher adds documents and a pupil opens them, in a real Chromium."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Installation, wait_until
from tests.domains.conftest import PASSWORD, PLATAAN, Course, Plataan
from tests.domains.documents.conftest import new_course
from tests.domains.documents.test_addresses import HOSTILE
from tests.journeys.conftest import DESK, PHONE, browser, violations, visitor

__all__ = ["browser"]

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj trailer<</Root 1 0 R>>"
)
"""An empty page, which every viewer repairs and shows."""


@pytest.fixture(scope="session")
def courses(installation: Installation, plataan: Plataan) -> list[Course]:
    """A course for each journey, made before the browser, which keeps the only event loop of this thread."""
    return [new_course(installation, plataan, f"Chemie {number}") for number in range(5)]


@pytest.fixture
def address(server: str, courses: list[Course]) -> str:
    """Where the school is for a browser: names that end in localhost are this machine."""
    del courses
    wait_until(lambda: httpx.get(f"{server}/sign-in", headers={"host": PLATAAN}).status_code == 200)
    return server.replace("127.0.0.1", PLATAAN)


def sign_in(page: Page, address: str, name: str) -> None:
    """Sign in by the form."""
    page.goto(f"{address}/sign-in")
    page.locator("[name=name]").fill(name.lower())
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button.go").click()
    page.wait_for_url(f"{address}/")


def files(folder: Path, **contents: bytes) -> list[Path]:
    """Files on somebody's disk, `a_pdf` for a.pdf."""
    paths = [folder / name.replace("_", ".") for name in contents]
    for path, data in zip(paths, contents.values(), strict=True):
        path.write_bytes(data)
    return paths


def test_documents_are_added_one_by_one_and_stand_in_the_list(
    address: str, courses: list[Course], browser: Browser, tmp_path: Path
) -> None:
    with visitor(browser, DESK) as page:
        sign_in(page, address, "Tariq")
        page.goto(address + courses[0].href)
        page.locator("input[type=file]").set_input_files(files(tmp_path, een_pdf=PDF, twee_pdf=PDF + b"2"))
        expect(page.locator(".sending")).to_have_count(2)
        for row in page.locator(".sending").all():
            expect(row).to_contain_text("Toegevoegd")
        expect(page.locator("#documents .row-title")).to_have_text(["een.pdf", "twee.pdf"])
        assert violations(page) == []


def test_an_upload_that_fails_is_tried_again_and_adds_one_document(
    address: str, courses: list[Course], browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, address, "Tariq")
    page.goto(address + courses[1].href)
    page.route("**/documents?upload=*", lambda route: route.abort(), times=1)
    page.locator("input[type=file]").set_input_files(files(tmp_path, een_pdf=PDF))
    page.get_by_role("button", name="Opnieuw proberen").click()
    expect(page.locator(".sending")).to_contain_text("Toegevoegd")
    expect(page.locator("#documents .row-title")).to_have_text(["een.pdf"])
    context.close()


def test_a_pupil_opens_a_pdf_in_the_page_by_keyboard(
    address: str, courses: list[Course], browser: Browser, tmp_path: Path
) -> None:
    with visitor(browser, DESK) as page:
        sign_in(page, address, "Tariq")
        page.goto(address + courses[2].href)
        page.locator("input[type=file]").set_input_files(files(tmp_path, werkblad_pdf=PDF))
        expect(page.locator("#documents .row-title")).to_have_text(["werkblad.pdf"])
    with visitor(browser, PHONE) as page:
        sign_in(page, address, "Noor")
        page.goto(address + courses[2].href)
        assert violations(page) == []
        page.locator("#documents a.row-title").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("werkblad.pdf")
        viewer = page.locator("object[type='application/pdf']")
        expect(viewer).to_be_visible()
        expect(page.locator("object .empty")).to_be_hidden()
        assert violations(page) == []
        with page.expect_download() as download:
            page.locator("a.go").focus()
            page.keyboard.press("Enter")
        assert download.value.suggested_filename == "werkblad.pdf"
        assert download.value.path().read_bytes() == PDF


def test_without_scripts_everything_works(
    address: str, courses: list[Course], browser: Browser, tmp_path: Path
) -> None:
    with visitor(browser, PHONE, java_script_enabled=False) as page:
        sign_in(page, address, "Tariq")
        page.goto(address + courses[3].href)
        page.locator("input[type=file]").set_input_files(files(tmp_path, een_pdf=PDF, notities_txt=b"Dag klas"))
        page.get_by_role("button", name="Toevoegen", exact=True).click()
        expect(page.locator("#documents .row-title")).to_have_text(["een.pdf", "notities.txt"])
        page.get_by_text("Nieuwe map").click()
        page.get_by_label("Naam van de map").fill("Toetsen")
        page.get_by_role("button", name="Map maken").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Toetsen")
        page.goto(address + courses[3].href)
        page.locator("summary", has_text="Meer voor een.pdf").click()
        page.get_by_role("link", name="Hernoemen of verplaatsen").click()
        page.get_by_label("In de map").select_option(label="Chemie 3 / Toetsen")
        page.get_by_role("button", name="Bewaren").click()
        expect(page.locator("#documents .row-title")).to_have_text(["een.pdf"])
        page.locator("summary", has_text="Meer voor een.pdf").click()
        page.get_by_role("button", name="Verwijderen").click()
        page.get_by_role("button", name="Ongedaan maken").click()
        expect(page.locator("#documents .row-title")).to_have_text(["een.pdf"])


def test_no_hostile_file_runs_in_our_origin(
    address: str, courses: list[Course], browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, address, "Tariq")
    page.goto(address + courses[4].href)
    for name, data in HOSTILE.items():
        (tmp_path / name).write_bytes(data)
    page.locator("input[type=file]").set_input_files([tmp_path / name for name in HOSTILE])
    expect(page.locator("#documents a.row-title")).to_have_count(len(HOSTILE), timeout=20_000)
    hrefs = [link.get_attribute("href") for link in page.locator("#documents a.row-title").all()]
    for href in hrefs:
        for opened in (f"{address}{href}", f"{address}{href}/content"):
            try:
                page.goto(opened)
            except Exception as error:  # a download ends the navigation
                assert "Download is starting" in str(error) or "ERR_ABORTED" in str(error)
            page.wait_for_timeout(100)
            assert page.title() != "run", opened
    context.close()
