"""The embedded engines take a data folder, and never harm what is not theirs."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firstbell.kernel.engines import EngineError, Engines, running_addresses
from firstbell.kernel.processes import birth_of, end_leftovers


@contextmanager
def started(folder: Path) -> Iterator[Engines]:
    engines = Engines(folder)
    engines.take()
    engines.start()
    try:
        yield engines
    finally:
        engines.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder on which engines ran before."""
    made = tmp_path_factory.mktemp("engines")
    with started(made):
        pass
    return made


def test_others_find_running_engines_and_no_others(folder: Path) -> None:
    with started(folder) as engines:
        assert running_addresses(folder) == engines.addresses
    assert running_addresses(folder) is None


def test_nobody_else_of_the_machine_may_read_what_the_folder_keeps(tmp_path: Path) -> None:
    with started(tmp_path / "data") as engines:
        for path in (engines.folder, engines.run, engines.run / "nats.conf", engines.run / "addresses"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_folder_in_use_is_refused(folder: Path) -> None:
    with started(folder), pytest.raises(EngineError, match=f"in use by process {os.getpid()}"):
        Engines(folder).take()


def test_a_folder_of_another_postgresql_is_refused(folder: Path) -> None:
    version = folder / "postgres/PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(EngineError, match="is of PostgreSQL 17 and this Firstbell has 18"), started(folder):
            pass
    finally:
        version.write_text("18\n")


def test_a_process_that_got_the_number_of_postgresql_does_not_keep_it_from_starting(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (folder / "postgres/postmaster.pid").write_text(f"{other.pid}\n")
        with started(folder):
            assert other.poll() is None
        other.kill()


def test_only_the_very_process_of_a_record_is_ended(tmp_path: Path) -> None:
    """A number is given again; the moment at which its process began is not."""
    with subprocess.Popen(["sleep", "60"]) as other, subprocess.Popen(["sleep", "60"]) as ours:
        for name, pid, born in (("a", other.pid, "before"), ("b", ours.pid, birth_of(ours.pid))):
            (tmp_path / f"{name}.json").write_text(json.dumps({"pid": pid, "born": born, "signal": 15}))
        end_leftovers(tmp_path)
        assert other.poll() is None and ours.wait(30) == -15
        assert not list(tmp_path.iterdir())
        other.kill()


def test_a_postgresql_that_somebody_else_started_on_the_folder_is_left_alone(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=folder / "postgres") as other:
        (folder / "postgres/postmaster.pid").write_text(f"{other.pid}\n")
        with pytest.raises(EngineError, match=f"Another PostgreSQL, process {other.pid}"), started(folder):
            pass
        assert other.poll() is None
        other.kill()
    (folder / "postgres/postmaster.pid").unlink()


def test_a_folder_with_a_long_name_works(tmp_path: Path) -> None:
    """The path of a socket has at most 107 bytes."""
    with started(tmp_path / ("long" * 30)) as engines:
        sockets = Path(engines.addresses.sockets)
        assert (sockets / ".s.PGSQL.5432").is_socket() and stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.exists()


def test_files_that_an_interrupted_start_left_are_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.unfinished").mkdir()
    (tmp_path / "postgres.unfinished/PG_VERSION").write_text("18\n")
    with started(tmp_path):
        assert not (tmp_path / "postgres.unfinished").exists()
