"""Make the storage of a folder slow for a while: `python slow_storage.py PARENT FOLDER SECONDS`.

The documents are thrown out of the kernel's memory again and again, so that each reading goes to the disk; and there
it queues behind somebody who writes as fast as the disk takes it and waits for every megabyte. Ends with its parent.
"""

import os
import sys
import time
from pathlib import Path

WRITTEN_BYTES = 64_000_000
BLOCK_BYTES = 1_000_000
FORGET_EVERY_S = 0.1


def forget(folder: Path) -> int:
    """Throw the bytes of all files below `folder` out of memory; how many files there were."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        try:
            opened = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(opened)
    return len(files)


def main(parent: str, folder: str, seconds: str) -> None:
    """Write, sync and forget until the time is over or whoever started this has gone."""
    until, forget_at = time.monotonic() + float(seconds), 0.0
    written = Path(folder) / "slow"
    block = os.urandom(BLOCK_BYTES)
    with written.open("wb", buffering=0) as file:
        written.unlink()  # nothing stays behind, however this ends
        while (now := time.monotonic()) < until and os.getppid() == int(parent):
            if now >= forget_at:
                forget(Path(folder) / "blobs")
                forget_at = now + FORGET_EVERY_S
            if file.tell() >= WRITTEN_BYTES:
                file.seek(0)
            file.write(block)
            os.fsync(file.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
