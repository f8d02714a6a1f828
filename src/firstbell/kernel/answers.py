"""What handlers answer, as the messages of ASGI."""

from typing import Any

from litestar import Response
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED
from litestar.types import ASGIApp

from firstbell.kernel.asgi import Receive, Scope, Send


class WholeFile(Response[bytes]):
    """A file that the server reads and sends by itself."""

    def __init__(self, path: str, size_bytes: int, *, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(b"", media_type=media_type, headers=headers)
        self.path = path
        self.size_bytes = size_bytes

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        """What Litestar sends by its own way."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await send_answer(self, HTTP_200_OK, send)

        return answer  # type: ignore[return-value]


async def send_answer(response: Response[bytes] | None, usual_status: int, send: Send) -> None:
    """Send `response`, which has `usual_status` unless it says otherwise; None has no content."""
    status = usual_status if response is None else response.status_code or usual_status
    headers = [*_kind_and_size(response, status), *_other_headers(response)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if isinstance(response, WholeFile):
        await send({"type": "http.response.pathsend", "path": response.path})
    else:
        body = b"" if response is None else response.content
        await send({"type": "http.response.body", "body": body, "more_body": False})


def _kind_and_size(response: Response[bytes] | None, status: int) -> list[tuple[bytes, bytes]]:
    """What an answer says of its content; one that has none says nothing."""
    if response is None or status == HTTP_304_NOT_MODIFIED:
        return []
    kind = str(response.media_type)
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    size_bytes = response.size_bytes if isinstance(response, WholeFile) else len(response.content)
    return [(b"content-type", kind.encode()), (b"content-length", b"%d" % size_bytes)]


def _other_headers(response: Response[bytes] | None) -> list[tuple[bytes, bytes]]:
    if response is None:
        return []
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
