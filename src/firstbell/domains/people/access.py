"""Who is asking, and whether they may call this route. The only way from a request to a viewer."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

import msgspec
from litestar import Request

from firstbell.domains.people import queries
from firstbell.domains.people.model import (
    CARING,
    REFRESHING,
    Access,
    Class,
    PersonPage,
    RefreshToken,
    School,
    Session,
    Viewer,
)
from firstbell.kernel.changes import Changes
from firstbell.kernel.clock import Clock
from firstbell.kernel.cookies import cookie_name
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.errors import NotFoundError, NotSignedInError, StolenSessionError
from firstbell.kernel.i18n import choose_locale, mark
from firstbell.kernel.signing import Signer, parse_keys
from firstbell.kernel.visit import Visit, visit_of
from firstbell.settings import Settings


class Refresh(Protocol):
    """`Sessions.refresh`, which is an action and so given to the entrance from above."""

    async def __call__(self, tx: Transaction, school_id: UUID, token: RefreshToken, *, at_once: bool) -> Session | None:
        """The session with the successor of `token`; None when it is over or the token is not ours."""


COOKIES_KEPT = 4_000
"""Access cookies that were read lately, some 2 kB each: a browser shows the same one with all that it asks for."""

_DAY_S = 86_400
_DEVICE_PASS = struct.Struct(">16sQ")
"""Device id, and the second since 1970 at which the pass was issued."""

_decode_viewer = msgspec.msgpack.Decoder(Viewer).decode
_encode_viewer = msgspec.msgpack.Encoder(uuid_format="bytes").encode


class NoSchoolError(NotFoundError):
    """No school of this cell has the host name of the request."""

    title = mark("There is no school at this address.")
    advice = mark("Look at the address that your school gave you.")


def check_access(rule: Access, viewer: Viewer | None) -> None:
    """Let `viewer` pass when `rule` does.

    Raises:
        NotSignedInError: nobody is signed in.
        NotFoundError: the viewer has none of the roles; that the page exists is not told.
    """
    if rule.is_public:
        return
    if viewer is None:
        raise NotSignedInError
    if rule.roles is not None and not viewer.is_any(rule.roles):
        raise NotFoundError


async def access_class(tx: Transaction, viewer: Viewer, class_id: UUID) -> Class:
    """A class: any for who works at the school, their own for pupils.

    Raises:
        NotFoundError: there is none that the viewer may see.
    """
    member_id = None if viewer.is_staff else viewer.person_id
    found = await queries.find_class(tx, viewer.school_id, class_id, member_id=member_id)
    if found is None:
        raise NotFoundError
    return found


async def access_person(tx: Transaction, viewer: Viewer, person_id: UUID) -> PersonPage:
    """Somebody of the viewer's school, for who looks after its people.

    Raises:
        NotFoundError: there is nobody whom the viewer may see.
    """
    found = await queries.find_person(tx, viewer.school_id, person_id) if viewer.is_any(CARING) else None
    if found is None:
        raise NotFoundError
    return found


async def read_family(visit: Visit) -> None:
    """Let the visit read every school in which its viewer is a person: for pages that show a whole family."""
    await visit.transaction.read_also(membership.school_id for membership in visit.viewer.family)


class Schools:
    """The schools of this cell by host name, in memory. An installation with one school answers any host."""

    def __init__(self) -> None:
        self.all: tuple[tuple[School, tuple[str, ...]], ...] = ()
        self._by_host: dict[str, School] = {}
        self._by_id: dict[UUID, School] = {}
        self._sizes: dict[bytes, float] = {}
        self._hosts: dict[bytes, tuple[str, ...]] = {}
        self._only: School | None = None

    async def load(self, pool: Pool) -> None:
        """Read them all; called at the start and when a school changes."""
        async with pool.begin(reading_only=True) as tx:
            schools = await queries.list_schools(tx)
        async with pool.begin(readable=[school.id for school, _ in schools], reading_only=True) as tx:
            sizes = await queries.count_persons(tx)
        self._sizes = {school.bytes: float(size) for school, size in sizes.items()}
        self.all = tuple((school, tuple(hosts)) for school, hosts in schools)
        self._by_host = {host: school for school, hosts in schools for host in hosts}
        self._by_id = {school.id: school for school, _ in schools}
        self._hosts = {school.id.bytes: hosts for school, hosts in self.all}
        self._only = schools[0][0] if len(schools) == 1 else None

    def size_of(self, school: bytes) -> float:
        """How many people a school had when they were last counted, at least one; `school` is its id as bytes."""
        return self._sizes.get(school, 1.0)

    def hosts_of(self, school: bytes) -> tuple[str, ...]:
        """The host names of a school, none for one that is not ours; `school` is its id as bytes."""
        return self._hosts.get(school, ())

    def at(self, host: str) -> School | None:
        """The school of a Host header, or None."""
        return self._by_host.get(host.partition(":")[0].lower(), self._only)

    def of(self, school_id: UUID) -> School:
        """The school of a row that a transaction may read."""
        return self._by_id[school_id]


class CookieJar:
    """The cookies of a browser: who is signed in (access, refresh), and that it was here before (the device pass).

    On a shared device they go when the browser closes, and there is no device pass.
    """

    def __init__(self, settings: Settings) -> None:
        keys = parse_keys(settings.secret_keys)
        self._access = Signer(keys, "access")
        self._device = Signer(keys, "device")
        self._named = lru_cache(COOKIES_KEPT)(self._name)
        self._secure = settings.public_scheme == "https"
        self._access_s = settings.access_seconds
        self._refresh_s = settings.refresh_days * _DAY_S
        self._device_s = settings.device_days * _DAY_S
        self._names = {name: cookie_name(name, secure=self._secure) for name in ("access", "refresh", "device")}

    def viewer(self, visit: Visit) -> Viewer | None:
        """Who the access cookie says is asking, without I/O."""
        return self.viewer_in(self._read(visit, "access"), visit.clock.seconds())

    def viewer_in(self, text: str, now_s: float) -> Viewer | None:
        """Who an access cookie names, given its text."""
        viewer = self._named(text)
        return viewer if viewer is not None and viewer.issued_at + self._access_s > now_s else None

    def refresh_token(self, visit: Visit) -> RefreshToken | None:
        """The token that is shown to stay signed in."""
        return RefreshToken.parse(self._read(visit, "refresh"))

    def device_id(self, visit: Visit) -> UUID | None:
        """The device on which somebody signed in before."""
        device = self.device_in(self._read(visit, "device"), visit.clock.seconds())
        return UUID(bytes=device) if device else None

    def device_in(self, text: str, now_s: float) -> bytes:
        """The id of the device that a device pass names, given its text; nothing when it is not ours or too old."""
        data = self._device.verify(text)
        if data is None:
            return b""
        device: bytes
        device, issued_at = _DEVICE_PASS.unpack(data)
        return device if issued_at + self._device_s > now_s else b""

    def keep(self, visit: Visit, session: Session) -> None:
        """Answer with the access cookie and the refresh token of `session`."""
        self.keep_viewer(visit, session.viewer)
        is_shared = session.viewer.is_shared_device
        self._set(visit, "refresh", session.token.text(), None if is_shared else self._refresh_s)

    def keep_viewer(self, visit: Visit, viewer: Viewer) -> None:
        """Answer with an access cookie that says what is true of `viewer` now."""
        access = self._access.sign(_encode_viewer(viewer))
        self._set(visit, "access", access, None if viewer.is_shared_device else self._access_s)

    def keep_device(self, visit: Visit, device_id: UUID) -> None:
        """Answer with a device pass, good from now on."""
        self._set(visit, "device", self.device_pass(device_id, visit.clock.seconds()), self._device_s)

    def device_pass(self, device_id: UUID, now_s: float) -> str:
        """A device pass, good from now on."""
        return self._device.sign(_DEVICE_PASS.pack(device_id.bytes, int(now_s)))

    def drop(self, visit: Visit) -> None:
        """Answer that nobody is signed in; the device stays known."""
        self._set(visit, "access", "", 0)
        self._set(visit, "refresh", "", 0)

    def _name(self, text: str) -> Viewer | None:
        data = self._access.verify(text)
        return None if data is None else _decode_viewer(data)

    def _read(self, visit: Visit, name: str) -> str:
        return visit.cookie(self._names[name])

    def _set(self, visit: Visit, name: str, value: str, max_age_s: int | None) -> None:
        visit.set_cookie(name, value, max_age_s=max_age_s, secure=self._secure)


class Revocations:
    """Sessions, accounts and persons of which this worker heard lately that something changed.

    An access cookie that was issued before is not believed, and the database is asked. What is older than any cookie
    is forgotten; beyond `ids_max`, every cookie from before is asked about instead.
    """

    def __init__(self, clock: Clock, *, access_s: float, ids_max: int) -> None:
        self._clock = clock
        self._access_s = access_s
        self._ids_max = ids_max
        self._heard_at_s: dict[UUID, float] = {}
        self._all_at_s = 0.0

    async def hear(self, ids: Sequence[UUID]) -> None:
        """These changed; the worker hears it now, which is after their commit."""
        now_s = self._clock.seconds()
        for changed in ids:
            self._heard_at_s.pop(changed, None)
            self._heard_at_s[changed] = now_s
        self._forget(now_s - self._access_s)
        if len(self._heard_at_s) > self._ids_max:
            self._heard_at_s.clear()
            self._all_at_s = now_s

    def touch(self, viewer: Viewer) -> bool:
        """True when something changed about `viewer` since the cookie was issued."""
        heard, issued = self._heard_at_s, viewer.issued_at
        if not heard:
            return issued <= self._all_at_s
        return issued <= self._all_at_s or any(
            issued <= heard.get(changed, 0) for changed in (viewer.session_id, viewer.account_id, viewer.person_id)
        )

    def _forget(self, before_s: float) -> None:
        # The oldest stand first: each id is put at the end when it is heard of.
        heard = self._heard_at_s
        while heard and next(iter(heard.values())) <= before_s:
            del heard[next(iter(heard))]


class Entrance:
    """Names the school and the viewer of a request, refreshing the session where it must, and asks the route's rule."""

    def __init__(
        self, schools: Schools, jar: CookieJar, refresh: Refresh, revocations: Revocations, changes: Changes
    ) -> None:
        self._schools = schools
        self._jar = jar
        self._refresh = refresh
        self._revocations = revocations
        self._changes = changes

    async def __call__(self, request: Request[Any, Any, Any]) -> None:
        """Asked before every handler: Litestar's guards do the same, but copy the handler for each request.

        Raises:
            NoSchoolError: no school has this host name.
            NotFoundError: the viewer lacks the role.
            NotSignedInError: the route wants a viewer and nobody is signed in.
        """
        scope = request.scope
        visit = visit_of(scope)
        visit.route = scope["path_template"]
        rule: Access = scope["route_handler"].opt["access"]
        self.name(visit, believes=rule is not REFRESHING)
        school_id = visit.school.id
        writable = None if visit.is_reading else school_id
        visit.transaction.scope((school_id,), writable, reading_only=visit.is_reading)
        if not rule.is_public:
            if visit.viewer is None:
                await self.refresh(visit, at_once=visit.is_reading)
                self._choose_locale(visit)
            elif self._changes.is_old:
                await self._ask(visit)
        check_access(rule, visit.viewer)

    def name(self, visit: Visit, *, believes: bool = True) -> None:
        """Name the school, the viewer of the access cookie (when it `believes` one) and the language, without I/O.

        Raises:
            NoSchoolError: no school has this host name.
        """
        visit.school = self._schools.at(visit.header(b"host"))
        if believes and visit.school is not None:
            visit.viewer = self._believed(visit)
        self._choose_locale(visit)
        if visit.school is None:
            raise NoSchoolError

    @staticmethod
    def _choose_locale(visit: Visit) -> None:
        visit.locale = choose_locale(
            visit.viewer.locale if visit.viewer else None,
            visit.school.locale if visit.school else None,
            accept_language=visit.header(b"accept-language"),
        )

    async def refresh(self, visit: Visit, *, at_once: bool) -> None:
        """Name the viewer by the refresh token and answer with its successor, in the request's own transaction.

        Where nothing else is written it is done `at_once`, by one statement without a transaction around it.

        Raises:
            StolenSessionError: the token is one that was used up.
        """
        visit.viewer = None
        token = self._jar.refresh_token(visit)
        if token is None:
            return
        if at_once:
            visit.transaction.scope((visit.school.id,), None, reading_only=True)
        try:
            session = await self._refresh(visit.transaction, visit.school.id, token, at_once=at_once)
        except StolenSessionError:
            self._jar.drop(visit)
            raise
        if session is None:
            self._jar.drop(visit)
        else:
            self._jar.keep(visit, session)
            visit.viewer = session.viewer

    def _believed(self, visit: Visit) -> Viewer | None:
        """Whom the access cookie names, when nothing was heard that speaks against it."""
        viewer = self._jar.viewer(visit)
        if viewer is None or viewer.school_id != visit.school.id or self._revocations.touch(viewer):
            return None
        return viewer

    async def _ask(self, visit: Visit) -> None:
        """Name the viewer as the database has it now: this worker may not have heard of everything."""
        tx, viewer = visit.transaction, visit.viewer
        session = await queries.find_session(tx, viewer.school_id, viewer.session_id, now=visit.clock.now())
        visit.viewer = None if session is None else session.viewer
        if session is None:
            self._jar.drop(visit)
