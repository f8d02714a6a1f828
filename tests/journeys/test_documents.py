"""A teacher adds documents and a pupil opens them, in a real browser."""

from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Error, Page, expect

from tests.conftest import Town
from tests.domains.documents.test_addresses import HOSTILE
from tests.journeys.conftest import PHONE, Visit, violations
from tests.journeys.test_morning import PUPIL, TEACHER, course_of_an

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj trailer<</Root 1 0 R>>"
)
"""An empty page, which every viewer repairs and shows."""


def in_a_new_folder(page: Page, course: str) -> str:
    """Make a folder in a course and open it, so that no journey finds what another left; its name."""
    name = f"Map {uuid4().hex[:6]}"
    page.goto(course)
    page.get_by_text("Nieuwe map").click()
    page.get_by_label("Naam van de map").fill(name)
    page.get_by_role("button", name="Map maken").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return name


def files(folder: Path, **contents: bytes) -> list[Path]:
    """Files on somebody's disk, `a_pdf` for a.pdf."""
    paths = [folder / name.replace("_", ".") for name in contents]
    for path, data in zip(paths, contents.values(), strict=True):
        path.write_bytes(data)
    return paths


def listed(page: Page, *names: str) -> None:
    """The folder on the page has these documents and folders, in this order."""
    expect(page.locator("#documents .row-title")).to_have_text(list(names))


def test_documents_are_added_one_by_one_and_stand_in_the_list(visit: Visit, town: Town, tmp_path: Path) -> None:
    page = visit(TEACHER)
    in_a_new_folder(page, course_of_an(town))
    page.set_input_files("input[type=file]", files(tmp_path, een_pdf=PDF, twee_pdf=PDF + b"2"))
    expect(page.locator(".sending")).to_have_count(2)
    for row in page.locator(".sending").all():
        expect(row).to_contain_text("Toegevoegd")
    listed(page, "een.pdf", "twee.pdf")
    assert violations(page) == []


def test_an_upload_that_fails_is_tried_again(visit: Visit, town: Town, tmp_path: Path) -> None:
    page = visit(TEACHER, expects_errors=True)
    in_a_new_folder(page, course_of_an(town))
    page.route("**/documents?upload=*", lambda route: route.abort(), times=1)
    page.set_input_files("input[type=file]", files(tmp_path, een_pdf=PDF))
    page.get_by_role("button", name="Opnieuw proberen").click()
    expect(page.locator(".sending")).to_contain_text("Toegevoegd")
    listed(page, "een.pdf")


def test_a_pupil_opens_a_pdf_in_its_page_by_keyboard(visit: Visit, town: Town, tmp_path: Path) -> None:
    teacher, pupil = visit(TEACHER), visit(PUPIL, size=PHONE)
    in_a_new_folder(teacher, course_of_an(town))
    teacher.set_input_files("input[type=file]", files(tmp_path, werkblad_pdf=PDF))
    listed(teacher, "werkblad.pdf")
    pupil.goto(teacher.url)
    pupil.locator("#documents a.row-title").focus()
    pupil.keyboard.press("Enter")
    expect(pupil.get_by_role("heading", level=1)).to_have_text("werkblad.pdf")
    expect(pupil.locator("object[type='application/pdf']")).to_be_visible()
    expect(pupil.locator("object .empty")).to_be_hidden()
    assert violations(pupil) == []
    with pupil.expect_download() as download:
        pupil.locator("a.go").focus()
        pupil.keyboard.press("Enter")
    assert download.value.suggested_filename == "werkblad.pdf"
    assert download.value.path().read_bytes() == PDF


def test_without_scripts_documents_move_go_and_come_back(visit: Visit, town: Town, tmp_path: Path) -> None:
    page = visit(TEACHER, size=PHONE, java_script_enabled=False)
    other = in_a_new_folder(page, course_of_an(town))
    in_a_new_folder(page, course_of_an(town))
    page.set_input_files("input[type=file]", files(tmp_path, een_pdf=PDF, notities_txt=b"Dag klas"))
    page.get_by_role("button", name="Toevoegen", exact=True).click()
    listed(page, "een.pdf", "notities.txt")
    page.locator("summary", has_text="Meer voor een.pdf").click()
    page.get_by_role("link", name="Hernoemen of verplaatsen").click()
    page.get_by_label("In de map").select_option(label=next(
        label for label in page.locator("option").all_inner_texts() if label.endswith(f" / {other}")
    ))  # fmt: skip
    page.get_by_role("button", name="Bewaren").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(other)
    page.locator("summary", has_text="Meer voor een.pdf").click()
    page.get_by_role("button", name="Verwijderen").click()
    listed(page)
    page.get_by_role("button", name="Ongedaan maken").click()
    listed(page, "een.pdf")


def test_no_hostile_file_runs_in_our_origin(visit: Visit, town: Town, tmp_path: Path) -> None:
    page = visit(TEACHER, expects_errors=True)
    in_a_new_folder(page, course_of_an(town))
    for name, data in HOSTILE.items():
        (tmp_path / name).write_bytes(data)
    page.set_input_files("input[type=file]", [tmp_path / name for name in HOSTILE])
    links = page.locator("#documents a.row-title")
    expect(links).to_have_count(len(HOSTILE))
    for href in [link.get_attribute("href") for link in links.all()]:
        for opened in (href, f"{href}/content"):
            try_to_open(page, str(opened))
            assert page.title() != "run", opened


def try_to_open(page: Page, address: str) -> None:
    """Open it, and give its scripts time to run; a download ends the way there."""
    try:
        page.goto(address)
    except Error as error:
        assert "Download is starting" in error.message or "ERR_ABORTED" in error.message
    page.wait_for_timeout(100)
