"""Somebody who takes part, and what their browser keeps."""

import msgspec

from firstbell.rehearsal.bench.connection import FORM, Answer, browser_request


class Player(msgspec.Struct, kw_only=True):
    """A person with a device, as the cast has them: one line of its file."""

    role: str
    host: str
    sign_in_name: str
    password: str
    source: str
    """The address of this machine that the device comes from: a school's, shared by its pupils, or a home's."""
    cookies: dict[str, str]
    """Refresh token and device pass of a known device; empty for a device that was never here."""
    week: str = ""
    course: str = ""
    documents: tuple[str, ...] = ()
    folder: str = ""
    """Where a teacher hands material in."""

    @property
    def is_known(self) -> bool:
        """True on a device on which somebody signed in before."""
        return "device" in self.cookies

    @property
    def shares_address(self) -> bool:
        """True for who comes from a school's address."""
        return self.role != "parent"

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = FORM) -> bytes:
        """The bytes that a browser sends."""
        return browser_request(method, self.host, path, self.cookies, body=body, content_type=content_type)

    def keep(self, answer: Answer) -> None:
        """Keep the cookies that came with `answer`."""
        for name, value in answer.cookies().items():
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
