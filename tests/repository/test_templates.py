"""What a template may hold: no styles or scripts of its own (the CSP refuses them), no words outside the catalogues."""

import re
from pathlib import Path

import pytest

from firstbell.kernel import i18n
from firstbell.kernel.html import compile_templates, environment

PACKAGE = Path(__file__).parents[2] / "src/firstbell"
TEMPLATES = sorted(PACKAGE.glob("**/templates/**/*.html"))

JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
TRANSLATED = re.compile(r"\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}", re.S)
COMMENT = re.compile(r"<!--.*?-->|<!doctype[^>]*>", re.S | re.I)
TAG = re.compile(r"<[^>]*>", re.S)
WORD = re.compile(r"[^\W\d_]{2,}")
NAMES = {"Firstbell"}
ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"|\brequired\b')
"""What a macro puts into a tag of its caller."""

SPOKEN_ATTRIBUTE = re.compile(r'\b(?:title|alt|placeholder|aria-label)="([^"]*)"')


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_template_is_compiled_before_a_worker_serves(locale: str) -> None:
    compile_templates(locale)
    assert len(environment(locale).list_templates()) == len(TEMPLATES)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_has_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style\b", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"""\s(?:style|on[a-z]+)\s*=\s*["']""", text)
    assert "javascript:" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_asks_nothing_of_other_sites(path: Path) -> None:
    assert not re.search(r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//""", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_has_no_words_outside_the_catalogues(path: Path) -> None:
    text = JINJA.sub("\0", TRANSLATED.sub("", path.read_text()))
    spoken = [*COMMENT.sub("", ATTRIBUTE.sub("", TAG.sub("\0", text))).split("\0"), *SPOKEN_ATTRIBUTE.findall(text)]
    words = {word for part in spoken for word in WORD.findall(part)} - NAMES
    assert not words, f"these words are for people: put them in _() and in the catalogues: {sorted(words)}"


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_never_marks_what_people_wrote_as_safe(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", path.read_text())
