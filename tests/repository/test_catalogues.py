"""Dutch and French are complete: whoever adds a sentence adds it in all three languages."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

PACKAGE = Path(__file__).parents[2] / "src/firstbell"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None, "mark_plural": (1, 2)}
LANGUAGES = ("nl", "fr")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}")


@cache
def used_messages() -> dict[str | tuple[str, ...], str]:
    """Every message in code and templates, and where it stands."""
    found = extract_from_dir(
        PACKAGE,
        method_map=METHODS,
        options_map={"**/templates/**.html": {"trimmed": "true", "silent": "false"}},
        keywords=KEYWORDS,
    )
    return {
        tuple(message) if isinstance(message, (list, tuple)) else message: f"{path}:{line}"
        for path, line, message, _comments, _context in found
    }


def catalogue(language: str) -> Iterator[tuple[Path, Message]]:
    """Every entry of a language, and its file."""
    for path in sorted((PACKAGE / "locales" / language).glob("*.po")):
        with path.open("rb") as file:
            yield from ((path, message) for message in read_po(file, locale=language) if message.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    translated = {
        message.id if isinstance(message.id, str) else tuple(message.id): message.string
        for _path, message in catalogue(language)
    }
    missing = {
        message: place
        for message, place in used_messages().items()
        if not all([translated.get(message, "")] if isinstance(message, str) else translated.get(message, [""]))
    }
    assert not missing, f"not in locales/{language}: {missing}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over_or_unsure(language: str) -> None:
    used = used_messages()
    left = [
        f"{path.name}: {message.id!r}"
        for path, message in catalogue(language)
        if message.fuzzy or (message.id if isinstance(message.id, str) else tuple(message.id)) not in used
    ]
    assert not left


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_once(language: str) -> None:
    seen: dict[str, Path] = {}
    twice = []
    for path, message in catalogue(language):
        key = str(message.id)
        if key in seen:
            twice.append(f"{key} in {seen[key].name} and {path.name}")
        seen[key] = path
    assert not twice


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_the_placeholders(language: str) -> None:
    wrong = []
    for path, message in catalogue(language):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = _placeholders(ids[-1])
        wrong.extend(f"{path.name}: {text}" for text in texts if not _placeholders(text) <= wanted)
        wrong.extend(f"{path.name}: {texts[-1]}" for _ in [0] if _placeholders(texts[-1]) != wanted)
    assert not wrong


def _placeholders(text: str) -> set[str]:
    return {match[0] for match in PLACEHOLDER.finditer(text)}
