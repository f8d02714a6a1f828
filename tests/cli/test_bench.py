"""`firstbell bench`: plays the whole morning on a world of two classes, and writes what others compare."""

import json
import subprocess
import sys
from pathlib import Path

STEPS = {
    "session_refresh",
    "today_pupil",
    "today_teacher",
    "course",
    "document_open",
    "timetable_week",
    "sign_in_page",
    "sign_in_password",
}
FIGURES = {"app_cpu_us", "db_cpu_us", "p50_ms", "p95_ms", "statements", "bytes"}


def test_the_bench_plays_a_morning_and_writes_what_each_step_cost(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    options = [f"--cache={tmp_path / 'cache'}", f"--json={written}"]
    played = subprocess.run(
        [sys.executable, "-m", "firstbell", "bench", "--pupils=24", "--rounds=8", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    figures = json.loads(written.read_text())
    assert figures.keys() == {"steps", "pupils", "memory_mb", "measured_on", "machine"}
    assert figures["pupils"] == 24
    assert figures["memory_mb"] > 0
    assert figures["steps"].keys() == STEPS
    for step in figures["steps"].values():
        assert step.keys() == FIGURES
        assert step["app_cpu_us"] > 0
    assert figures["steps"]["document_open"]["bytes"] > 100_000
    assert figures["steps"]["sign_in_page"]["statements"] == 0
    assert "today_pupil" in played.stdout
