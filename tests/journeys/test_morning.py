"""What people do in the morning, in a real browser."""

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Town
from tests.journeys.conftest import PHONE, Visit

PUPIL, TEACHER = "noor.vermeulen", "an.peeters"


def course_of_an(town: Town) -> str:
    """A course that An Peeters teaches and Noor follows."""
    [row] = town.installation.sql(
        """
        SELECT course.id FROM course
            JOIN enrolment AS teaching ON teaching.course_id = course.id AND teaching.role = 'teacher'
            JOIN person AS teacher ON teacher.id = teaching.person_id AND teacher.sign_in_name = $1
            JOIN enrolment AS following ON following.course_id = course.id AND following.role = 'pupil'
            JOIN person AS pupil ON pupil.id = following.person_id AND pupil.sign_in_name = $2
        ORDER BY course.title LIMIT 1
        """,
        TEACHER,
        PUPIL,
    )
    return f"/courses/{row['id']}"


def worksheet(folder: Path, words: str) -> Path:
    path = folder / f"{words}.pdf"
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj"
    )
    return path


def test_a_pupil_signs_in_and_opens_a_worksheet_of_today(visit: Visit) -> None:
    page = visit(PUPIL, size=PHONE)
    expect(page.locator("h1")).to_contain_text("Noor")
    page.locator("main a[href*='/documents/']").first.click()
    expect(page.locator("h1")).to_contain_text(".pdf")
    with page.expect_download() as opened:
        page.locator("main a[download], main a[href*='/blobs/']").last.click()
    assert Path(opened.value.path()).read_bytes().startswith(b"%PDF")


def test_a_teacher_adds_a_worksheet_and_a_pupil_finds_it(visit: Visit, town: Town, tmp_path: Path) -> None:
    course, words = course_of_an(town), f"Werkblad {uuid4().hex[:6]}"
    teacher = visit(TEACHER)
    teacher.goto(course)
    teacher.set_input_files("input[type=file]", worksheet(tmp_path, words))
    expect(teacher.get_by_text(f"{words}.pdf").first).to_be_visible()
    teacher.wait_for_load_state("networkidle")
    pupil = visit(PUPIL)
    pupil.goto(course)
    expect(pupil.get_by_role("link", name=f"{words}.pdf")).to_be_visible()


def test_everything_works_without_javascript(visit: Visit, town: Town, tmp_path: Path) -> None:
    course, words = course_of_an(town), f"Zonder script {uuid4().hex[:6]}"
    page = visit(TEACHER, java_script_enabled=False)
    for path in ("/", "/timetable", "/courses", "/account"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
    page.goto(course)
    page.set_input_files("input[type=file]", worksheet(tmp_path, words))
    page.locator("form:has(input[type=file]) button").first.click()
    expect(page.get_by_role("link", name=f"{words}.pdf")).to_be_visible()
    page.get_by_role("link", name=f"{words}.pdf").click()
    expect(page.locator("h1")).to_contain_text(words)


def test_a_keyboard_is_enough(visit: Visit) -> None:
    page = visit()
    page.locator("[name=name]").focus()
    page.keyboard.type(PUPIL)
    tab_to(page, "[name=password]")
    page.keyboard.type("eerste-bel")
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    tab_to(page, "main a[href*='/documents/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/**")
    page.keyboard.press("Shift+Tab")
    tab_to(page, "nav a[href='/courses']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses")


def test_signing_out_leaves_nothing_to_go_back_to(visit: Visit) -> None:
    page = visit(PUPIL)
    page.goto("/account")
    page.locator("form[action='/sign-out'] button").first.click()
    page.wait_for_url("**/sign-in")
    page.go_back()
    page.wait_for_load_state()
    assert "Noor" not in page.locator("body").inner_text()


@pytest.mark.usefixtures("browsers")
def test_a_parent_sees_the_children_of_two_schools_on_one_page(visit: Visit) -> None:
    page = visit("sofie.vermeulen")
    for child in ("Noor", "Milan"):
        expect(page.get_by_text(child).first).to_be_visible()


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until what `selector` names has the focus."""
    for _ in range(most):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{most} times Tab does not reach {selector}")
