"""Signing in with a name and a password."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.domains.people.conftest import PASSWORD, WILGE, Browser, People, is_signed_in, sign_in


def test_who_is_not_signed_in_goes_to_the_form_and_then_to_the_page_that_was_asked_for(
    browser: Browser, people: People
) -> None:
    client = browser()
    asked = client.get("/account?changed=language")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=/account%3Fchanged%3Dlanguage"
    form = client.get(asked.headers["location"])
    assert 'value="/account?changed=language"' in form.text
    answer = sign_in(client, people.add("Noor", "pupil").name, next="/account?changed=language")
    assert answer.headers["location"] == "/account?changed=language"
    assert client.get("/sign-in?next=/account").headers["location"] == "/account"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.test/",
        "//elsewhere.test/",
        "/\\elsewhere.test",
        "\\\\elsewhere.test",
        "/\t/elsewhere.test",
        "",
    ],
)
def test_signing_in_never_leads_to_another_site(browser: Browser, people: People, elsewhere: str) -> None:
    client = browser()
    assert sign_in(client, people.add("Noor", "pupil").name, next=elsewhere).headers["location"] == "/"


def test_a_name_may_be_typed_with_capitals_and_spaces_around_it(browser: Browser, people: People) -> None:
    client = browser()
    sign_in(client, f"  {people.add('Noor', 'pupil').name.upper()} ")
    assert is_signed_in(client)


def test_nobody_learns_from_a_failure_whether_a_name_exists(browser: Browser, people: People) -> None:
    someone, retired, without = people.add("Noor", "pupil"), people.add("Wout", "pupil"), people.add("Els", "teacher")
    people.sql("UPDATE person SET retired_at = now() WHERE id = $1", retired.id)
    people.sql("UPDATE account SET password_hash = NULL WHERE id = $1", without.account_id)
    tried = [(someone.name, "wrong"), ("nobody.at.all", PASSWORD), (retired.name, PASSWORD), (without.name, PASSWORD)]
    answers = [sign_in(browser(), name, password) for name, password in tried]
    assert {answer.status_code for answer in answers} == {422}
    assert all("Deze naam en dit wachtwoord horen niet bij elkaar." in answer.text for answer in answers)
    assert len({answer.text.replace(name, "") for answer, (name, _) in zip(answers, tried, strict=True)}) == 1


def test_a_person_signs_in_at_their_own_school_only(browser: Browser, people: People) -> None:
    wout = people.add("Wout", "pupil", host="berk.test")
    assert sign_in(browser(host=WILGE), wout.name).status_code == 422
    assert sign_in(browser(host="berk.test"), wout.name).status_code == 303


def test_a_program_is_told_in_its_own_terms(server: str, people: People) -> None:
    del people
    with httpx.Client(base_url=server, headers={"host": WILGE, "accept": "application/json"}) as program:
        unknown = program.get("/account")
        assert (unknown.status_code, unknown.json()["type"]) == (401, "urn:firstbell:problem:not-signed-in")
        wrong = program.post("/sign-in", data={"name": "nobody", "password": "wrong"})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:firstbell:problem:invalid")
        assert wrong.headers["content-type"] == "application/problem+json"


def test_a_device_pass_is_set_at_the_first_sign_in_and_survives_signing_out(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil")
    client = browser(noor)
    assert "device" in client.cookies
    client.post("/sign-out")
    assert "device" in client.cookies
    sign_in(client, noor.name)
    devices = people.sql("SELECT count(*) AS sessions, count(DISTINCT device_id) AS devices FROM session "
                         "WHERE person_id = $1", noor.id)[0]  # fmt: skip
    assert (devices["sessions"], devices["devices"]) == (2, 1)


def test_a_shared_device_keeps_nothing_when_the_browser_closes(browser: Browser, people: People) -> None:
    client = browser()
    answer = sign_in(client, people.add("Noor", "pupil").name, is_shared_device="yes")
    cookies = answer.headers.get_list("set-cookie")
    ours = [cookie for cookie in cookies if cookie.startswith(("access=", "refresh=", "device="))]
    assert {cookie.partition("=")[0] for cookie in ours} == {"access", "refresh"}
    assert not any("Max-Age" in cookie for cookie in ours)
    again = client.post("/session/refresh").headers.get_list("set-cookie")
    assert not any("Max-Age" in cookie for cookie in again if cookie.startswith(("access=", "refresh=")))


def test_over_tls_cookies_are_bound_to_the_host(deaf_server: str, people: People) -> None:
    noor = people.add("Noor", "pupil")
    with httpx.Client(base_url=deaf_server, headers={"host": WILGE}) as client:
        cookies = sign_in(client, noor.name).headers.get_list("set-cookie")
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names >= {"__Host-access", "__Host-refresh", "__Host-device"}
    assert all(name.startswith("__Host-") for name in names)
    for cookie in cookies:
        assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_when_too_many_sign_in_at_once_the_rest_hear_when_to_come_back(deaf_server: str, people: People) -> None:
    noor = people.add("Noor", "pupil")

    def attempt(_: int) -> httpx.Response:
        with httpx.Client(base_url=deaf_server, headers={"host": WILGE, "accept": "text/html"}) as client:
            return sign_in(client, noor.name)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(attempt, range(12)))
    assert {answer.status_code for answer in answers} == {303, 503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 503)


def test_an_address_that_no_page_has_is_answered_in_the_language_of_the_school(browser: Browser) -> None:
    answer = browser().get("/nowhere", headers={"accept-language": "fr"})
    assert answer.status_code == 404
    assert '<html lang="nl"' in answer.text
