"""What everybody can do with their own account."""

import re

import httpx

from tests.domains.people.conftest import PASSWORD, Browser, People, Somebody, is_signed_in, sign_in

NEW = "een-nieuwe-lange-zin"


def activation_code(browser: Browser, people: People, somebody: Somebody, host: str) -> str:
    """A code for somebody, from the secretariat of their school."""
    secretary = browser(people.add("Greet", "secretariat", host=host))
    slip = secretary.post(f"/people/{somebody.id}/activation-code")
    return re.search(r"<code>(.+?)</code>", slip.text).group(1)  # type: ignore[union-attr]


def link(client: httpx.Client, code: str) -> httpx.Response:
    """Type a code on the account page."""
    return client.post("/account/links", data={"code": code})


def test_the_account_page_says_who_you_are_and_where(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil", family="Vermeulen")
    people.add_class("3B", pupil=noor)
    shown = browser(noor).get("/account").text
    assert "Noor Vermeulen" in shown
    assert "3B · Leerling · De Wilge" in shown
    assert "Firefox · Linux" in shown


def test_a_page_speaks_the_language_of_the_person_then_of_the_school_then_of_the_browser(
    browser: Browser, people: People
) -> None:
    client = browser(people.add("Noor", "pupil"))
    client.headers["accept-language"] = "en"
    assert 'lang="nl"' in client.get("/account").text, "the school speaks Dutch"
    assert 'lang="en"' in browser(host="nowhere.test").get("/", headers={"accept-language": "en"}).text
    client.post("/account/language", data={"locale": "fr"})
    assert 'lang="fr"' in client.get("/account").text
    client.post("/account/language", data={"locale": ""})
    assert 'lang="nl"' in client.get("/account").text


def test_a_new_password_asks_for_the_old_one_and_ends_the_other_sessions(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil")
    client, phone = browser(noor), browser(noor)
    wrong = client.post("/account/password", data={"old": "wrong", "new": NEW})
    assert (wrong.status_code, "Dit is niet je huidige wachtwoord." in wrong.text) == (422, True)
    short = client.post("/account/password", data={"old": PASSWORD, "new": "kort"})
    assert (short.status_code, "Neem minstens 8 tekens." in short.text) == (422, True)
    assert client.post("/account/password", data={"old": PASSWORD, "new": NEW}).status_code == 303
    assert is_signed_in(client)
    phone.cookies.delete("access")
    assert not is_signed_in(phone)
    assert sign_in(browser(), noor.name).status_code == 422
    assert sign_in(browser(), noor.name, NEW).status_code == 303


def test_a_parent_links_a_child_of_another_school_by_its_code_and_sees_all_children(
    browser: Browser, people: People
) -> None:
    hilde, noor = people.add("Hilde", "parent"), people.add("Noor", "pupil", family="Wouters")
    people.parent_of(hilde, noor)
    wout = people.add("Wout", "pupil", host="berk.test", family="Wouters")
    client = browser(hilde)
    assert "Wout Wouters" not in client.get("/account").text
    code = activation_code(browser, people, wout, "berk.test")
    assert link(client, code.lower().replace("-", " ")).headers["location"] == "/account?changed=link"
    shown = client.get("/account").text
    assert "Noor Wouters" in shown and "De Wilge" in shown
    assert "Wout Wouters" in shown and "De Berk" in shown


def test_a_parent_removes_a_child_that_a_code_linked_after_being_asked(browser: Browser, people: People) -> None:
    hilde, noor = people.add("Hilde", "parent"), people.add("Noor", "pupil", family="Wouters")
    people.parent_of(hilde, noor)
    wout = people.add("Wout", "pupil", host="berk.test", family="Wouters")
    client, other = browser(hilde), browser(people.add("Bart", "parent"))
    link(client, activation_code(browser, people, wout, "berk.test"))
    removal = f"/account/children/{wout.id}/removal"
    assert removal in client.get("/account").text
    assert "Wout van je account halen?" in client.get(removal).text
    assert other.post(removal).status_code == 404
    assert client.post(removal).headers["location"] == "/account?changed=removal"
    shown = client.get("/account").text
    assert "Wout Wouters" not in shown and "Noor Wouters" in shown
    assert client.post(removal).status_code == 404


def test_a_child_that_the_school_put_there_cannot_be_removed(browser: Browser, people: People) -> None:
    hilde, noor = people.add("Hilde", "parent"), people.add("Noor", "pupil")
    people.parent_of(hilde, noor)
    client = browser(hilde)
    assert "/removal" not in client.get("/account").text
    assert client.post(f"/account/children/{noor.id}/removal").status_code == 404


def test_the_same_human_of_another_school_is_linked_and_signed_out_there(browser: Browser, people: People) -> None:
    here, there = people.add("Hilde", "parent"), people.add("Hilde", "parent", host="berk.test")
    wout = people.add("Wout", "pupil", host="berk.test", family="Wouters")
    people.parent_of(there, wout)
    elsewhere = browser(there)
    client = browser(here)
    assert link(client, activation_code(browser, people, there, "berk.test")).status_code == 303
    assert "Wout Wouters" in client.get("/account").text
    assert elsewhere.post("/session/refresh").status_code in (303, 401)
    assert sign_in(browser(host="berk.test"), there.name).status_code == 303, "with the password of the one account"


def test_a_code_works_once(browser: Browser, people: People) -> None:
    wout = people.add("Wout", "pupil", host="berk.test")
    code = activation_code(browser, people, wout, "berk.test")
    assert link(browser(people.add("Hilde", "parent")), code).status_code == 303
    again = link(browser(people.add("Karel", "parent")), code)
    assert (again.status_code, "Deze code werkt niet." in again.text) == (422, True)


def test_a_code_does_not_work_after_its_year(browser: Browser, people: People) -> None:
    wout = people.add("Wout", "pupil")
    code = activation_code(browser, people, wout, "wilge.test")
    people.sql("UPDATE activation_code SET expires_at = now() WHERE person_id = $1", wout.id)
    assert link(browser(people.add("Hilde", "parent")), code).status_code == 422


def test_a_newer_code_voids_the_one_before(browser: Browser, people: People) -> None:
    wout = people.add("Wout", "pupil")
    first, second = (activation_code(browser, people, wout, "wilge.test") for _ in range(2))
    client = browser(people.add("Hilde", "parent"))
    assert link(client, first).status_code == 422
    assert link(client, second).status_code == 303


def test_a_pupil_cannot_use_the_code_of_an_adult(browser: Browser, people: People) -> None:
    hilde = people.add("Hilde", "parent", host="berk.test")
    code = activation_code(browser, people, hilde, "berk.test")
    answer = link(browser(people.add("Noor", "pupil")), code)
    assert (answer.status_code, "Deze code is voor iemand anders." in answer.text) == (422, True)
    assert link(browser(people.add("Karel", "parent")), code).status_code == 303, "nothing was left half done"


def test_codes_are_kept_as_hashes(browser: Browser, people: People) -> None:
    wout = people.add("Wout", "pupil")
    code = activation_code(browser, people, wout, "wilge.test")
    kept = people.value("SELECT code_hash FROM activation_code WHERE person_id = $1", wout.id)
    assert isinstance(kept, bytes) and len(kept) == 32
    assert code.replace("-", "").encode() not in kept
