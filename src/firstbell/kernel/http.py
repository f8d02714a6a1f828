"""The doorway of the application: what every request gets before a handler and every answer after it.

One pure ASGI layer: a request id, the refusal of cross-site writes, security headers, cookies, the end of the
transaction, one line in the log, metrics.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from litestar import Response

from firstbell.kernel.asgi import App, Message, Receive, Scope, Send
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.extras import Extra
from firstbell.kernel.metrics import REQUEST_SECONDS, REQUESTS
from firstbell.settings import Settings

log = structlog.get_logger("firstbell.http")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
"""What a proxy in front may give as the id of a request."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-src": "'self'",
    "frame-ancestors": "'self'",
}


def policy(**changes: str) -> dict[str, str]:
    """The header by which a page asks for more than others may, such as `object_src="'self'"`."""
    directives = {**_POLICY, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in directives.items())}


BROWNOUT = "firstbell.brownout"
"""Where in the scope the gate says how much of a page to leave out."""


class Visit:
    """One request, from doorway to answer: who asks, in which language, its transaction, its cookies.

    `brownout` is 0 in peace; from 1 to 3, pages leave out ever more of what can wait.
    """

    __slots__ = (
        "brownout",
        "clock",
        "given_cookies",
        "is_reading",
        "keeps_transaction",
        "left_out",
        "locale",
        "removed_cookies",
        "request_id",
        "route",
        "school",
        "started_at",
        "transaction",
        "viewer",
    )

    def __init__(self, request_id: str, transaction: Transaction, clock: Clock, *, is_reading: bool) -> None:
        self.request_id = request_id
        self.is_reading = is_reading
        self.transaction = transaction
        self.clock = clock
        self.brownout = 0
        self.left_out: tuple[Extra, ...] = ()
        self.started_at: datetime = clock.now()
        self.locale = "nl"
        self.school: Any = None
        self.viewer: Any = None
        self.route = ""
        self.given_cookies: list[str] = []
        self.removed_cookies: list[str] = []
        self.keeps_transaction = True

    def set_cookie(self, name: str, value: str, *, max_age_s: int | None, secure: bool) -> None:
        """Answer with a cookie that scripts cannot read. See `cookie_name`.

        `max_age_s` None: until the browser closes; 0: remove it. What a cookie gives holds only when the
        transaction does, so one that gives something is forgotten with it.
        """
        cookie = cookie_text(name, value, max_age_s=max_age_s, secure=secure)
        (self.removed_cookies if max_age_s == 0 else self.given_cookies).append(cookie)

    def leaves_out(self, extra: Extra) -> bool:
        """Whether the page does without `extra` now; then its status line says so."""
        if self.brownout < extra.level:
            return False
        self.left_out += (extra,)
        return True

    async def end_transaction(self) -> None:
        """Commit, or forget what was written and the cookies that were given for it."""
        if self.keeps_transaction:
            await self.transaction.commit()
        else:
            await self.transaction.roll_back()
            self.given_cookies.clear()


def cookie_name(name: str, *, secure: bool) -> str:
    """The name as the browser sees it: `__Host-` binds a cookie to this host and to TLS."""
    return f"__Host-{name}" if secure else name


def cookie_text(name: str, value: str, *, max_age_s: int | None, secure: bool) -> str:
    """A cookie of the whole site that scripts cannot read, as its header has it. See `Visit.set_cookie`."""
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    tail = "; Secure" if secure else ""
    return f"{cookie_name(name, secure=secure)}={value}; Path=/{age}; HttpOnly; SameSite=Lax{tail}"


def see_other(address: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Send the browser to `address` with GET."""
    sent = {"Location": address, **(headers or {})}
    return Response(b"", status_code=303, media_type="text/plain", headers=sent)


def visit_of(scope: Any) -> Visit:
    """The visit that the doorway put into this request's scope."""
    visit: Visit = scope["firstbell"]
    return visit


class Doorway:
    """ASGI layer around the application."""

    def __init__(self, app: App, *, pool: Callable[[], Pool], clock: Clock, ids: Ids, settings: Settings) -> None:
        self._app = app
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._headers = security_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass the lifespan on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope, self._ids)
        visit = Visit(request_id, self._pool().transaction(), self._clock, is_reading=scope["method"] in SAFE_METHODS)
        visit.brownout = scope.get(BROWNOUT, 0)
        scope["firstbell"] = visit
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                await visit.end_transaction()
                status = message["status"]
                message["headers"] = [*message["headers"], *self._answer_headers(visit, message["headers"])]
            await send(message)

        try:
            if is_cross_site(scope):
                await _refuse_cross_site(answer)
            else:
                await self._app(scope, receive, answer)
        finally:
            await visit.transaction.roll_back()
            _record(scope, visit, status, time.perf_counter() - started)

    def _answer_headers(self, visit: Visit, given: Any) -> list[tuple[bytes, bytes]]:
        names = {name for name, _ in given}
        headers = [header for header in self._headers if header[0] not in names]
        headers.append((b"x-request-id", visit.request_id.encode()))
        cookies = (*visit.removed_cookies, *visit.given_cookies)
        headers.extend((b"set-cookie", cookie.encode()) for cookie in cookies)
        return headers


def is_cross_site(scope: Scope) -> bool:
    """True for a request that another site makes a browser send: by Sec-Fetch-Site, else by Origin.

    Opening a page from a link elsewhere is not one; writing from elsewhere is.
    """
    if scope["method"] in SAFE_METHODS:
        return False
    headers: dict[bytes, bytes] = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return urlsplit(origin.decode("latin-1")).netloc != headers.get(b"host", b"").decode("latin-1")


async def _refuse_cross_site(send: Send) -> None:
    body = msgspec.json.encode(
        {
            "type": "urn:firstbell:problem:cross-site",
            "title": "This request came from another site.",
            "status": 403,
        }
    )
    await send(
        {
            "type": "http.response.start",
            "status": 403,
            "headers": [
                (b"content-type", b"application/problem+json"),
                (b"content-length", b"%d" % len(body)),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def security_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """What every answer of ours tells browsers to forbid."""
    headers = [
        (b"content-security-policy", policy()["Content-Security-Policy"].encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"geolocation=(), interest-cohort=()"),
        (b"cache-control", b"private, no-store"),
    ]
    if settings.public_scheme == "https":
        headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    return headers


def _request_id(scope: Scope, ids: Ids) -> str:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return ids.new().hex


def _record(scope: Scope, visit: Visit, status: int, seconds: float) -> None:
    route = visit.route or "none"
    REQUESTS.labels(scope["method"], route, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)
    log.info(
        "request",
        request_id=visit.request_id,
        method=scope["method"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 2),
        statements=visit.transaction.statements,
        school=visit.school.id.hex if visit.school else None,
    )
