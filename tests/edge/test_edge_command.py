"""`firstbell edge` between the real gate and the real HAProxy."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Installation, wait_until
from tests.edge.conftest import Front


@pytest.fixture
def told(installation: Installation, server: str, front: Front) -> Iterator[subprocess.Popen[str]]:
    """`firstbell edge`, which asks the server and tells HAProxy."""
    with subprocess.Popen(
        [sys.executable, "-m", "firstbell", "edge", "--cell", f"cell1={server}"],
        env={**installation.environment(), **front.process.environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_the_edge_is_told_each_second_and_ends_when_asked(told: subprocess.Popen[str], front: Front) -> None:
    def entries() -> dict[str, str]:
        shown = front.command(f"show map {front.process.maps / 'gate.map'}")
        return {line.split()[1]: line.split()[2] for line in shown.splitlines() if line}

    # The tests' morning is not today; a gate that has just begun says so after its first second.
    wait_until(lambda: entries().get("clock/cell1", "0") != "0")
    first = entries()
    wait_until(lambda: int(entries()["written/cell1"]) >= int(first["written/cell1"]) + 2)
    told.send_signal(signal.SIGTERM)
    assert told.wait(60) == 0
    assert told.stderr
    said = told.stderr.read()
    assert "told 0 levels, 0 lines" in said
    assert "edge ended" in said


def test_a_socket_that_is_not_there_is_named_in_one_sentence(installation: Installation, tmp_path: Path) -> None:
    ended = installation.run("edge", "--socket", str(tmp_path / "none.sock"))
    assert ended.returncode == 1
    assert ended.stderr == (
        f"HAProxy has no socket at {tmp_path / 'none.sock'}: start it first, or name its socket with --socket.\n"
    )


def test_a_folder_without_maps_is_named_in_one_sentence(
    installation: Installation, haproxy: Front, tmp_path: Path
) -> None:
    ended = installation.run("edge", "--socket", str(haproxy.process.socket), "--maps", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == f"There is no cells.map in {tmp_path}: name the folder of HAProxy's maps with --maps.\n"


def test_a_cell_without_an_address_is_named_in_one_sentence(installation: Installation) -> None:
    ended = installation.run("edge", "--cell", "cell1")
    assert (ended.returncode, ended.stderr) == (1, "'cell1' is not NAME=URL, such as cell1=http://127.0.0.1:8300.\n")
