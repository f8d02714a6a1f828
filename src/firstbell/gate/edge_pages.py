"""The pages that the edge itself gives: whole files, since HAProxy hands out nothing else, in all languages at once.

What HAProxy fills in stands in them as it writes it, such as `%[var(txn.retry_s)]`. It copies such a page letter by
letter, a fifth of what a refusal costs: those that a flood gets have nothing to fill in, and a header brings them back.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from firstbell.kernel import i18n
from firstbell.kernel.i18n import mark

HERE = Path(__file__).parent
LOCALES = ("nl", "fr", "en")
"""In the order of the page: the edge knows no school whose language it could speak."""

_WAIT = "%[var(txn.words)]"
_AROUND_MARK = re.compile(r" ?([{};,]) ?|(?<=:) ")
_FAR = mark("How far you are")


class _Page(NamedTuple):
    """What a page says; `refresh_s` after how many seconds it asks again by itself, `progress` done and whole."""

    title: str
    lines: tuple[str, ...]
    refresh_s: str = ""
    progress: tuple[str, str] | None = None


class _Part(NamedTuple):
    """The same in one language."""

    locale: str
    title: str
    lines: list[str]
    progress_label: str


_BUSY = mark("It is very busy at the moment.")
_BACK_SOON = mark("This page tries again by itself. What you handed in is safe.")
_PAGES = {
    "again": _Page(mark("One moment"), (_BUSY, _BACK_SOON)),
    "away": _Page(
        mark("The school cannot be reached just now"),
        (mark("We are working on it."), _BACK_SOON),
        "10",
    ),
    "busy": _Page(mark("One moment"), (_BUSY, _BACK_SOON)),
    # It does not ask by itself: that would bring no form.
    "form": _Page(
        mark("One moment"),
        (
            mark(
                "What you filled in is not sent yet, and it is not lost. Wait a moment, then reload this page: your"
                " browser asks whether it may send it again."
            ),
        ),
    ),
    "line": _Page(
        mark("About %(wait)s"),
        (
            mark("It is busy. You are in the line; there is nothing you need to do."),
            mark("Who came earlier goes first. This page goes on by itself, also when you close it for a while."),
        ),
        "%[var(txn.retry_s)]",
        ("%[var(txn.waited_s)]", "%[var(txn.whole_s)]"),
    ),
    "nowhere": _Page(
        mark("There is no school here"),
        (mark("Check the address. It is in the letter or the mail of your school."),),
    ),
}


def edge_pages() -> dict[str, str]:
    """Each page by the name of its file, without its ending."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    template = made.get_template("edge_page.html")
    plain, with_progress = _style("edge_page"), _style("edge_page", "edge_page_progress")
    return {name: _render(template, page, with_progress if page.progress else plain) for name, page in _PAGES.items()}


def _style(*names: str) -> str:
    """Style sheets without what only people read."""
    text = " ".join("".join((HERE / f"{name}.css").read_text() for name in names).split())
    return _AROUND_MARK.sub(lambda found: found[1] or "", text).replace(";}", "}").strip()


def _render(template: Template, page: _Page, style: str) -> str:
    return template.render(
        parts=[_part(page, locale) for locale in LOCALES],
        refresh_s=page.refresh_s,
        progress=page.progress,
        style=Markup(style),  # noqa: S704 - our own file
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _part(page: _Page, locale: str) -> _Part:
    say = i18n.translations(locale).gettext
    title = say(page.title)
    if "%(" in title:
        title %= {"wait": _WAIT}
    return _Part(locale, title, [say(line) for line in page.lines], say(_FAR))
