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
    return {key(message): f"{path}:{line}" for path, line, message, _comments, _context in found}


def key(message: object) -> str | tuple[str, ...]:
    """A message id, or singular and plural together."""
    return message if isinstance(message, str) else tuple(message)  # type: ignore[arg-type]


def forms(text: object) -> tuple[str, ...]:
    """One text, or one for each plural form."""
    return (text,) if isinstance(text, str) else tuple(text or ("",))  # type: ignore[arg-type]


def catalogue(language: str) -> Iterator[tuple[Path, Message]]:
    """Every entry of a language, and its file."""
    for path in sorted((PACKAGE / "locales" / language).glob("*.po")):
        with path.open("rb") as file:
            yield from ((path, message) for message in read_po(file, locale=language) if message.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    translated = {key(message.id): forms(message.string) for _path, message in catalogue(language)}
    missing = {message: place for message, place in used_messages().items() if not all(translated.get(message, ("",)))}
    assert not missing, f"not in locales/{language}: {missing}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over_or_unsure(language: str) -> None:
    used = used_messages()
    left = [
        f"{path.name}: {message.id!r}"
        for path, message in catalogue(language)
        if message.fuzzy or key(message.id) not in used
    ]
    assert not left


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_once(language: str) -> None:
    """The files are merged: of two translations of one message, nobody could say which is shown."""
    places = [(key(message.id), path.name) for path, message in catalogue(language)]
    ids = [message for message, _file in places]
    assert not [place for place in places if ids.count(place[0]) > 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_the_placeholders(language: str) -> None:
    wrong = []
    for path, message in catalogue(language):
        wanted, texts = _placeholders(forms(message.id)[-1]), forms(message.string)
        singular_is_right = _placeholders(texts[0]) <= wanted  # "one file" may leave its number out
        if not singular_is_right or _placeholders(texts[-1]) != wanted:
            wrong.append(f"{path.name}: {message.id}")
    assert not wrong


def _placeholders(text: str) -> set[str]:
    return {match[0] for match in PLACEHOLDER.finditer(text)}
