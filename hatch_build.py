"""Hatchling's hook: every build, an editable one too, first brings the front end up to date."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from build_assets import build_assets


class BuildAssets(BuildHookInterface[Any]):
    """Build the front end before the files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called once for each target, with the files not yet listed."""
        build_assets()
