"""Schools and persons by the command line: what an operator says, and what is refused in one sentence."""

from itertools import count

import httpx
import pytest

from tests.conftest import Installation, Town

_numbers = count(1)


def add(installation: Installation, slug: str, *options: str) -> tuple[int, str]:
    given = ["--name", "De Linde", "--host", f"{slug}.linde.test"]
    done = installation.run("school", "add", slug, *(options or given))
    return done.returncode, done.stderr.strip() or done.stdout.strip()


@pytest.fixture
def slug() -> str:
    return f"linde-{next(_numbers)}"


def test_a_school_that_was_added_is_listed(installation: Installation, slug: str) -> None:
    assert add(installation, slug) == (0, f"Added De Linde, at {slug}.linde.test.")
    assert f"{slug}\tDe Linde\t{slug}.linde.test" in installation.run("school", "list").stdout


def test_a_school_that_was_added_answers_at_once(installation: Installation, server: str, slug: str) -> None:
    """Workers that run already hear of it."""
    from tests.conftest import wait_until  # noqa: PLC0415

    add(installation, slug)
    address = {"host": f"{slug}.linde.test", "accept": "text/html"}
    wait_until(lambda: "De Linde" in httpx.get(f"{server}/sign-in", headers=address).text)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--name", "X", "--host", "x.test", "--locale", "de"), "'de' is not a language of Firstbell: nl, en, fr."),
        (("--name", "X", "--host", "x.test", "--time-zone", "Mars/Base"), "is not a time zone"),
        (("--name", "X", "--host", "http://x.test"), "is not a host name"),
        (("--name", " ", "--host", "x.test"), "The name of a school has 1 to 200 characters."),
    ],
)
def test_a_school_that_makes_no_sense_is_refused(
    installation: Installation, slug: str, options: tuple[str, ...], sentence: str
) -> None:
    status, said = add(installation, slug, *options)
    assert status == 1
    assert sentence in said and len(said.splitlines()) == 1


def test_a_slug_or_host_is_one_school_s(installation: Installation, slug: str) -> None:
    add(installation, slug)
    assert add(installation, slug) == (
        1,
        "Another school has this slug or host name already; see firstbell school list.",
    )
    assert add(installation, "De Linde")[1].startswith("'De Linde' is not a slug")


def test_an_unknown_school_is_named(installation: Installation) -> None:
    done = installation.run("person", "password", "noor", "--school", "nowhere", "--generate")
    assert done.returncode == 1
    assert "There is no school 'nowhere'" in done.stderr or "There is no school yet" in done.stderr


def test_the_demo_world_goes_into_an_empty_installation_only(town: Town) -> None:
    before = town.rows("sint-jozef")
    done = town.installation.run("demo-school", "--pupils", "12")
    assert done.returncode == 1
    assert done.stderr == "There is a school 'de-wegwijzer' here; the demo world wants an empty installation.\n"
    assert town.rows("sint-jozef") == before
