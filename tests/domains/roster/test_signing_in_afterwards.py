"""What a roster means for people who are signed in, and what outlives it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.conftest import wait_until
from tests.domains.roster.conftest import Roster, School, small_roster

AN_HOUR_LATER = "2026-11-19T10:00:00+01:00"
"""Every process begins at the same moment; the second password is to come after the first was used."""

FAMILIES = """
    SELECT parent.given_name, child.given_name FROM guardianship
    JOIN person AS parent ON parent.id = parent_id JOIN person AS child ON child.id = child_id
    WHERE guardianship.school_id = $1 ORDER BY 1, 2
"""


@pytest.fixture
def signed_in(server: str, school: School) -> Iterator[Callable[[str], httpx.Client]]:
    """Give somebody a password by the command line and sign in with it."""
    open_browsers = ExitStack()

    def sign_in(name: str) -> httpx.Client:
        given = school.installation.run("person", "password", name, "--school", school.slug, "--generate")
        assert given.returncode == 0, given.stderr
        password = given.stdout.strip().rpartition(": ")[2]
        headers = {"host": f"{school.slug}.test", "accept": "text/html"}
        client = open_browsers.enter_context(httpx.Client(base_url=server, headers=headers, timeout=30))
        wait_until(lambda: client.post("/sign-in", data={"name": name, "password": password}).status_code == 303)
        return client

    with open_browsers:
        yield sign_in


def is_signed_in(client: httpx.Client) -> bool:
    return client.get("/account").status_code == 200


def test_whoever_came_with_a_roster_signs_in_with_the_password_that_was_given(
    school: School, signed_in: Callable[[str], httpx.Client]
) -> None:
    school.put(small_roster())
    assert is_signed_in(signed_in("noor.vermeulen"))


def test_a_refresh_shows_the_class_in_which_the_last_roster_put_the_pupil(
    school: School, signed_in: Callable[[str], httpx.Client]
) -> None:
    school.put(small_roster())
    wout, hilde = signed_in("wout.peeters"), signed_in("hilde.smets")

    def shown() -> tuple[str, bool]:
        assert wout.post("/session/refresh", headers={"accept": "application/json"}).status_code == 204
        own = re.findall("<small>(.*)</small>", wout.get("/account").text)
        return own[0], "3B · De Wilge" in hilde.get("/account").text

    assert shown() == ("3B", True)
    renamed = small_roster()
    renamed.row("classes", "3b")["title"] = "3 Latijn"
    school.put(renamed)
    assert shown() == ("3 Latijn", False)
    school.put(Roster(mode="delta").enrol("wout", "3a", status="active").enrol("wout", "3b", status="tobedeleted"))
    assert shown() == ("3A", False)
    school.put(small_roster().without("3a", "3b"))
    assert shown() == ("", False)
    school.put(small_roster())
    assert shown() == ("3B", True)


def test_whoever_retires_is_signed_out(school: School, signed_in: Callable[[str], httpx.Client]) -> None:
    school.put(small_roster())
    client = signed_in("wout.peeters")
    school.put(small_roster().without("wout"))
    wait_until(lambda: not is_signed_in(client))


def test_another_password_signs_out_what_had_the_one_before(
    school: School, signed_in: Callable[[str], httpx.Client]
) -> None:
    school.put(small_roster())
    before = signed_in("greet.maes")
    command = ("person", "password", "greet.maes", "--school", school.slug, "--generate")
    assert school.installation.run(*command, clock=AN_HOUR_LATER).returncode == 0
    wait_until(lambda: not is_signed_in(before))


def test_a_child_that_a_parent_linked_by_a_code_outlives_rosters(
    school: School, signed_in: Callable[[str], httpx.Client]
) -> None:
    school.put(small_roster())
    for name in ("hilde.smets", "tariq.benali"):
        printed = school.installation.run("person", "code", "wout.peeters", "--school", school.slug)
        code = printed.stdout.strip().rpartition(": ")[2]
        assert signed_in(name).post("/account/links", data={"code": code}).status_code == 303
    linked = [("Hilde", "Noor"), ("Hilde", "Wout"), ("Tariq", "Wout")]
    assert school.rows(FAMILIES) == linked
    again = school.put(small_roster())
    assert "Nothing changed" in again.stdout
    assert school.rows(FAMILIES) == linked
    roles = "SELECT roles FROM person WHERE school_id = $1 AND given_name IN ('Hilde', 'Tariq') ORDER BY given_name"
    assert school.rows(roles) == [(["parent"],), (["parent", "teacher"],)]


def test_nobody_gets_a_password_or_a_code_by_a_name_that_nobody_has(school: School) -> None:
    school.put(small_roster())
    for noun in ("password", "code"):
        options = ["--generate"] if noun == "password" else []
        done = school.installation.run("person", noun, "nobody", "--school", school.slug, *options)
        assert done.returncode == 1
        assert done.stderr == "Nobody signs in as 'nobody' at De Wilge.\n"


def test_a_password_that_is_too_short_is_refused(school: School) -> None:
    school.put(small_roster())
    done = school.installation.run("person", "password", "noor.vermeulen", "--school", school.slug)
    assert done.returncode == 1
    assert done.stderr.strip() == "A password has 8 to 1,000 letters and signs."
