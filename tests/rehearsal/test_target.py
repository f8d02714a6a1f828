"""At what a rehearsal may be aimed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from firstbell.rehearsal.load.player import Player
from tests.conftest import Town
from tests.rehearsal.conftest import run

ELSEWHERE = "192.0.2.7:8300"
"""RFC 5737: an address for examples, which nobody has."""


@pytest.fixture
def cast(tmp_path: Path) -> str:
    """A pupil on a device, as the cast has them."""
    file = tmp_path / "cast.jsonl"
    noor = Player(
        role="pupil",
        host="localhost",
        sign_in_name="noor",
        password="",
        source="",
        cookies={"device": "a", "refresh": "b"},
    )
    file.write_bytes(msgspec.json.encode(noor) + b"\n")
    return str(file)


@pytest.mark.parametrize("again", [(), ("--target-again", "192.0.2.8:8300")])
def test_a_rehearsal_refuses_to_aim_at_another_machine_unless_told_its_name_twice(
    cast: str, again: tuple[str, ...]
) -> None:
    ended = run("rehearse", "ordinary-day", "--target", ELSEWHERE, *again, "--cast", cast)
    assert ended.returncode == 1
    assert f"--target-again {ELSEWHERE}" in ended.stderr


def test_without_a_cast_nobody_comes_to_another_installation() -> None:
    ended = run("rehearse", "ordinary-day", "--target", "127.0.0.1:8300")
    assert ended.returncode == 1
    assert "firstbell cast" in ended.stderr


def test_nothing_is_broken_in_an_installation_that_is_not_our_own(cast: str) -> None:
    ended = run("rehearse", "faults", "--target", "127.0.0.1:8300", "--cast", cast)
    assert ended.returncode == 1
    assert "breaks things" in ended.stderr


@pytest.mark.long
def test_a_rehearsal_plays_on_an_installation_that_runs_with_a_cast_made_there(
    town: Town, server: str, tmp_path: Path
) -> None:
    cast, figures = tmp_path / "cast.jsonl", tmp_path / "figures.json"
    address = server.removeprefix("http://")
    made = town.installation.run("cast", str(cast))
    assert made.returncode == 0, made.stderr
    assert cast.stat().st_mode & 0o077 == 0, "whoever has it is signed in as everybody"
    ended = subprocess.run(
        [sys.executable, "-m", "firstbell", "rehearse", "ordinary-day", "--minutes", "0.15",
         "--people-per-second-max", "40", "--target", address, "--cast", str(cast),
         "--json", str(figures)],
        env=dict(os.environ), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert figures.exists(), ended.stdout + ended.stderr
    results = json.loads(figures.read_text())
    assert results["prices"] is None
    assert sum(of["served"] for phase in results["phases"] for of in phase["by_class"].values()) > 0
