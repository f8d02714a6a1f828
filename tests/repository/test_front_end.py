"""What the styles and templates promise to every reader."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOKENS = (ROOT / "web/styles/tokens.css").read_text()
TEMPLATES = sorted((ROOT / "src/firstbell").rglob("templates/*.html"))

TEXT = 4.5
"""WCAG 2.2 AA, 1.4.3: contrast of text."""
SHAPE = 3.0
"""WCAG 2.2 AA, 1.4.11: contrast of what is not text but must be seen."""

GROUNDS = ("paper", "sheet", "sunk")
HUES = tuple(f"hue-{number}" for number in range(8))
PAIRS = [
    *(("ink", ground, TEXT) for ground in (*GROUNDS, "rule", "bell-wash", "ok-wash", "due-wash")),
    *(("ink-2", ground, TEXT) for ground in (*GROUNDS, "bell-wash")),
    *(("due", ground, TEXT) for ground in (*GROUNDS, "due-wash", "bell-wash")),
    *(("ok", ground, TEXT) for ground in (*GROUNDS, "ok-wash")),
    *(("link", ground, TEXT) for ground in GROUNDS),
    *(("on-bell", ground, TEXT) for ground in ("bell", "bell-over")),
    *(("paper", ground, TEXT) for ground in ("ink", *HUES)),
    ("bell-ink", "bell-wash", TEXT),
    ("sheet", "due", TEXT),
    *(("edge", ground, SHAPE) for ground in ("paper", "sheet")),
    *(("focus", ground, SHAPE) for ground in GROUNDS),
    *((hue, ground, SHAPE) for hue in HUES for ground in GROUNDS),
]


def read_colours() -> dict[str, tuple[str, str]]:
    """Each colour by day and by night."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", TOKENS)
    fixed = re.findall(r"--([\w-]+): (#\w{6});", TOKENS)
    return {name: (day, night) for name, day, night in pairs} | {name: (both, both) for name, both in fixed}


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1, as WCAG 2.2 defines it."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["day", "night"])
def test_every_pair_of_colours_stays_legible(theme: int) -> None:
    colours = read_colours()
    faint = {
        f"{front} on {ground}": round(contrast(colours[front][theme], colours[ground][theme]), 2)
        for front, ground, least in PAIRS
        if contrast(colours[front][theme], colours[ground][theme]) < least
    }
    assert not faint


def test_every_icon_in_a_template_is_in_the_sprite() -> None:
    known = set(re.findall(r'^  "([a-z0-9-]+)",$', (ROOT / "web/icons.ts").read_text(), re.MULTILINE))
    named = r"""(?:\bicon\(|icon_name=|\bempty\()["']([a-z0-9-]+)["']"""
    missing = {
        f"{path.name}: {icon}"
        for path in TEMPLATES
        for icon in re.findall(named, path.read_text())
        if icon not in known
    }
    assert not missing
