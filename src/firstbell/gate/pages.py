"""What the gate says: prepared once for each school, so that a refusal is bytes handed over."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from firstbell.gate.asker import School
from firstbell.gate.line import Lane
from firstbell.gate.waiting import Ticket
from firstbell.kernel import i18n
from firstbell.kernel.asgi import Said, Send
from firstbell.kernel.errors import FirstbellError
from firstbell.kernel.html import environment
from firstbell.kernel.i18n import mark

Headers = list[tuple[bytes, bytes]]

VARIANTS = 64
"""Prepared refusals with different times to come back, dealt out in turn."""

_HOLES = {"\ue000": "poll_s", "\ue001": "wait", "\ue002": "progress", "\ue003": "total", "\ue004": "arrived"}
"""What stands in the rendered page where these go."""
_POLL = "\ue000"

_BUSY = mark("It is very busy at the moment.")
_BACK_SOON = mark("This page tries again by itself. What you handed in is safe.")


class Answer(NamedTuple):
    """A whole answer, ready to be sent."""

    headers: Headers
    body: bytes
    status: int = 503
    """Caches and programs know that this is not the page."""

    def send(self, send: Send, extra: Sequence[tuple[bytes, bytes]] = ()) -> Said:
        """Send it, with `extra` headers, when what this returns is awaited."""
        return Said(send, self.status, [*self.headers, *extra] if extra else self.headers, self.body)


class Voice:
    """Makes the gate's answers in the language of a school."""

    def __init__(self, security: Headers, *, retry_s: int, chance: random.Random) -> None:
        self._security = security
        self._retry_s = retry_s
        self._chance = chance
        self._problems: dict[str, list[Answer]] = {}
        self._pages: dict[tuple[str, str, bool], list[Answer]] = {}
        self._waiting: dict[tuple[str, str, bool], bytes] = {}
        self._no: dict[tuple[type[FirstbellError], str, str, bool], Answer] = {}
        self._dealt = 0

    def refusal(self, school: School | None, *, as_page: bool, is_form: bool = False) -> Answer:
        """When to come back, with jitter. The page for a form does not do so by itself: it would bring no form."""
        self._dealt = (self._dealt + 1) % VARIANTS
        locale = school.locale if school is not None else i18n.LOCALES[0]
        if not as_page or school is None:
            return self._problem_answers(locale)[self._dealt]
        return self._page_answers(school, is_form=is_form)[self._dealt]

    def plain(self, kind: bytes, body: bytes) -> Answer:
        """What a script asked for."""
        return Answer(self._headers(kind, body, None), body, 200 if body else 204)

    def no(self, error: type[FirstbellError], school: School | None, *, as_page: bool, is_form: bool = False) -> Answer:
        """What is wrong with this very request."""
        locale = school.locale if school is not None else i18n.LOCALES[0]
        name = school.name if school is not None and as_page else ""
        key = (error, name, locale, is_form)
        if key not in self._no:
            step = error.next_step(is_form=is_form)
            self._no[key] = self._no_answer(error, school if as_page else None, locale, step)
        return self._no[key]

    def waiting(self, school: School, ticket: Ticket, poll_s: int, now: float, last_s: float = 0.0) -> Answer:
        """The page of the waiting room with the numbers of one ticket; the last of its line waits `last_s`."""
        if not ticket.promised_at:
            words = _outlook_words(int(last_s / 60), school.locale)
            return self._filled(school, ticket, poll_s, (words, b"0", b"1"))
        total = max(1, ticket.promised_at - ticket.came_at)
        words = _wait_words(max(5, int(ticket.promised_at - now)), school.locale)
        progress = b"%d" % max(0, int(now) - ticket.came_at)
        return self._filled(school, ticket, poll_s, (words, progress, b"%d" % total))

    def _filled(self, school: School, ticket: Ticket, poll_s: int, place: tuple[bytes, bytes, bytes]) -> Answer:
        words, progress, total = place
        arrived = _arrival(ticket.came_at // 60, school.zone, school.locale)
        body = self._waiting_page(school, may_bid=ticket.lane is Lane.UNKNOWN) % {
            b"poll_s": b"%d" % poll_s,
            b"wait": words,
            b"progress": progress,
            b"total": total,
            b"arrived": arrived,
        }
        return Answer(self._headers(b"text/html; charset=utf-8", body, poll_s), body)

    def _waiting_page(self, school: School, *, may_bid: bool) -> bytes:
        """The page as a format, with a name where each number goes."""
        key = (school.name, school.locale, may_bid)
        page = self._waiting.get(key)
        if page is None:
            values = {name: hole for hole, name in _HOLES.items()}
            page = _render("waiting.html", school, {**values, "may_bid": may_bid}).replace(b"%", b"%%")
            for hole, name in _HOLES.items():
                page = page.replace(hole.encode(), b"%%(%b)b" % name.encode())
            self._waiting[key] = page
        return page

    def _problem_answers(self, locale: str) -> list[Answer]:
        if locale not in self._problems:
            say = i18n.translations(locale).gettext
            body = msgspec.json.encode(
                {"type": "urn:firstbell:problem:busy", "title": say(_BUSY), "detail": say(_BACK_SOON), "status": 503}
            )
            self._problems[locale] = [
                Answer(self._headers(b"application/problem+json", body, seconds), body)
                for seconds in self._seconds_to_come_back()
            ]
        return self._problems[locale]

    def _no_answer(self, error: type[FirstbellError], school: School | None, locale: str, step: str) -> Answer:
        say = i18n.translations(locale).gettext
        title, detail = say(error.title), say(error.advice)
        if school is not None:
            kind = b"text/html; charset=utf-8"
            said = {"title": title, "advice": detail, "step": step, "signs_in": False, "come_back_s": 0}
            body = _render("error.html", school, {**said, "request_id": None})
        else:
            kind = b"application/problem+json"
            problem = f"urn:firstbell:problem:{error.kind}"
            body = msgspec.json.encode({"type": problem, "title": title, "detail": detail, "status": error.status})
        return Answer(self._headers(kind, body, error.retry_after_s), body, error.status)

    def _page_answers(self, school: School, *, is_form: bool) -> list[Answer]:
        key = (school.name, school.locale, is_form)
        if key not in self._pages:
            template = _render("busy.html", school, {"poll_s": "" if is_form else _POLL})
            self._pages[key] = [
                Answer(self._headers(b"text/html; charset=utf-8", body, seconds), body)
                for seconds in self._seconds_to_come_back()
                for body in (template.replace(_POLL.encode(), b"%d" % seconds),)
            ]
        return self._pages[key]

    def _seconds_to_come_back(self) -> list[int]:
        return [self._chance.randint(self._retry_s, 3 * self._retry_s) for _ in range(VARIANTS)]

    def _headers(self, kind: bytes, body: bytes, retry_s: int | None) -> Headers:
        headers = [*self._security, (b"content-type", kind), (b"content-length", b"%d" % len(body))]
        if retry_s is not None:
            headers.append((b"retry-after", b"%d" % retry_s))
        return headers


def _render(template: str, school: School, values: dict[str, Any]) -> bytes:
    made = environment(school.locale).get_template(template)
    return made.render(school=school, **values).encode()


@lru_cache(maxsize=1_024)
def _wait_words(seconds: int, locale: str) -> bytes:
    texts = i18n.translations(locale)
    minute = 60
    if seconds <= minute:
        number = -(-seconds // 5) * 5
        words = texts.ngettext("About %(number)s second", "About %(number)s seconds", number)
    else:
        number = -(-seconds // minute)
        words = texts.ngettext("About %(number)s minute", "About %(number)s minutes", number)
    return (words % {"number": number}).encode()


@lru_cache(maxsize=1_024)
def _outlook_words(minutes: int, locale: str) -> bytes:
    """What can be said before it is counted who came at the same time: nothing yet, or how long at most."""
    texts = i18n.translations(locale)
    if not minutes:
        return texts.gettext(mark("Working out how long")).encode()
    words = texts.ngettext("Probably about %(number)s minute", "Probably about %(number)s minutes", minutes)
    return (words % {"number": minutes}).encode()


@lru_cache(maxsize=4_096)
def _arrival(minutes: int, zone: ZoneInfo, locale: str) -> bytes:
    return i18n.format_time(datetime.fromtimestamp(minutes * 60, UTC).astimezone(zone), locale).encode()
