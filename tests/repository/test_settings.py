"""Every knob can be read about."""

from dataclasses import fields
from pathlib import Path

from firstbell.cli.settings import settings_table
from firstbell.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_has_a_unit_and_a_reason() -> None:
    assert not [knob.name for knob in fields(Settings) if not (knob.metadata["unit"] and knob.metadata["why"])]


def test_the_documented_settings_are_the_settings() -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    assert settings_table() in documented, "docs/settings.md is out of date: paste what `firstbell settings` prints"
