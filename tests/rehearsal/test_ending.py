"""How a rehearsal ends before its time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from firstbell.cli.stage import clear_leftovers
from firstbell.kernel.engines import Engines
from firstbell.kernel.processes import birth_of

DEADLINE_S = 180.0
"""On a machine that has much else to do."""


def comes_true(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_rehearsal_that_is_told_to_end_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    rehearsal = subprocess.Popen(
        [sys.executable, "-m", "firstbell", "rehearse", "ordinary-day", "--pupils", "12"],
        env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert comes_true(lambda: list(tmp_path.glob("*/run/fill.json")))
        started = [json.loads(record.read_text())["pid"] for record in tmp_path.glob("*/run/*.json")]
        assert len(started) >= 3
    finally:
        rehearsal.send_signal(signal.SIGTERM)
        _, told = rehearsal.communicate(timeout=DEADLINE_S)
    assert rehearsal.returncode == 1
    assert told.strip() == "The rehearsal was ended before its time; nothing of it is left."
    assert not [pid for pid in started if birth_of(pid)]
    assert not list(tmp_path.iterdir())


def test_the_next_rehearsal_removes_what_a_killed_one_left_and_nothing_of_one_that_runs(tmp_path: Path) -> None:
    left, running = tmp_path / "firstbell-rehearsal-left", tmp_path / "firstbell-rehearsal-running"
    (left / "run").mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    record = {"pid": process.pid, "born": birth_of(process.pid), "signal": int(signal.SIGTERM)}
    (left / "run" / "serve.json").write_text(json.dumps(record))
    engines = Engines(running)
    engines.take()
    try:
        clear_leftovers(tmp_path)
        assert process.wait(DEADLINE_S) == -signal.SIGTERM
        assert not left.exists()
        assert running.exists()
    finally:
        process.kill()
        engines.stop()
