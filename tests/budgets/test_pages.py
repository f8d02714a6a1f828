"""What a page may cost: statements, and bytes as they go over the line. A page that needs more says why here."""

import json
from dataclasses import dataclass

import pytest

from tests.conftest import Browsers, Town

MAIN = "sint-jozef"


@dataclass(frozen=True)
class Budget:
    """The most that a page may cost for somebody; `path` may name a thing of class 3B."""

    path: str
    name: str
    statements: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.path} for {self.name}"


PUPIL, TEACHER, PARENT = "noor.vermeulen", "an.peeters", "sofie.vermeulen"
HEAD, OFFICE, ICT = "hilde.maes", "karel.thys", "tom.wouters"
BUDGETS = [
    Budget("/", PUPIL, 5, 12_000),
    Budget("/", TEACHER, 5, 12_000),
    Budget("/", PARENT, 5, 12_000),
    Budget("/", HEAD, 5, 12_000),
    Budget("/", OFFICE, 5, 12_000),
    Budget("/", ICT, 5, 12_000),
    Budget("/timetable", PUPIL, 4, 12_000),
    Budget("/timetable", TEACHER, 4, 12_000),
    Budget("/courses", PUPIL, 3, 12_000),
    Budget("/courses/{course_id}", PUPIL, 8, 12_000),
    Budget("/courses/{course_id}/folders/{folder_id}", PUPIL, 5, 12_000),
    Budget("/courses/{course_id}/documents/{document_id}", PUPIL, 5, 8_000),
    # The bytes themselves, as many as come without a signed address.
    Budget("/courses/{course_id}/documents/{document_id}/content", PUPIL, 1, 1_000_000),
    Budget("/account", PUPIL, 3, 8_000),
    Budget("/classes", TEACHER, 3, 8_000),
    Budget("/people", OFFICE, 3, 12_000),
]


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_a_page_keeps_to_its_budget(town: Town, browsers: Browsers, budget: Budget) -> None:
    path = budget.path.format(**town.thing(MAIN, of="3B"))
    with browsers.of(MAIN, budget.name).stream("GET", path, headers={"accept-encoding": "zstd"}) as answer:
        size = sum(len(part) for part in answer.iter_raw())
    assert answer.status_code in (200, 303), answer.status_code
    assert town.installation.statements_of(answer.headers["x-request-id"]) <= budget.statements
    assert size <= budget.bytes


@pytest.mark.parametrize("path", ["/sign-in", "/health"])
def test_a_page_for_everybody_asks_the_database_nothing(town: Town, browsers: Browsers, path: str) -> None:
    answer = browsers.fresh(MAIN).get(path)
    assert answer.status_code == 200
    if "x-request-id" in answer.headers:
        assert town.installation.statements_of(answer.headers["x-request-id"]) == 0


def test_the_log_of_a_request_names_no_person(town: Town, browsers: Browsers) -> None:
    answer = browsers.of(MAIN, PUPIL).get("/?search=Noor")
    line = town.installation.log_of(answer.headers["x-request-id"])
    assert line["route"] == "/"
    assert "noor" not in json.dumps(line).lower()
