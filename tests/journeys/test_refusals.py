"""What somebody typed is not lost when the server cannot take it, and every page that says no is for everybody."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Town
from tests.journeys.conftest import PHONE, Visit, sign_in, violations
from tests.journeys.test_accessibility import LOCALES, faults, read

TEACHER = "an.peeters"
WORDS = "Breng je passer mee. " * 20


@contextmanager
def database_away(town: Town) -> Iterator[None]:
    """As when it starts again: whoever asks is sent away, whoever was connected is cut off."""
    sql = town.installation.sql
    sql("ALTER ROLE firstbell_app CONNECTION LIMIT 0")
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'firstbell_app'")
    try:
        yield
    finally:
        sql("ALTER ROLE firstbell_app CONNECTION LIMIT -1")


@contextmanager
def fault(town: Town) -> Iterator[None]:
    """Something of ours is broken."""
    town.installation.sql("ALTER TABLE lesson RENAME TO lesson_away")
    try:
        yield
    finally:
        town.installation.sql("ALTER TABLE lesson_away RENAME TO lesson")


@pytest.fixture
def notes(town: Town) -> str:
    """Where An writes the notes of one of her lessons."""
    [row] = town.installation.sql(
        """
        SELECT lesson.id FROM lesson
            JOIN lesson_teacher USING (school_id) JOIN person ON person.id = lesson_teacher.person_id
        WHERE lesson_teacher.lesson_id = lesson.id AND person.sign_in_name = $1
        ORDER BY lesson.id LIMIT 1
        """,
        TEACHER,
    )
    return f"/lessons/{row['id']}/notes"


def write(page: Page, notes: str, words: str) -> None:
    """Fill the notes in, longer than the page lets one if need be, and send them."""
    page.goto(notes)
    page.locator("[name=public_note]").evaluate("(field, words) => { field.value = words }", words)
    save(page)


def send_too_much(page: Page, notes: str) -> None:
    """More than any form has, where the browser need not draw it."""
    page.goto(notes)
    page.locator("form.form").evaluate(
        """form => {
            const more = Object.assign(document.createElement("input"), {type: "hidden", name: "more"});
            more.value = "x".repeat(200_000);
            form.append(more);
        }"""
    )
    save(page)


def save(page: Page) -> None:
    with page.expect_navigation():
        page.click("form button.go")


def send_again(page: Page) -> None:
    """The button of the page; the browser would ask first, which a driven one does not."""
    page.get_by_role("button", name="Opnieuw versturen").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_what_is_refused_is_still_there_to_change(visit: Visit, notes: str) -> None:
    page = visit(TEACHER, expects_errors=True)
    write(page, notes, "x" * 5_000)
    expect(page.locator("h1")).to_contain_text("Een notitie telt hoogstens")
    page.get_by_role("button", name="Terug").focus()
    page.keyboard.press("Enter")
    field = page.locator("[name=public_note]")
    expect(field).to_have_value("x" * 5_000)
    field.fill(WORDS)
    save(page)
    expect(page.get_by_text(WORDS.strip())).to_be_visible()


def test_a_form_that_met_a_database_away_is_sent_again_and_kept(visit: Visit, notes: str, town: Town) -> None:
    page = visit(TEACHER, expects_errors=True)
    words = f"{WORDS} (1)"
    page.goto(notes)
    page.fill("[name=public_note]", words)
    with database_away(town):
        save(page)
        expect(page.locator("h1")).to_contain_text("We kunnen even niet bij de gegevens")
        assert page.locator("meta[http-equiv=refresh]").count() == 0, "it would bring no form"
    send_again(page)
    expect(page.get_by_text(words)).to_be_visible()


def test_a_form_sent_after_the_session_ended_is_sent_again_after_signing_in(visit: Visit, notes: str) -> None:
    page = visit(TEACHER, expects_errors=True)
    page.goto(notes)
    words = f"{WORDS} (2)"
    page.fill("[name=public_note]", words)
    page.context.clear_cookies()
    save(page)
    assert violations(page) == []
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Aanmelden").click()
    sign_in(opened.value, TEACHER)
    send_again(page)
    expect(page.get_by_text(words)).to_be_visible()


def test_without_scripts_the_browser_s_own_buttons_do_it(visit: Visit, notes: str, town: Town) -> None:
    page = visit(TEACHER, java_script_enabled=False, expects_errors=True)
    page.goto(notes)
    words = f"{WORDS} (3)"
    page.fill("[name=public_note]", words)
    with database_away(town):
        save(page)
        expect(page.get_by_text("laad deze pagina dan opnieuw")).to_be_visible()
        assert not page.get_by_role("button", name="Opnieuw versturen").is_visible()
    page.reload()
    expect(page.get_by_text(words)).to_be_visible()


def test_a_page_that_met_a_database_away_comes_back_by_itself(visit: Visit, town: Town) -> None:
    page = visit(TEACHER, expects_errors=True)
    with database_away(town):
        page.goto("/courses")
        expect(page.locator("h1")).to_contain_text("We kunnen even niet bij de gegevens")
    expect(page.get_by_role("link", name="Wiskunde").first).to_be_visible()


def test_every_page_that_says_no_is_for_everybody(visit: Visit, notes: str, town: Town) -> None:
    page = visit(TEACHER, expects_errors=True)
    wrong: dict[str, list[str]] = {}
    try:
        for locale in LOCALES:
            read(page, locale)
            write(page, notes, "x" * 5_000)
            wrong |= faults(page, locale)
            with fault(town):
                page.goto("/timetable")
                wrong |= faults(page, locale)
            page.goto(notes)
            with database_away(town):
                save(page)
                wrong |= faults(page, locale)
    finally:
        town.speak(TEACHER, None)
    assert not wrong


def test_what_the_gate_refuses_can_be_changed_as_well(visit: Visit, notes: str) -> None:
    page = visit(TEACHER, expects_errors=True)
    send_too_much(page, notes)
    expect(page.locator("h1")).to_have_text("Dit is te groot om te versturen.")
    assert not faults(page, LOCALES[0])
    page.get_by_role("button", name="Terug").click()
    expect(page.locator("form.form")).to_be_visible()


def test_a_wrong_address_offers_the_schools_that_are_here(visit: Visit) -> None:
    page = visit(size=PHONE, expects_errors=True)
    page.goto(page.url.replace("//", "//nergens.").replace("nergens.", "nergens-", 1))
    expect(page.locator("main li a").nth(1)).to_be_visible()
    offered = page.locator("main li a").evaluate_all("links => links.map(link => link.hostname)")
    assert "de-wegwijzer.localhost" in offered
    assert not violations(page)
