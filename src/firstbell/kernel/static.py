"""The built assets, from memory, as they were compressed by the build: no handler, no session, no work."""

import mimetypes
from collections.abc import Awaitable
from pathlib import Path
from typing import NamedTuple

from firstbell.kernel.asgi import App, Receive, Scope, Send

_PREFIX = "/static/"
_ENCODINGS = ((b"zstd", ".zst"), (b"br", ".br"), (b"gzip", ".gz"))
_BYTES_MAX = 8_000_000
"""All assets together; the front end is a few hundred kilobytes, so more is not ours."""


class _Asset(NamedTuple):
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Static:
    """ASGI layer that answers `/static/…` and passes everything else on."""

    def __init__(self, app: App, folder: Path) -> None:
        """Read every file of `folder`.

        Raises:
            RuntimeError: the folder holds more than 8 MB.
        """
        self._app = app
        self._assets = dict(_read(folder))
        if sum(len(asset.body) for asset in self._assets.values()) > _BYTES_MAX:
            raise RuntimeError(f"{folder} holds more than {_BYTES_MAX} bytes")

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer an asset; its name carries a hash, so a browser may keep it for good."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            return self._app(scope, receive, send)
        return self._answer(scope, send)

    async def _answer(self, scope: Scope, send: Send) -> None:
        asset = self._chosen(scope["path"].removeprefix(_PREFIX), scope)
        status = 404 if asset is None else 200
        headers, body = asset or _Asset([(b"cache-control", b"no-store")], b"")
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _chosen(self, name: str, scope: Scope) -> _Asset | None:
        accepted = next((value for key, value in scope["headers"] if key == b"accept-encoding"), b"")
        for encoding, suffix in _ENCODINGS:
            if encoding in accepted and name + suffix in self._assets:
                return self._assets[name + suffix]
        return self._assets.get(name)


def _read(folder: Path) -> list[tuple[str, _Asset]]:
    encodings = {suffix: encoding for encoding, suffix in _ENCODINGS}
    assets = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            encoding = encodings.get(path.suffix)
            kind = mimetypes.guess_type(name.removesuffix(path.suffix) if encoding else name)[0]
            assets.append((name, _Asset(_headers(path, kind, encoding), path.read_bytes())))
    return assets


def _headers(path: Path, kind: str | None, encoding: bytes | None) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", (kind or "application/octet-stream").encode()),
        (b"content-length", b"%d" % path.stat().st_size),
        (b"cache-control", b"public, max-age=31536000, immutable"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"vary", b"accept-encoding"),
    ]
    if encoding:
        headers.append((b"content-encoding", encoding))
    return headers
