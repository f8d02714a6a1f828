"""What DESIGN says of sessions, a sentence at a time."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.conftest import wait_until
from tests.domains.people.conftest import Browser, People, carry, is_signed_in, only_refresh


def refresh(client: httpx.Client) -> int:
    """Ask for new cookies; the status."""
    return client.post("/session/refresh", headers={"accept": "application/json"}).status_code


def show(client: httpx.Client, token: str) -> httpx.Response:
    """Show this refresh token, without keeping what comes of it."""
    client.cookies.clear()
    answer = client.post("/session/refresh", headers={"cookie": f"refresh={token}", "accept": "application/json"})
    client.cookies.clear()
    return answer


def test_an_access_cookie_is_believed_for_ten_minutes_without_asking_the_database(
    browser: Browser, people: People, later_server: str
) -> None:
    noor = people.add("Noor", "pupil")
    client = browser(noor)
    people.sql("DELETE FROM session WHERE person_id = $1", noor.id)
    assert client.get("/sign-in").status_code == 303, "the cookie alone says who asks"
    assert is_signed_in(client)
    later = browser(at=later_server)
    carry(client, "access", to=later)
    assert later.get("/sign-in").status_code == 200, "twelve minutes later it says nothing"


def test_an_access_cookie_that_was_changed_is_worth_nothing(browser: Browser, people: People) -> None:
    client = browser(people.add("Noor", "pupil"))
    value = client.cookies["access"]
    client.cookies.clear()
    client.cookies.set("access", value[:20] + ("A" if value[20] != "A" else "B") + value[21:])
    assert not is_signed_in(client)


def test_an_access_cookie_of_one_school_is_worth_nothing_at_another(browser: Browser, people: People) -> None:
    client, other = browser(people.add("Noor", "pupil")), browser(host="berk.test")
    carry(client, "access", "refresh", to=other)
    assert not is_signed_in(other)


def test_a_refresh_token_lasts_months_and_changes_when_it_is_used(browser: Browser, people: People) -> None:
    client = browser(people.add("Noor", "pupil"))
    first = only_refresh(client)
    answer = client.post("/session/refresh")
    assert answer.status_code == 204
    token = next(cookie for cookie in answer.headers.get_list("set-cookie") if cookie.startswith("refresh="))
    assert f"Max-Age={120 * 86_400}" in token
    assert client.cookies["refresh"] != first
    assert is_signed_in(client)


def test_any_request_refreshes_and_a_posted_body_survives(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil")
    client = browser(noor)
    before = only_refresh(client)
    assert client.post("/account/language", data={"locale": "fr"}).status_code == 303
    assert people.value("SELECT locale FROM account WHERE id = $1", noor.account_id) == "fr"
    assert client.cookies["refresh"] != before
    only_refresh(client)
    assert 'lang="fr"' in client.get("/account").text


def test_a_request_that_fails_leaves_the_token_as_it_was(browser: Browser, people: People) -> None:
    client = browser(people.add("Noor", "pupil"))
    before = only_refresh(client)
    assert client.get("/operator").status_code == 404
    assert client.cookies["refresh"] == before
    assert is_signed_in(client)


def test_within_a_minute_the_old_token_yields_the_same_successor(browser: Browser, people: People) -> None:
    client = browser(people.add("Noor", "pupil"))
    first = client.cookies["refresh"]
    answers = [show(client, first) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert len({answer.cookies["refresh"] for answer in answers}) == 1


def test_requests_at_the_same_time_get_the_same_successor(browser: Browser, people: People) -> None:
    first = browser(people.add("Noor", "pupil")).cookies["refresh"]
    clients = [browser() for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda client: show(client, first), clients))
    assert {answer.status_code for answer in answers} == {204}
    assert len({answer.cookies["refresh"] for answer in answers}) == 1


def test_later_a_successor_that_was_never_used_is_replaced_and_void(
    browser: Browser, people: People, later_server: str
) -> None:
    client, later = browser(people.add("Noor", "pupil")), browser(at=later_server)
    first = client.cookies["refresh"]
    lost = show(client, first).cookies["refresh"]
    answer = show(later, first)
    assert answer.status_code == 204
    assert answer.cookies["refresh"] != lost
    assert show(later, lost).status_code == 401, "the one that never arrived came back: somebody else has it"
    assert show(later, answer.cookies["refresh"]).status_code == 401


def test_an_older_token_is_theft_and_ends_the_whole_family_of_tokens(
    browser: Browser, people: People, second_server: str
) -> None:
    noor = people.add("Noor", "pupil")
    client, other = browser(noor), browser(at=second_server)
    first = client.cookies["refresh"]
    assert refresh(client) == 204
    assert refresh(client) == 204
    carry(client, "access", to=other)
    assert other.get("/sign-in").status_code == 303
    stolen = show(browser(), first)
    assert (stolen.status_code, stolen.json()["type"]) == (401, "urn:firstbell:problem:stolen-session")
    assert people.value("SELECT ended_at IS NOT NULL FROM session WHERE person_id = $1", noor.id) is True
    assert refresh(client) == 401
    wait_until(lambda: other.get("/sign-in").status_code == 200)


def test_whoever_is_signed_out_for_theft_reads_why(browser: Browser, people: People) -> None:
    client = browser(people.add("Noor", "pupil"))
    first = client.cookies["refresh"]
    refresh(client)
    refresh(client)
    client.cookies.clear()
    answer = client.get("/account", headers={"cookie": f"refresh={first}"})
    assert answer.status_code == 401
    assert "We hebben je voor de veiligheid afgemeld." in answer.text


def test_a_rotation_that_a_restored_backup_undid_signs_nobody_out(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil")
    client = browser(noor)
    assert refresh(client) == 204
    assert refresh(client) == 204
    people.sql("UPDATE session SET generation = 1, previous_generation = NULL WHERE person_id = $1", noor.id)
    assert refresh(client) == 204
    assert refresh(client) == 204


def test_a_token_that_we_did_not_make_changes_nothing(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil")
    client = browser(noor)
    token = client.cookies["refresh"]
    forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for shown in (forged, "x", "A" * 48, token[:-4]):
        assert show(browser(), shown).status_code == 401
    assert people.value("SELECT generation FROM session WHERE person_id = $1", noor.id) == 1
    assert refresh(client) == 204


def test_a_revocation_reaches_the_other_workers_by_the_bus(
    browser: Browser, people: People, second_server: str
) -> None:
    client, other = browser(people.add("Noor", "pupil")), browser(at=second_server)
    carry(client, "access", to=other)
    assert other.get("/sign-in").status_code == 303
    client.post("/sign-out")
    wait_until(lambda: other.get("/sign-in").status_code == 200)


def test_a_revocation_reaches_a_worker_without_nats_as_well(browser: Browser, people: People, deaf_server: str) -> None:
    client, deaf = browser(people.add("Noor", "pupil")), browser(at=deaf_server)
    deaf.headers["cookie"] = f"__Host-access={client.cookies['access']}"
    assert deaf.get("/sign-in").status_code == 303
    client.post("/sign-out")
    wait_until(lambda: deaf.get("/sign-in").status_code == 200)


def test_with_a_tail_that_is_too_old_sessions_are_checked_in_the_database(
    browser: Browser, people: People, later_server: str
) -> None:
    noor = people.add("Noor", "pupil")
    later = browser(noor, at=later_server)
    assert is_signed_in(later)
    people.sql("UPDATE session SET ended_at = now() WHERE person_id = $1", noor.id)
    assert not is_signed_in(later)
    assert "refresh" not in later.cookies


def test_a_role_that_was_taken_away_opens_nothing_any_more(browser: Browser, people: People) -> None:
    tariq = people.add("Tariq", "teacher")
    client = browser(tariq)
    assert client.get("/classes").status_code == 200
    people.sql("UPDATE person SET roles = '{}' WHERE id = $1", tariq.id)
    people.change(tariq.school_id, "person", tariq.id)
    wait_until(lambda: client.get("/classes").status_code == 404)
    assert is_signed_in(client)


def test_whoever_is_retired_is_signed_out(browser: Browser, people: People) -> None:
    tariq = people.add("Tariq", "teacher")
    client = browser(tariq)
    people.sql("UPDATE person SET retired_at = now() WHERE id = $1", tariq.id)
    people.change(tariq.school_id, "person", tariq.id)
    wait_until(lambda: not is_signed_in(client))
    assert refresh(client) == 401


def test_signing_out_ends_this_browser_and_clears_what_it_kept(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil")
    client, phone = browser(noor), browser(noor)
    token = client.cookies["refresh"]
    answer = client.post("/sign-out")
    assert answer.headers["location"] == "/sign-in"
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert not {"access", "refresh"} & set(client.cookies)
    assert show(client, token).status_code == 401
    assert is_signed_in(phone)


def test_signing_out_everywhere_ends_every_browser_of_the_account(browser: Browser, people: People) -> None:
    noor = people.add("Noor", "pupil")
    client, phone = browser(noor), browser(noor)
    client.post("/account/sign-out")
    assert refresh(phone) == 401
    wait_until(lambda: not is_signed_in(phone))
    assert is_signed_in(browser(noor))


def test_one_browser_can_be_ended_from_another_by_its_holder_only(browser: Browser, people: People) -> None:
    noor, wout = people.add("Noor", "pupil"), people.add("Wout", "pupil")
    client, phone = browser(noor), browser(noor)
    session = people.value("SELECT id FROM session WHERE person_id = $1 ORDER BY created_at DESC LIMIT 1", noor.id)
    address = f"/account/sessions/{noor.school_id}/{session}/sign-out"
    assert f'action="{address}"' in client.get("/account").text
    assert browser(wout).post(address).status_code == 404
    assert refresh(phone) == 204
    assert client.post(address).headers["location"] == "/account?changed=sign-out"
    assert refresh(phone) == 401
    assert is_signed_in(client)


def test_sessions_and_codes_that_are_long_over_are_forgotten_at_night(browser: Browser, people: People) -> None:
    noor, wout = people.add("Noor", "pupil"), people.add("Wout", "pupil")
    browser(noor), browser(wout)
    people.sql("UPDATE session SET ended_at = now() - interval '31 days' WHERE person_id = $1", noor.id)
    people.sql(
        "INSERT INTO activation_code (school_id, id, person_id, code_hash, expires_at) "
        "VALUES ($1, $2, $2, '\\x00', now() - interval '91 days')",
        noor.school_id, noor.id,
    )  # fmt: skip
    done = people.run("work", "now", "forget-sessions", clock="")
    assert done.returncode == 0, done.stderr
    assert people.value("SELECT count(*) FROM session WHERE person_id = $1", noor.id) == 0
    assert people.value("SELECT count(*) FROM session WHERE person_id = $1", wout.id) == 1
    assert people.value("SELECT count(*) FROM activation_code WHERE person_id = $1", noor.id) == 0
