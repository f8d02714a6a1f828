"""What a fault does to an installation."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from firstbell.rehearsal import slow_storage
from firstbell.rehearsal.faults import Breaker
from firstbell.rehearsal.scenarios.scenario import Fault

DEADLINE_S = 20.0


def is_in_memory(file: Path) -> bool:
    """True when a reading needs no disk: one that must not wait gets its bytes."""
    with file.open("rb") as opened:
        try:
            return bool(os.preadv(opened.fileno(), [bytearray(4_096)], 0, os.RWF_NOWAIT))
        except BlockingIOError:
            return False


def comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def a_blob(folder: Path) -> Path:
    """A document that was stored and has been read since."""
    blob = folder / "blobs" / "school" / "ab"
    blob.parent.mkdir(parents=True)
    with blob.open("wb") as file:
        file.write(os.urandom(200_000))
        os.fsync(file.fileno())
    blob.read_bytes()
    return blob


def test_while_the_storage_is_slow_documents_come_from_the_disk(tmp_path: Path) -> None:
    blob = a_blob(tmp_path)
    assert is_in_memory(blob)
    breaker = Breaker(tmp_path)
    breaker.break_down(Fault.STORAGE_SLOW, {})
    try:
        assert comes_true(lambda: not is_in_memory(blob))
        blob.read_bytes()
        assert comes_true(lambda: not is_in_memory(blob)), "one reading brings it back for a moment only"
    finally:
        breaker.mend()
    blob.read_bytes()
    assert is_in_memory(blob)


def test_slow_storage_ends_with_whoever_made_it_slow_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    nobody = "1"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", slow_storage.__file__, nobody, str(tmp_path), "600"], check=True, timeout=60
    )
    assert ended.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["blobs"]


def test_a_worker_that_is_killed_is_a_child_of_the_web_alone(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    web = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; print(subprocess.Popen({sleep!r}).wait(), flush=True)"],
        stdout=subprocess.PIPE,
    )
    bystander = subprocess.Popen(sleep)
    try:
        assert comes_true(lambda: has_child(web.pid))
        Breaker(tmp_path).break_down(Fault.WORKER_KILLED, {"serve": web.pid})
        assert web.stdout is not None
        assert web.stdout.read() == b"-9\n"
        assert bystander.poll() is None
    finally:
        for process in (web, bystander):
            process.kill()
            process.wait()
        if web.stdout is not None:
            web.stdout.close()


def has_child(pid: int) -> bool:
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
