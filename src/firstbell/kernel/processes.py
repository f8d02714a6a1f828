"""Processes that we start: tied to us while we live, recognised and ended by the next start when we were killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firstbell.kernel import launch

END_SECONDS = 20.0
"""How long a process may take to end by itself: a checkpoint of PostgreSQL on a slow disk, requests in flight."""


@dataclass(slots=True)
class Child:
    """A process that we started. Its record in the run folder lets the next start recognise it."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    record: Path

    @property
    def is_running(self) -> bool:
        """False once it has ended, for whatever reason."""
        return self.process.poll() is None

    def stop(self, seconds: float = END_SECONDS) -> None:
        """Ask it to end, and insist when it does not."""
        with suppress(ProcessLookupError):
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.record.unlink(missing_ok=True)


def start_child(
    name: str,
    command: Sequence[str],
    *,
    run: Path,
    environment: Mapping[str, str],
    log: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    user: tuple[int, int] | None = None,
) -> Child:
    """Start `command`, to end with us; its record goes to the folder `run`, its words to `log` (ours when None).

    It gets a session of its own, so that Ctrl-C reaches us alone and we end everything in order. Called from the main
    thread only: the tie is to the thread.
    """
    uid, gid = ("-", "-") if user is None else map(str, user)
    tie = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(int(stop_signal)), uid, gid]
    output = None if log is None else log.open("ab")
    try:
        process = subprocess.Popen(
            [*tie, *command], env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    finally:
        if output is not None:
            output.close()
    record = run / f"{name}.json"
    record.write_text(json.dumps({"pid": process.pid, "born": birth_of(process.pid), "signal": int(stop_signal)}))
    return Child(name, process, stop_signal, record)


def end_leftovers(run: Path, seconds: float = END_SECONDS) -> None:
    """End what a killed predecessor left running, by the records in `run`; not what got its number since."""
    for record in sorted(run.glob("*.json")):
        with suppress(ValueError, KeyError, TypeError):
            left = json.loads(record.read_text())
            _end(int(left["pid"]), str(left["born"]), signal.Signals(left["signal"]), seconds)
        record.unlink(missing_ok=True)


def birth_of(pid: int) -> str:
    """What tells this process from any other that had or will have its number; "" when it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "" if sys.platform == "linux" else _birth_by_ps(pid)
    # Behind the name, which may hold anything: state first, the start in ticks since the machine's own 20th.
    state, *fields = stat.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "" if state in "ZX" else f"{boot} {fields[18]}"


def _birth_by_ps(pid: int) -> str:
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def _end(pid: int, born: str, number: signal.Signals, seconds: float) -> None:
    if not born or birth_of(pid) != born:
        return
    for sent, patience in ((number, seconds), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.kill(pid, sent)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if birth_of(pid) != born:
                return
            time.sleep(0.05)
