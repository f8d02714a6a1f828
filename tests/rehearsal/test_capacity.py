"""`firstbell capacity`: the plan on paper."""

import json
import re
from pathlib import Path

import firstbell
from tests.rehearsal.conftest import run

PACKAGE = Path(firstbell.__file__).parent
STEPS = (
    "today_pupil",
    "course",
    "document_open",
    "timetable_week",
    "session_refresh",
    "sign_in_page",
    "sign_in_password",
)


def needed(*arguments: str) -> tuple[int, ...]:
    ended = run("capacity", *arguments)
    assert ended.returncode == 0, ended.stderr
    last = ended.stdout.splitlines()[-1].replace(",", "")
    return tuple(int(number) for number in re.findall(r"\d+", last))


def costs(folder: Path, us: float) -> str:
    """A file in which each step costs so many microseconds in the web and in PostgreSQL, and 10 kB."""
    file = folder / f"{us}.json"
    step = {"app_cpu_us": us, "db_cpu_us": us, "bytes": 10_000, "p50_ms": 1}
    file.write_text(json.dumps({"steps": dict.fromkeys(STEPS, step), "pupils": 600}))
    return str(file)


def test_a_million_pupils_need_the_cells_nodes_and_lines_that_can_be_worked_out_by_hand(tmp_path: Path) -> None:
    # 3,264,000 persons are 22 cells. 1,140,000 pupils, 129,600 of 144,000 teachers and 576,000 of 1,920,000 parents,
    # half of them in 600 s, are 1,538 mornings a second, each of 6.1 steps: at 1 ms and 60 % busy 15.6 cores, which is
    # one node for each of the cells and one to spare. 6.1 times 10 kB are 0.488 Mbit.
    cells, nodes, database_cores, megabits = needed("--pupils", "1200000", "--costs", costs(tmp_path, 1_000))
    assert (cells, nodes, database_cores) == (22, 44, 44)
    assert megabits == 1_251


def test_dearer_pages_need_more_nodes_and_as_many_cells(tmp_path: Path) -> None:
    cells, nodes, *_ = needed("--pupils", "1200000", "--costs", costs(tmp_path, 1_000))
    dear_cells, dear_nodes, *_ = needed("--pupils", "1200000", "--costs", costs(tmp_path, 100_000))
    assert dear_cells == cells
    assert dear_nodes > nodes


def test_the_reasoning_names_what_it_rests_on(tmp_path: Path) -> None:
    told = run("capacity", "--pupils", "1200000", "--costs", costs(tmp_path, 1_000)).stdout
    assert "1,200,000 pupils" in told
    assert "1,538 mornings a second" in told
    assert "22 cells" in told


def test_without_figures_of_ones_own_the_plan_rests_on_ours_and_says_when_and_where_they_were_measured() -> None:
    told = run("capacity", "--pupils", "1200000").stdout
    ours = json.loads((PACKAGE / "rehearsal" / "costs.json").read_text())
    assert f"measured on {ours['measured_on']} on {ours['machine']}" in told
    assert "Cells: 22." in told


def test_figures_that_are_none_are_refused_with_a_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"steps": {}}')
    for file, reason in ((wrong, "has no figures for the step"), (tmp_path / "none.json", "cannot be read")):
        ended = run("capacity", "--pupils", "1000", "--costs", str(file))
        assert ended.returncode == 1
        assert reason in ended.stderr
