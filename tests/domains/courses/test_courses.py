"""Who sees which courses."""

import re

import httpx
import pytest

from tests.domains.conftest import Plataan, SignedIn


def titles(client: httpx.Client, address: str = "/courses") -> list[str]:
    """The courses that a page lists, in its order."""
    page = client.get(address)
    assert page.status_code == 200, page.text
    return re.findall(r'<a class="row-title" href="/courses/[^"]+">([^<]+)', page.text)


@pytest.mark.parametrize(
    ("name", "host", "sees"),
    [
        ("Noor", "plataan.localhost", {"Wiskunde"}),
        ("Amir", "plataan.localhost", {"Biologie"}),
        ("Tariq", "plataan.localhost", {"Wiskunde"}),
        ("Els", "plataan.localhost", {"Biologie"}),
        ("Greet", "plataan.localhost", {"Wiskunde", "Biologie"}),
        ("Bart", "plataan.localhost", {"Wiskunde", "Muziek"}),
        ("Bart", "hazelaar.localhost", {"Wiskunde", "Muziek"}),
        ("Wout", "hazelaar.localhost", {"Muziek"}),
        ("Joke", "hazelaar.localhost", {"Muziek"}),
    ],
)
def test_everybody_opens_the_courses_that_they_have_to_do_with_and_finds_no_other(
    plataan: Plataan, signed_in: SignedIn, name: str, host: str, sees: set[str]
) -> None:
    client = signed_in(name, host=host)
    opened = {title for title, course in plataan.courses.items() if client.get(course.href).status_code == 200}
    assert opened == sees
    assert sees <= set(titles(client))
    for title in plataan.courses.keys() - sees:
        assert client.get(plataan.courses[title].href).status_code == 404
        assert client.get(f"{plataan.courses[title].href}/bin").status_code == 404


def test_a_parent_finds_the_courses_child_by_child(signed_in: SignedIn) -> None:
    page = signed_in("Bart").get("/courses").text
    assert re.findall(r"<h2[^>]*>([^<]+)", page) == ["Noor", "Wout"]


def test_a_course_shows_its_audience_its_teachers_and_its_pupils(plataan: Plataan, signed_in: SignedIn) -> None:
    page = signed_in("Noor").get(plataan.courses["Wiskunde"].href).text
    assert "3B · Tariq Benali · 1 leerling" in page
    assert re.findall(r'<span class="row-title">([A-Z]\w+ [A-Z]\w+)', page) == ["Tariq Benali", "Noor Vermeulen"]


def test_a_parent_sees_who_teaches_and_not_who_the_other_children_are(plataan: Plataan, signed_in: SignedIn) -> None:
    page = signed_in("Bart").get(plataan.courses["Wiskunde"].href).text
    assert re.findall(r'<span class="row-title">([A-Z]\w+ [A-Z]\w+)', page) == ["Tariq Benali"]


@pytest.mark.parametrize(
    ("words", "found"), [("wisk", ["Wiskunde"]), ("3a", ["Biologie"]), ("peeters", ["Biologie"]), ("%", []), ("'", [])]
)
def test_who_runs_the_school_searches_by_subject_class_or_teacher(
    plataan: Plataan, signed_in: SignedIn, words: str, found: list[str]
) -> None:
    client = signed_in("Greet")
    known = {"Wiskunde", "Biologie"}
    assert [title for title in titles(client, f"/courses?search={words}") if title in known] == found
    if not found:
        assert "Geen enkel vak bevat" in client.get(f"/courses?search={words}").text


def test_a_course_that_is_none_is_not_found(plataan: Plataan, signed_in: SignedIn) -> None:
    del plataan
    client = signed_in("Greet")
    assert client.get("/courses/00000000-0000-7000-8000-000000000000").status_code == 404
    assert client.get("/courses/nothing").status_code == 404
