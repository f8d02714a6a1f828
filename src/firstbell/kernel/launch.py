"""Become another program that ends when its parent does: `python launch.py PARENT SIGNAL UID GID PROGRAM ...`.

A program that is started this way is the parent's own child, in the same process: nothing stays in between. UID and GID
are numbers, or `-` for the present user; PostgreSQL refuses to run as root.
"""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1
_SET_TIMER_SLACK = 29
_EXACTLY_NS = 1_000
_SET_KEEP_CAPABILITIES = 8
_SET_SECURE_BITS = 28
_NO_SETUID_FIXUP = 4
_AMBIENT_CAPABILITIES = 47
_RAISE = 2
_DAC_OVERRIDE = 1
_CAPABILITY_VERSION = 0x20080522


def end_with_parent(number: int, parent: int) -> None:
    """Have signal `number` sent to this process when the thread that started it ends. Linux only; see prctl(2).

    Raises:
        SystemExit: the process `parent` that started it has ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, number, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def sleep_exactly() -> None:
    """Have this thread wake within a microsecond of when it wants to, instead of 50. Linux only; see prctl(2)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_TIMER_SLACK, _EXACTLY_NS, 0, 0, 0)


def take_turns() -> None:
    """Let this thread, and those that it starts from now on, not interrupt whoever works when they wake. Linux only.

    The threads of a web server wake one another for every request. On a busy core each interruption costs two changes
    of thread and a fight for the interpreter; who waits for the other to finish finds several requests at once.
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def give_way(name: str, steps: int) -> None:
    """Make the threads of this process whose name begins with `name` nicer by `steps`. Linux only; see nice(2).

    On a busy core they come later then, and what they hand over comes in larger pieces.
    """
    if sys.platform == "linux":
        for task in Path("/proc/self/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
                if (task / "comm").read_text().startswith(name):
                    thread = int(task.name)
                    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + steps)


def _become(uid: int, gid: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_SET_KEEP_CAPABILITIES, 1, 0, 0, 0)
        # Or access(2), by which initdb looks for its postgres, would ask as if the capability were not there.
        libc.prctl(_SET_SECURE_BITS, _NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if sys.platform == "linux":
        _keep_reach()


def _keep_reach() -> None:
    """Keep the one capability by which the new user still passes the folders above ours, such as /root.

    Where root lacks it, nothing is kept, and what cannot be reached is reported by the program itself.
    """
    libc = ctypes.CDLL(None)
    wanted = 1 << _DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    # Twice effective, permitted, inheritable: the lower 32 capabilities, then the upper.
    sets = (ctypes.c_uint32 * 6)(wanted, wanted, wanted, 0, 0, 0)
    if libc.capset(header, sets) == 0:
        libc.prctl(_AMBIENT_CAPABILITIES, _RAISE, _DAC_OVERRIDE, 0, 0)


def main(parent: str, number: str, uid: str, gid: str, *command: str) -> None:
    """Change the user, tie this process to its parent, and become `command`."""
    if uid != "-":
        _become(int(uid), int(gid))
    # After the change of user, which forgets it.
    end_with_parent(int(number), int(parent))
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
