"""Each scenario is played for a few seconds with a handful of people: the whole way, and no judgement of speed."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from firstbell.rehearsal.scenarios import SCENARIOS
from tests.rehearsal.conftest import run

TRIAL = ("--minutes", "0.05", "--people-per-second-max", "8", "--pupils", "12")
LONGER = ("--minutes", "0.5", "--people-per-second-max", "20", "--pupils", "12")
SHAPE = {
    "scenario", "edge", "capacity_rps", "limit_ratio", "phases", "known_device_success", "attacker_served_share",
    "waiting", "recovery_s", "errors", "acknowledged_lost", "duplicates", "prices", "limit",
}  # fmt: skip
PHASE = {"name", "offered_x", "goodput_rps", "goodput_ratio", "by_class"}
CLASS = {"offered", "served", "refused", "p50_ms", "p99_ms"}


def check(name: str, results: dict[str, Any]) -> None:
    """The figures of a scenario have their shape, and nothing was lost."""
    assert set(results) >= SHAPE
    assert results["scenario"] == name
    assert [phase["name"] for phase in results["phases"]] == [phase.name for phase in SCENARIOS[name].phases]
    assert all(set(phase) >= PHASE and set(phase["by_class"]["P0"]) >= CLASS for phase in results["phases"])
    assert results["acknowledged_lost"] == results["duplicates"] == 0


def served(results: Iterable[dict[str, Any]]) -> int:
    """Steps of all classes and phases."""
    phases = [phase for of in results for phase in of["phases"]]
    return sum(figures["served"] for phase in phases for figures in phase["by_class"].values())


def test_all_scenarios_play_through_and_are_held_against_what_we_want_to_reach(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ended = run("bench", "--rehearse", *TRIAL, "--json", str(figures))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    whole = json.loads(figures.read_text())
    assert set(whole["rehearsals"]) == set(SCENARIOS)
    for name, results in whole["rehearsals"].items():
        check(name, results)
        assert results["prices"]["refused_kept_us"] > 0
        assert results["prices"]["refused_new_us"] > 0
    assert served(whole["rehearsals"].values()) > 0
    wanted = {(name, bar.sentence) for name in SCENARIOS for bar in SCENARIOS[name].bars_of(edge=False)}
    told = {(row["scenario"], row["bar"]) for row in whole["to_reach"]}
    assert told == {("gate", "CPU added to an admitted request, us"), *wanted}


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_plays_through_and_tells_what_happened(scenario: str, tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "report.html"
    ended = run("rehearse", scenario, *LONGER, "--json", str(figures), "--report", str(page))
    assert figures.exists(), ended.stdout + ended.stderr
    results = json.loads(figures.read_text())
    check(scenario, results)
    assert served([results]) > 0
    assert ("missed" in ended.stdout) == (ended.returncode == 1)
    html = page.read_text()
    assert "<svg" in html
    assert "Saying no has a price" in html
    assert "nothing is proved" in html
    assert "http" not in html.replace("http-equiv", "")


@pytest.mark.long
def test_a_scenario_plays_through_the_edge(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ended = run("rehearse", "attack", "--edge", *TRIAL, "--json", str(figures))
    assert figures.exists(), ended.stdout + ended.stderr
    results = json.loads(figures.read_text())
    assert results["edge"] is True
    check("attack", results)
    assert served([results]) > 0
