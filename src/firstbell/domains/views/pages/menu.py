"""The main menu: where somebody can go."""

from functools import lru_cache
from typing import NamedTuple

import msgspec
from markupsafe import Markup

from firstbell.domains.people.model import CARING, STAFF, Role
from firstbell.kernel.html import macro
from firstbell.kernel.i18n import mark, translations
from firstbell.kernel.visit import Visit

_ROLES_SEEN_MAX = 512
"""Menus kept: the roles that people have together, times languages, times places."""


class Entry(msgspec.Struct, frozen=True):
    """A place in the menu; `count` is how much is new there."""

    href: str
    icon: str
    label: str
    current: bool
    count: int = 0


class _Place(NamedTuple):
    href: str
    icon: str
    label: str
    roles: frozenset[Role]
    also: frozenset[str] = frozenset()
    """First parts of other addresses that belong here."""


_EVERYBODY = frozenset(Role)
_PLACES = (
    _Place("/", "sun", mark("Today"), _EVERYBODY),
    _Place("/timetable", "calendar-days", mark("Timetable"), _EVERYBODY - {Role.OPERATOR}, frozenset({"lessons"})),
    _Place("/courses", "book-open", mark("Courses"), _EVERYBODY - {Role.OPERATOR}),
    _Place("/classes", "graduation-cap", mark("Classes"), STAFF),
    _Place("/people", "users", mark("People"), CARING),
    _Place("/operator", "settings", mark("Installation"), frozenset({Role.OPERATOR})),
)

_SECTIONS = frozenset({place.href[1:] for place in _PLACES}).union(*(place.also for place in _PLACES))


def navigation(visit: Visit, path: str) -> Markup:
    """The menu for whoever asks, with the place of `path` marked."""
    if visit.viewer is None:
        return Markup("")
    section = path.split("/", 2)[1]
    return _menu(visit.viewer.roles, section if section in _SECTIONS else None, visit.locale)


@lru_cache(maxsize=_ROLES_SEEN_MAX)
def _menu(roles: tuple[Role, ...], section: str | None, locale: str) -> Markup:
    words = translations(locale).gettext
    entries = [
        Entry(place.href, place.icon, words(place.label), place.href == f"/{section}" or section in place.also)
        for place in _PLACES
        if not place.roles.isdisjoint(roles)
    ]
    return macro(locale, "components.html", "main_menu")(entries)
