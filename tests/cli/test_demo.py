"""`firstbell demo`: from nothing to a school that somebody can use, and back after anything that ends it."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from firstbell.cli.demo import Guest, read_demo_school
from firstbell.kernel.engines import running_addresses
from tests.cli.conftest import Demo, Start, alive, children_of
from tests.conftest import wait_until


def sign_in(demo: Demo, guest: Guest) -> httpx.Response:
    """The first page of somebody who signs in at the host that the demo names."""
    with httpx.Client(base_url=demo.address, headers={"host": f"{guest.host}:{demo.port}"}, timeout=30) as browser:
        browser.post("/sign-in", data={"name": guest.sign_in_name, "password": guest.password, "next": "/"})
        return browser.get("/", headers={"accept": "text/html"})


def test_a_demo_fills_two_schools_and_tells_who_can_sign_in(start: Start, filled: Path) -> None:
    demo = start(filled, "--pupils", "12").until_ready()
    assert f"Firstbell is ready at http://localhost:{demo.port}\n" in demo.text
    known = read_demo_school(filled)
    assert known is not None and {guest.role for guest in known.guests} >= {"pupil", "teacher", "parent", "head", "ict"}
    for guest in known.guests:
        assert guest.sign_in_name in demo.text and f"http://{guest.host}:{demo.port}" in demo.text
        page = sign_in(demo, guest)
        assert page.status_code == 200 and guest.name.split()[0] in page.text
    demo.stop()


def test_a_second_start_finds_the_school_again_and_commands_find_the_demo(start: Start, filled: Path) -> None:
    if read_demo_school(filled) is None:
        start(filled, "--pupils", "12").until_ready().stop()
    again = start(filled).until_ready()
    assert "Inventing" not in again.text and "noor.vermeulen" in again.text
    assert "sint-jozef" in firstbell(filled, "school", "list").stdout
    again.stop()
    assert_refuses(start(filled, "--pupils", "13"), "holds a school already")


@pytest.mark.parametrize("words", ["bin/postgres -D", "nats-server", "firstbell serve", "firstbell work"])
def test_what_is_killed_while_it_runs_is_started_again(running: Demo, words: str) -> None:
    killed = running.pid_of(words)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: running.pid_of(words) not in (None, killed) and running.is_ready())


def test_a_killed_worker_is_replaced(running: Demo) -> None:
    parent = running.pid_of("firstbell serve")
    assert parent is not None
    (killed,) = children_of(parent)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not alive(killed) and running.is_ready())


def test_nothing_outlives_a_killed_demo_and_the_next_one_recovers(start: Start, tmp_path: Path) -> None:
    demo = start(tmp_path, "--empty").until_ready()
    demo.process.kill()
    demo.process.wait(60)
    wait_until(lambda: not [pid for pid in demo.pids if alive(pid)])

    demo = start(tmp_path, "--empty", port=demo.port).until_ready()
    for pid in (demo.process.pid, *demo.pids):
        with suppress(ProcessLookupError):  # postgres ends its own at once
            os.kill(pid, signal.SIGKILL)
    demo.process.wait(60)

    demo = start(tmp_path, "--empty", port=demo.port).until_ready()
    assert demo.stop() == 0
    assert not [pid for pid in demo.pids if alive(pid)]
    assert demo.text.endswith("Firstbell has ended.\n")


@pytest.mark.long
def test_a_filling_that_was_killed_begins_anew(start: Start, tmp_path: Path) -> None:
    demo = start(tmp_path, "--pupils", "12")
    wait_until(lambda: "making" in demo.text, 120)
    demo.process.kill()
    demo.process.wait(60)
    again = start(tmp_path, "--pupils", "12").until_ready()
    assert "Inventing" in again.text


def assert_refuses(demo: Demo, words: str) -> None:
    """It ends by itself with one sentence, leaves nothing running, and is not content."""
    assert demo.process.wait(90) == 1, demo.text
    sentence = demo.text.strip().splitlines()[-1]
    assert words in sentence and "Traceback" not in demo.text


def test_a_taken_port_is_one_sentence(start: Start, running: Demo, tmp_path: Path) -> None:
    assert_refuses(start(tmp_path, "--empty", port=running.port), f"Port {running.port} on 127.0.0.1 cannot be used")
    assert running.is_ready()


def test_a_folder_in_use_is_one_sentence(start: Start, running: Demo) -> None:
    assert_refuses(start(running.folder, "--empty"), f"in use by process {running.process.pid}")
    assert running.is_ready()


def test_a_folder_of_a_newer_firstbell_is_one_sentence(start: Start, tmp_path: Path) -> None:
    demo = start(tmp_path, "--empty").until_ready()
    asyncio.run(pretend_later_migration(tmp_path))
    demo.stop()
    assert_refuses(start(tmp_path, "--empty"), "of a newer Firstbell")


async def pretend_later_migration(folder: Path) -> None:
    addresses = running_addresses(folder)
    assert addresses is not None
    connection = await asyncpg.connect(addresses.database_url("firstbell_owner"))
    await connection.execute("INSERT INTO migration (name, sha256) VALUES ('9999_later', '')")
    await connection.close()


def test_a_full_disk_is_one_sentence(start: Start, tmp_path: Path) -> None:
    assert_refuses(start(tmp_path, "--empty", limit_kb=1_000), "PostgreSQL cannot make its files")
    assert not (tmp_path / "postgres").exists()


def test_a_data_folder_that_cannot_be_made_is_one_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refuses(start(tmp_path / "file/data", "--empty"), "cannot be used")


def test_commands_without_a_database_say_what_to_do(tmp_path: Path) -> None:
    done = firstbell(tmp_path, "serve")
    assert done.returncode == 1 and "Nothing runs on the data folder" in done.stderr


def firstbell(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firstbell", *arguments],
        env={**os.environ, "FIRSTBELL_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
