"""What pages leave out while it is busy: what that saves, and that they say so."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from firstbell.kernel.engines import free_port
from tests.budgets.test_pages import HEAD, ICT, MAIN, PARENT, PUPIL, TEACHER
from tests.conftest import Browsers, Town, wait_until

LEVELS = range(4)


@dataclass(frozen=True)
class Worker:
    """A server on which it is as busy as a level says, and which keeps nothing for others."""

    address: str
    log: Path
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def workers(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    """One for each level, from 0 on; they start together."""
    folder = tmp_path_factory.mktemp("levels")
    started = [_start(town, level, folder / str(level)) for level in LEVELS]
    try:
        wait_until(lambda: all(httpx.get(f"{worker.address}/ready").status_code == 200 for worker in started))
        yield started
    finally:
        for worker in started:
            worker.process.terminate()
        for worker in started:
            worker.process.wait(20)


def _start(town: Town, level: int, folder: Path) -> Worker:
    folder.mkdir()
    port, log = free_port(), folder / "log"
    settings = {"shared_seconds": "0", "gate_brownout_min": str(level), "data_dir": str(folder)}
    environment = town.installation.environment(port=str(port), **settings)
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", "firstbell", "serve"], env=environment, stderr=errors)
    return Worker(f"http://127.0.0.1:{port}", log, process)


PAGES: list[tuple[str, str, dict[int, str]]] = [
    ("/", PUPIL, {1: "wat nieuw is"}),
    ("/", TEACHER, {2: "je vakken"}),
    ("/", PARENT, {}),
    (
        "/",
        HEAD,
        {1: "de aantallen leerlingen, leraren en ouders", 2: "welke lessen bezig zijn", 3: "het aantal lessen"},
    ),
    ("/", ICT, {1: "het aantal aangemelde browsers", 2: "welke lessen bezig zijn", 3: "het aantal lessen"}),
    ("/timetable", PUPIL, {}),
    ("/courses", HEAD, {2: "de lijst van alle vakken"}),
    ("/courses/{course_id}", PUPIL, {2: "de mensen van het vak", 3: "wat er volgt"}),
    ("/courses/{course_id}/documents/{document_id}", PUPIL, {1: "wat voor en na dit document staat"}),
]


def status_line(page: str) -> str:
    """What a page says of how things stand, "" when it says nothing."""
    found = re.search(r'<p class="notice busy" role="status">.*?<span>(.*?)</span>', page)
    return found[1] if found else ""


@pytest.mark.parametrize("tried", PAGES, ids=str)
def test_each_level_leaves_out_a_part_with_its_statement_and_says_so(
    town: Town, browsers: Browsers, workers: list[Worker], tried: tuple[str, str, dict[int, str]]
) -> None:
    path, name, parts = tried
    href = path.format(**town.thing(MAIN, of="3B"))
    asked = []
    for level, worker in enumerate(workers):
        answer = browsers.of(MAIN, name).get(f"{worker.address}{href}")
        assert answer.status_code == 200
        said = status_line(answer.text)
        assert ("Het is druk" in said) == (level > 0)
        for since, part in parts.items():
            assert (part in said) == (level >= since), f"level {level}: {part}"
        asked.append(town.installation.log_of(answer.headers["x-request-id"], worker.log)["statements"])
    for level in LEVELS[1:]:
        assert (asked[level] < asked[level - 1]) == (level in parts), f"statements by level: {asked}"


def test_folders_stay_without_what_is_in_them(town: Town, browsers: Browsers, workers: list[Worker]) -> None:
    href = "/courses/{course_id}".format(**town.thing(MAIN, of="3B"))
    for level, worker in enumerate(workers):
        page = browsers.of(MAIN, PUPIL).get(f"{worker.address}{href}").text
        assert f'href="{href}/folders/' in page
        assert ("wat er in de mappen zit" in status_line(page)) == (level > 1)


def test_a_course_is_still_found_by_its_name(browsers: Browsers, workers: list[Worker]) -> None:
    page = browsers.of(MAIN, HEAD).get(f"{workers[3].address}/courses", params={"search": "wiskunde"})
    assert "Wiskunde" in page.text


def test_the_level_stands_in_the_metrics(workers: list[Worker]) -> None:
    line = 'firstbell_gate_state{what="brownout"} 2.0'
    wait_until(lambda: line in httpx.get(f"{workers[2].address}/metrics").text)
