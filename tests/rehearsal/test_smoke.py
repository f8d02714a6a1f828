"""Each scenario is played for a few seconds with a handful of people: the whole way, and no judgement of speed."""

import json
from pathlib import Path

import pytest

from firstbell.rehearsal.scenarios import SCENARIOS
from tests.rehearsal.conftest import run

SHAPE = {
    "scenario", "edge", "capacity_rps", "limit_ratio", "phases", "known_device_success", "attacker_served_share",
    "waiting", "recovery_s", "errors", "acknowledged_lost", "duplicates",
}  # fmt: skip
PHASE = {"name", "offered_x", "goodput_rps", "goodput_ratio", "by_class"}
CLASS = {"offered", "served", "refused", "p50_ms", "p99_ms"}


BRIEF = "first-bell"
"""The scenario of the ordinary run; each finds the capacity first, and all seven would take most of its ten minutes."""


@pytest.mark.parametrize(
    "scenario", [name if name == BRIEF else pytest.param(name, marks=pytest.mark.long) for name in SCENARIOS]
)
def test_a_scenario_plays_through_and_tells_what_happened(scenario: str, tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "report.html"
    trial = ("--minutes", "0.05", "--people-per-second-max", "8", "--pupils", "12")
    ended = run("rehearse", scenario, *trial, "--json", str(figures), "--report", str(page))
    assert figures.exists(), ended.stdout + ended.stderr
    results = json.loads(figures.read_text())
    assert set(results) >= SHAPE
    assert [phase["name"] for phase in results["phases"]] == [phase.name for phase in SCENARIOS[scenario].phases]
    assert all(set(phase) >= PHASE and set(phase["by_class"]["P0"]) >= CLASS for phase in results["phases"])
    assert sum(figures["served"] for phase in results["phases"] for figures in phase["by_class"].values()) > 0
    assert results["acknowledged_lost"] == results["duplicates"] == 0
    assert ("missed" in ended.stdout) == (ended.returncode == 1)
    html = page.read_text()
    assert "<svg" in html
    assert "nothing is proved" in html
    assert "http" not in html.replace("http-equiv", "")


@pytest.mark.long
def test_a_scenario_plays_through_the_edge(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    trial = ("--minutes", "0.05", "--people-per-second-max", "8", "--pupils", "12")
    ended = run("rehearse", "attack", "--edge", *trial, "--json", str(figures))
    assert figures.exists(), ended.stdout + ended.stderr
    results = json.loads(figures.read_text())
    assert results["edge"] is True
    assert sum(figures["served"] for phase in results["phases"] for figures in phase["by_class"].values()) > 0
