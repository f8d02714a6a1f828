"""Who is asking, and whether they may call this route. The only way from a request to a viewer."""

from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from firstbell.domains.people import queries
from firstbell.domains.people.model import Access, School, Viewer
from firstbell.kernel.db import Pool
from firstbell.kernel.errors import NotFoundError, NotSignedInError
from firstbell.kernel.http import Visit, cookie_name, visit_of
from firstbell.kernel.i18n import choose_locale, mark
from firstbell.kernel.signing import Signer

ACCESS_COOKIE = "access"

_decode_viewer = msgspec.msgpack.Decoder(Viewer).decode
_encode_viewer = msgspec.msgpack.Encoder().encode


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


class Schools:
    """The schools of this cell by host name, in memory. An installation with one school answers any host."""

    def __init__(self) -> None:
        self._by_host: dict[str, School] = {}
        self._only: School | None = None

    async def load(self, pool: Pool) -> None:
        """Read them all; called at the start and when a school changes."""
        async with pool.begin(reading_only=True) as tx:
            schools = await queries.list_schools(tx)
        self._by_host = {host: school for school, hosts in schools for host in hosts}
        self._only = schools[0][0] if len(schools) == 1 else None

    def at(self, host: str) -> School | None:
        """The school of a Host header, or None."""
        return self._by_host.get(host.partition(":")[0].lower(), self._only)


class Entrance:
    """Reads the cookies of a request, names its school and viewer, and asks the route's rule."""

    def __init__(self, schools: Schools, signer: Signer, *, secure: bool) -> None:
        self._schools = schools
        self._signer = signer
        self._cookie = cookie_name(ACCESS_COOKIE, secure=secure)

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Litestar's guard for every route.

        Raises:
            NotFoundError: no school has this host name, or the viewer lacks the role.
            NotSignedInError: the route wants a viewer and nobody is signed in.
        """
        visit = visit_of(connection.scope)
        visit.route = connection.scope["path_template"]
        school = self._schools.at(connection.headers.get("host", ""))
        if school is None:
            raise NotFoundError(mark("There is no school at this address."))
        visit.school = school
        visit.viewer = self._viewer(connection, school)
        visit.locale = choose_locale(
            visit.viewer.locale if visit.viewer else None,
            accept_language=connection.headers.get("accept-language", ""),
        )
        self._scope_transaction(visit)
        check_access(handler.opt["access"], visit.viewer)

    def _viewer(self, connection: ASGIConnection[Any, Any, Any, Any], school: School) -> Viewer | None:
        data = self._signer.verify(connection.cookies.get(self._cookie, ""))
        if data is None:
            return None
        viewer = _decode_viewer(data)
        if viewer.school_id != school.id or viewer.expires_at < visit_of(connection.scope).clock.seconds():
            return None
        return viewer

    @staticmethod
    def _scope_transaction(visit: Visit) -> None:
        school = visit.school.id
        writable = None if visit.is_reading else school
        visit.transaction.scope((school,), writable, reading_only=visit.is_reading)


def access_token(signer: Signer, viewer: Viewer) -> str:
    """The value of the access cookie for `viewer`."""
    return signer.sign(_encode_viewer(viewer))
