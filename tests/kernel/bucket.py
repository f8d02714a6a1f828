"""A bucket that speaks as much S3 as a store of blobs needs, on a port of this machine."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit


class Bucket(ThreadingHTTPServer):
    """Objects by their keys. `is_down`: it answers nothing but that it cannot."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.is_down = False

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running_bucket() -> Iterator[Bucket]:
    """A bucket for as long as the block runs."""
    bucket = Bucket()
    thread = Thread(target=bucket.serve_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        bucket.shutdown()
        bucket.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        upload = self.asked.get("uploadId")
        if upload:
            self.server.parts[upload[0]][int(self.asked["partNumber"][0])] = data
        else:
            self.server.objects[self.key] = data
        self.answer(200, tag=hashlib.md5(data).hexdigest())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"] or 0))
        if "uploads" in self.asked:
            self.server.parts["u"] = {}
            self.answer(200, b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
            return
        parts = self.server.parts.pop(self.asked["uploadId"][0])
        self.server.objects[self.key] = b"".join(parts[number] for number in sorted(parts))
        self.answer(200, b'<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>')

    def do_GET(self) -> None:
        data = self.server.objects.get(self.key)
        asked = self.headers["range"]
        if data is None:
            self.answer(404)
        elif asked:
            first, last = (int(number) for number in asked.removeprefix("bytes=").split("-"))
            self.answer(206, data[first : last + 1], about=f"bytes {first}-{min(last, len(data) - 1)}/{len(data)}")
        else:
            self.answer(200, data)

    do_HEAD = do_GET  # noqa: N815

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.key, None)
        self.answer(204)

    @property
    def key(self) -> str:
        return urlsplit(self.path).path.removeprefix("/documents/")

    @property
    def asked(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def answer(self, status: int, data: bytes = b"", tag: str = "x", about: str = "") -> None:
        self.send_response(503 if self.server.is_down else status)
        self.send_header("ETag", f'"{tag}"')
        self.send_header("Last-Modified", "Thu, 19 Nov 2026 08:00:00 GMT")
        self.send_header("Content-Length", str(0 if self.server.is_down else len(data)))
        if about:
            self.send_header("Content-Range", about)
        self.end_headers()
        if self.command != "HEAD" and not self.server.is_down:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Say nothing."""
