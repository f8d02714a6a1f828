"""One request from doorway to answer, as everything inside the application knows it."""

from datetime import datetime
from typing import Any

from firstbell.kernel.clock import Clock
from firstbell.kernel.cookies import cookie_in, cookie_text
from firstbell.kernel.db import Transaction
from firstbell.kernel.extras import Extra


class Visit:
    """One request, from doorway to answer: who asks, in which language, its transaction, its cookies.

    `brownout` is 0 in peace; from 1 to 3, pages leave out ever more of what can wait. `status` is 0 until the answer
    begins.
    """

    __slots__ = (
        "_headers",
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
        "status",
        "transaction",
        "viewer",
    )

    def __init__(
        self,
        headers: dict[bytes, bytes],
        request_id: str,
        transaction: Transaction,
        clock: Clock,
        *,
        is_reading: bool,
    ) -> None:
        self._headers = headers
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
        self.status = 0
        self.given_cookies: list[str] = []
        self.removed_cookies: list[str] = []
        self.keeps_transaction = True

    def header(self, name: bytes) -> str:
        """A header of the request, by its name in lower case; "" when it is not there."""
        return self._headers.get(name, b"").decode("latin-1")

    def cookie(self, name: str) -> str:
        """A cookie of the request; see `cookie_name`. "" when it is not there."""
        return cookie_in(self.header(b"cookie"), f"{name}=")

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


def visit_of(scope: Any) -> Visit:
    """The visit that the doorway put into this request's scope."""
    visit: Visit = scope["firstbell"]
    return visit
