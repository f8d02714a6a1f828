"""The people and classes of a school, and the schools of the installation."""

import re

import httpx

from tests.domains.people.conftest import Browser, People, Somebody, is_signed_in, sign_in


def slip_word(answer: httpx.Response) -> str:
    """The last word in print on a slip: the password or the code."""
    return str(re.findall(r"<code>(.+?)</code>", answer.text)[-1])


def test_a_pupil_sees_the_people_of_their_own_class_only(browser: Browser, people: People) -> None:
    noor, tariq = people.add("Noor", "pupil", family="Vermeulen"), people.add("Tariq", "teacher", family="Benali")
    own = people.add_class("3B", pupil=noor, teacher=tariq)
    other = people.add_class("3A", pupil=people.add("Wout", "pupil"))
    client = browser(noor)
    shown = client.get(f"/classes/{own}").text
    assert "Noor Vermeulen" in shown and "Tariq Benali" in shown
    assert "/people/" not in shown
    assert client.get(f"/classes/{other}").status_code == 404
    assert client.get("/classes").status_code == 404


def test_a_teacher_sees_every_class_and_2b_stands_before_10a(browser: Browser, people: People) -> None:
    tariq = people.add("Tariq", "teacher")
    for name in ("10A", "2B"):
        class_id = people.add_class(name, pupil=people.add("Noor", "pupil"))
    client = browser(tariq)
    shown = client.get("/classes").text
    assert shown.index(">2B<") < shown.index(">10A<")
    assert "1 leerling" in shown
    assert client.get(f"/classes/{class_id}").status_code == 200


def test_a_parent_sees_no_class(browser: Browser, people: People) -> None:
    class_id = people.add_class("4C", pupil=people.add("Noor", "pupil"))
    client = browser(people.add("Hilde", "parent"))
    assert client.get(f"/classes/{class_id}").status_code == 404


def test_the_secretariat_finds_people_by_the_beginning_of_either_name(browser: Browser, people: People) -> None:
    people.add("Zoë", "pupil", family="Van den Bossche")
    people.add("Zohra", "teacher", family="Azzouzi")
    client = browser(people.add("Greet", "secretariat"))

    def found(name: str) -> set[str]:
        shown = client.get("/people", params={"name": name}).text
        return {full for full in ("Zoë Van den Bossche", "Zohra Azzouzi") if full in shown}

    assert found("zo") == {"Zoë Van den Bossche", "Zohra Azzouzi"}
    assert found("zoë v") == {"Zoë Van den Bossche"}
    assert found(" Van  den bos") == {"Zoë Van den Bossche"}
    assert found("azz") == {"Zohra Azzouzi"}
    assert found("%") == found("_o") == found("ossche") == set()
    assert "Niemand gevonden" in client.get("/people?name=qqq").text


def test_people_come_a_page_at_a_time(browser: Browser, people: People) -> None:
    for number in range(51):
        people.add(f"Xander{number:02}", "pupil", family="Xu")
    client = browser(people.add("Greet", "secretariat"))
    first = client.get("/people?name=xand").text
    assert first.count("Xander") == 50
    second = client.get(re.search(r'rel="next" href="([^"]+)"', first).group(1).replace("&amp;", "&"))  # type: ignore[union-attr]
    assert second.text.count("Xander") == 1
    for odd in ("0", "-1", "x", "99999999999999999999"):
        assert client.get("/people", params={"page": odd}).status_code == 200


def test_a_person_page_shows_roles_class_and_family(browser: Browser, people: People) -> None:
    noor, hilde = people.add("Noor", "pupil"), people.add("Hilde", "parent", family="Smets")
    people.add_class("5D", pupil=noor)
    people.parent_of(hilde, noor)
    shown = browser(people.add("Joke", "head")).get(f"/people/{noor.id}").text
    assert "Leerling" in shown and "5D" in shown and "Hilde Smets" in shown
    assert "Nieuw wachtwoord" not in shown, "the head looks, others give keys"


def test_nobody_sees_a_person_of_another_school(browser: Browser, people: People) -> None:
    wout = people.add("Wout", "pupil", host="berk.test")
    ict = browser(people.add("Ines", "ict"))
    assert ict.get(f"/people/{wout.id}").status_code == 404
    for action in ("password", "activation-code", "sign-out"):
        assert ict.post(f"/people/{wout.id}/{action}").status_code == 404


def test_a_new_password_is_shown_once_works_and_ends_what_was_signed_in(browser: Browser, people: People) -> None:
    noor, greet = people.add("Noor", "pupil"), people.add("Greet", "secretariat")
    client, secretary = browser(noor), browser(greet)
    slip = secretary.post(f"/people/{noor.id}/password")
    password = slip_word(slip)
    assert slip.headers["cache-control"] == "private, no-store"
    assert password not in secretary.get(f"/people/{noor.id}").text
    client.cookies.delete("access")
    assert not is_signed_in(client)
    assert sign_in(browser(), noor.name).status_code == 422
    assert sign_in(browser(), noor.name, password).status_code == 303


def verbs(people: People, by: Somebody, about: Somebody) -> list[str]:
    """What the audit says that one person did about another."""
    rows = people.sql(
        "SELECT verb FROM audit WHERE school_id = $1 AND person_id = $2 AND subject_id = $3 ORDER BY at, id",
        by.school_id, by.id, about.id,
    )  # fmt: skip
    return [row["verb"] for row in rows]


def test_what_is_done_with_somebodys_keys_stands_in_the_audit(browser: Browser, people: People) -> None:
    noor, greet = people.add("Noor", "pupil"), people.add("Greet", "secretariat")
    phone, secretary = browser(noor), browser(greet)
    for action in ("password", "activation-code"):
        assert secretary.post(f"/people/{noor.id}/{action}").status_code == 200
    assert secretary.post(f"/people/{noor.id}/sign-out").headers["location"] == f"/people/{noor.id}?changed=sign-out"
    phone.cookies.delete("access")
    assert not is_signed_in(phone)
    assert verbs(people, greet, noor) == ["set password", "make activation code", "sign out everywhere"]


def test_the_secretariat_gives_no_keys_of_those_who_run_the_school(browser: Browser, people: People) -> None:
    secretary, coordinator = browser(people.add("Greet", "secretariat")), browser(people.add("Ines", "ict"))
    for leading in (people.add("Joke", "head"), people.add("Ilse", "ict")):
        for action in ("password", "activation-code"):
            assert secretary.post(f"/people/{leading.id}/{action}").status_code == 403
        assert sign_in(browser(), leading.name).status_code == 303, "nothing was left half done"
        assert coordinator.post(f"/people/{leading.id}/password").status_code == 200


def test_a_school_never_opens_the_door_of_another_school(browser: Browser, people: People) -> None:
    here, there = people.add("Hilde", "parent"), people.add("Hilde", "parent", host="berk.test")
    people.sql("UPDATE person SET account_id = $1 WHERE id = $2", here.account_id, there.id)
    secretary = browser(people.add("Greet", "secretariat"))
    password = slip_word(secretary.post(f"/people/{here.id}/password"))
    assert sign_in(browser(), here.name, password).status_code == 303
    assert sign_in(browser(host="berk.test"), there.name, password).status_code == 422
    assert sign_in(browser(host="berk.test"), there.name).status_code == 303


def test_the_operator_alone_sees_the_schools_of_the_installation(browser: Browser, people: People) -> None:
    olga = people.add("Olga", "ict")
    assert browser(olga).get("/operator").status_code == 404
    named = people.run("person", "operator", olga.name, "--school", "wilge")
    assert (named.returncode, named.stdout) == (0, f"{olga.name} is now an operator of this installation.\n"), (
        named.stderr
    )
    shown = browser(olga).get("/operator").text
    assert "De Wilge" in shown and "De Berk" in shown
    assert "wilge.test" in shown and "berk.test" in shown
    assert re.search(r"Leerling \d", shown)
    people.run("person", "operator", olga.name, "--school", "wilge", "--no-more")
    assert browser(olga).get("/operator").status_code == 404


def test_an_unknown_host_leads_to_the_schools_that_are_here(browser: Browser, server: str) -> None:
    answer = browser(host="nowhere.test:8300").get("/")
    assert answer.status_code == 404
    assert "http://wilge.test:8300/" in answer.text
    program = httpx.get(server, headers={"host": "nowhere.test"})
    assert program.json()["type"] == "urn:firstbell:problem:not-found"
