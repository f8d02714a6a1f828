"""Who is asking: school, route, priority class, whether this browser is inside, and in which lesson group."""

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from firstbell.gate.calls import Called, ReadCalled
from firstbell.kernel.asgi import Scope
from firstbell.kernel.cookies import cookie_in, cookie_name
from firstbell.kernel.http import SAFE_METHODS
from firstbell.kernel.routes import Priority
from firstbell.kernel.signing import Signer


class School(Protocol):
    """What the gate knows of a school."""

    @property
    def id(self) -> UUID:
        """The school's own id, first in every key."""

    @property
    def name(self) -> str:
        """As people call it."""

    @property
    def locale(self) -> str:
        """The language of pages for people who are not signed in."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its bell."""


class Rule(NamedTuple):
    """What the gate knows of a route."""

    priority: Priority
    hashes: bool = False
    """Hashes a password: it goes through the small lane for that and takes no slot."""
    body_bytes_max: int | None = None
    """None: as much as an ordinary form."""
    streams: bool = False
    """Takes its body as it arrives, within limits of its own."""


class Declared(NamedTuple):
    """One method of a route: its path as the framework writes it (`/courses/{course:uuid}`) and its `opt`."""

    method: str
    path: str
    opt: dict[str, Any]


_DEFAULTS: dict[str, Any] = {"priority": Priority.P4, **Rule._field_defaults}
UNDECLARED = Rule(Priority.P4)
"""An address that no route answers, which is all that a scanner asks for."""

_Node = dict[str, Any]
_ANY, _REST, _RULES = "{}", "{:path}", "/"
"""Keys of a node that no segment of a path can be."""


class RouteTable:
    """Finds the rule of a request in about a microsecond: whole paths first, then segment by segment."""

    def __init__(self, declared: Iterable[Declared]) -> None:
        """Read what is declared; the framework's own answers to OPTIONS need not declare.

        Raises:
            ValueError: a route declares no priority.
        """
        self._whole: dict[tuple[str, str], Rule] = {}
        self._root: _Node = {}
        for method, path, opt in declared:
            if "priority" in opt:
                self._add(method, path, Rule(*(opt.get(name, default) for name, default in _DEFAULTS.items())))
            elif method != "OPTIONS":
                raise ValueError(f"{method} {path} declares no priority: opt=route(ACCESS, Priority.Px)")

    def find(self, method: str, path: str) -> Rule:
        """The rule of a route; `UNDECLARED` for an address that is none."""
        if method == "HEAD":
            method = "GET"
        return self._whole.get((method, path)) or self._walk(method, path)

    def _add(self, method: str, path: str, rule: Rule) -> None:
        if "{" not in path:
            self._whole[method, path] = rule
            return
        node = self._root
        for segment in path.split("/")[1:]:
            key = segment if not segment.startswith("{") else _REST if segment.endswith(":path}") else _ANY
            node = node.setdefault(key, {})
        node.setdefault(_RULES, {})[method] = rule

    def _walk(self, method: str, path: str) -> Rule:
        node = self._root
        for segment in path.rstrip("/").split("/")[1:]:
            below = node.get(segment) or node.get(_ANY)
            if below is None:
                node = node.get(_REST, {})
                break
            node = below
        rule: Rule = node.get(_RULES, {}).get(method, UNDECLARED)
        return rule


class Inside(NamedTuple):
    """What the `inside` cookie says: this browser passed the gate of a school and has its place until `until_s`.

    `holder` names the browser to the gate; `group` is the lesson group as a number, 0 for none; `is_known` that
    somebody signed in on it.
    """

    school: bytes
    holder: bytes
    group: int
    is_known: bool
    until_s: int


_INSIDE = struct.Struct(">16s8sH?I")
COOKIES_KEPT = 4_096
"""Cookies that are not verified again, of those shown last, about 2 MB: a page asks ten times with the same one."""


class InsideCookie:
    """The signed proof of being inside."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._known = lru_cache(maxsize=COOKIES_KEPT)(self._verified)

    def text(self, inside: Inside) -> str:
        """The value of the cookie."""
        return self._signer.sign(_INSIDE.pack(*inside))

    def read(self, text: str) -> Inside | None:
        """Who holds the cookie, or None when it is not ours."""
        return self._known(text)

    def _verified(self, text: str) -> Inside | None:
        data = self._signer.verify(text)
        return None if data is None else Inside(*_INSIDE.unpack(data))


class Proofs(NamedTuple):
    """How the gate believes a browser without looking anything up; each reads the text of one cookie.

    `viewer_school` gives the school of the session, `device` the id of the device that was here before, or nothing.
    """

    inside: InsideCookie
    viewer_school: Callable[[str, float], UUID | None]
    device: Callable[[str, float], bytes]


class Asker(msgspec.Struct, frozen=True, gc=False):
    """One request as the gate sees it. `inside` is None for who has no place yet; `device` is known only then.

    `school_id` is that of `school` as bytes, nothing for an address that is no school's.
    `called` is what the edge says of somebody whom it held in its line.
    """

    school: School | None
    school_id: bytes
    rule: Rule
    inside: Inside | None
    device: bytes
    ticket: str
    wants_page: bool
    is_safe: bool
    called: Called | None = None

    @property
    def holder(self) -> bytes:
        """What names the browser to the gate; nothing for a stranger."""
        return self.inside.holder if self.inside is not None else self.device[-8:]

    @property
    def is_known(self) -> bool:
        """Somebody signed in on this device before."""
        return self.inside.is_known if self.inside is not None else bool(self.device)


class Askers:
    """Reads requests. One pass over the headers, one signature for who is inside."""

    def __init__(
        self,
        routes: RouteTable,
        school_at: Callable[[str], School | None],
        proofs: Proofs,
        called: ReadCalled,
        *,
        secure: bool,
    ) -> None:
        self._routes = routes
        self._school_at = school_at
        self._proofs = proofs
        self._called = called
        self._inside, self._ticket, self._access, self._device = (
            f"{cookie_name(name, secure=secure)}=" for name in ("inside", "ticket", "access", "device")
        )

    def read(self, scope: Scope, now_s: float) -> Asker:
        """Who asks for what; `now_s` in seconds since 1970."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        method: str = scope["method"]
        rule = self._routes.find(method, scope["path"])
        school = self._school_at(headers.get(b"host", b"").decode("latin-1"))
        school_id = b"" if school is None else school.id.bytes
        cookies = headers.get(b"cookie", b"").decode("latin-1")
        inside = None
        device = b""
        ticket = ""
        if school is not None and cookies:
            inside = self._who_is_inside(cookies, school, school_id, now_s)
            if inside is None:
                pass_text = cookie_in(cookies, self._device)
                device = self._proofs.device(pass_text, now_s) if pass_text else b""
                ticket = cookie_in(cookies, self._ticket)
        wants_page = b"text/html" in headers.get(b"accept", b"")
        called = self._called(headers[b"x-called"]) if b"x-called" in headers else None
        return Asker(school, school_id, rule, inside, device, ticket, wants_page, method in SAFE_METHODS, called)

    def _who_is_inside(self, cookies: str, school: School, school_id: bytes, now_s: float) -> Inside | None:
        text = cookie_in(cookies, self._inside)
        inside = self._proofs.inside.read(text) if text else None
        if inside is not None and inside.until_s > now_s and inside.school == school_id:
            return inside
        # Whoever has a session is inside, whatever became of the cookie: nobody is thrown out.
        text = cookie_in(cookies, self._access)
        if text and self._proofs.viewer_school(text, now_s) == school.id:
            return Inside(school_id, text[-8:].encode(), 0, is_known=True, until_s=0)
        return None
