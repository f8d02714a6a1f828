"""The doorway of the application: what every request gets before a handler and every answer after it.

One pure ASGI layer: a request id, the refusal of cross-site writes, security headers, cookies, the end of the
transaction, one line in the log, metrics.
"""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response

from firstbell.kernel.asgi import App, Message, Receive, Scope, Send
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Pool
from firstbell.kernel.errors import CrossSiteError
from firstbell.kernel.html import environment
from firstbell.kernel.i18n import choose_locale, translations
from firstbell.kernel.records import Records
from firstbell.kernel.visit import Visit
from firstbell.settings import Settings

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

SOURCE = "firstbell.source"
"""Where in the scope the gate says from where a request comes that guesses could be in, as bytes."""


def see_other(address: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Send the browser to `address` with GET."""
    sent = {"Location": address, **(headers or {})}
    return Response(b"", status_code=303, media_type="text/plain", headers=sent)


def source_of(scope: Any) -> bytes:
    """From where a request that could be a guess comes; nothing when that is not known."""
    source: bytes = scope.get(SOURCE, b"")
    return source


class Doorway:
    """ASGI layer around the application."""

    def __init__(self, app: App, *, pool: Callable[[], Pool], clock: Clock, ids: Ids, settings: Settings) -> None:
        self._app = app
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._headers = security_headers(settings)
        self._records = Records(settings.log_level)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass the lifespan on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            self._records.write()
            return
        started = time.perf_counter()
        method, headers = scope["method"], headers_of(scope)
        visit = Visit(
            headers,
            self._request_id(headers),
            self._pool().transaction(),
            self._clock,
            is_reading=method in SAFE_METHODS,
        )
        visit.brownout = scope.get(BROWNOUT, 0)
        scope["firstbell"] = visit

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                await visit.end_transaction()
                visit.status = message["status"]
                message["headers"] = self._answer_headers(visit, message["headers"])
            await send(message)

        try:
            if not visit.is_reading and is_cross_site(headers):
                await _refuse_cross_site(visit, answer)
            else:
                await self._app(scope, receive, answer)
        finally:
            await visit.transaction.roll_back()
            self._records.add(visit, method, time.perf_counter() - started)

    def _request_id(self, headers: dict[bytes, bytes]) -> str:
        given = headers.get(b"x-request-id")
        return given.decode() if given is not None and _REQUEST_ID.fullmatch(given) else self._ids.unordered()

    def _answer_headers(self, visit: Visit, given: Any) -> list[tuple[bytes, bytes]]:
        """What a handler gave, and what every answer of ours has unless the handler said otherwise."""
        names = {name for name, _ in given}
        headers = [*given, *[header for header in self._headers if header[0] not in names]]
        headers.append((b"x-request-id", visit.request_id.encode()))
        headers += [(b"set-cookie", cookie.encode()) for cookie in (*visit.removed_cookies, *visit.given_cookies)]
        return headers


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers of a request by name; cookies that came in several, as HTTP/2 allows, are one."""
    pairs: list[tuple[bytes, bytes]] = scope["headers"]
    headers = dict(pairs)
    if len(headers) < len(pairs) and b"cookie" in headers:
        headers[b"cookie"] = b"; ".join([value for name, value in pairs if name == b"cookie"])
    return headers


def is_cross_site(headers: dict[bytes, bytes]) -> bool:
    """True for a writing request that another site makes a browser send: by Sec-Fetch-Site, else by Origin."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return urlsplit(origin.decode("latin-1")).netloc != headers.get(b"host", b"").decode("latin-1")


async def _refuse_cross_site(visit: Visit, send: Send) -> None:
    """Before the application, which knows the school: in the language of the browser."""
    locale = choose_locale(accept_language=visit.header(b"accept-language"))
    say = translations(locale).gettext
    error = CrossSiteError
    title, advice = say(error.title), say(error.advice)
    if "text/html" in visit.header(b"accept"):
        kind, template = b"text/html; charset=utf-8", environment(locale).get_template("error.html")
        said = {"step": "today", "signs_in": False, "come_back_s": 0, "request_id": visit.request_id}
        body = template.render(title=title, advice=advice, school=None, **said).encode()
    else:
        kind, name = b"application/problem+json", f"urn:firstbell:problem:{error.kind}"
        body = msgspec.json.encode({"type": name, "title": title, "detail": advice, "status": error.status})
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
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
