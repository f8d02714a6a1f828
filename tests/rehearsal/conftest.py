"""The command line, as whoever rehearses uses it."""

import subprocess
import sys


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `firstbell ARGUMENTS`."""
    return subprocess.run(
        [sys.executable, "-m", "firstbell", *arguments], capture_output=True, text=True, check=False, timeout=300
    )
