"""What the pages about people share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.enums import RequestEncodingType
from litestar.params import Body

from firstbell.domains.people.access import CookieJar
from firstbell.domains.people.actions import Accounts, Sessions, SignIn
from firstbell.domains.people.model import (
    ROLE_NAMES,
    Credentials,
    Role,
    Session,
    browser_name,
)
from firstbell.kernel.clock import Ids
from firstbell.kernel.guesses import Attempt, Guesses
from firstbell.kernel.http import see_other, source_of
from firstbell.kernel.passwords import PasswordLane
from firstbell.kernel.problems import translate
from firstbell.kernel.visit import Visit, visit_of
from firstbell.settings import Settings

Asked = Request[Any, Any, Any]
FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
Word = Annotated[str, msgspec.Meta(max_length=200)]
Secret = Annotated[str, msgspec.Meta(max_length=1_000)]
SECRETS_BYTES_MAX = 12_000
"""Of a form with passwords, every letter escaped: the gate holds it until it is whole."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What signing in and changing a password need beside a transaction."""

    jar: CookieJar
    sessions: Sessions
    accounts: Accounts
    passwords: PasswordLane
    guesses: Guesses
    ids: Ids
    settings: Settings

    def attempt(self, request: Asked, name: str) -> Attempt:
        """The attempt to sign in that a request is."""
        visit = visit_of(request.scope)
        device_id = self.jar.device_id(visit)
        device = None if device_id is None else device_id.bytes
        return Attempt(visit.school.id.bytes, name, device, source_of(request.scope))

    async def sign_in(self, request: Asked, credentials: Credentials, *, is_shared: bool) -> Session | None:
        """Start a session on the device that asks; None when the password is another by now."""
        visit = visit_of(request.scope)
        known = None if is_shared else self.jar.device_id(visit)
        device_id = known or self.ids.new()
        browser = browser_name(visit.header(b"user-agent"))
        wanted = SignIn(visit.school.id, device_id, browser, is_shared)
        session = await self.sessions.start(visit.transaction, wanted, credentials)
        if session is not None:
            self.jar.keep(visit, session)
            if not is_shared:
                self.jar.keep_device(visit, device_id)
        return session


def signed_out(request: Asked, desk: Desk) -> Response[Any]:
    """To the sign-in page, with nothing left in the browser but that the device is known."""
    desk.jar.drop(visit_of(request.scope))
    return see_other("/sign-in", {"Clear-Site-Data": '"cache", "storage"'})


def role_words(visit: Visit) -> Callable[[Iterable[Role]], str]:
    """What people call roles, in the language of the visit, for a template."""
    return lambda roles: ", ".join(translate(visit, ROLE_NAMES[role], {}) for role in roles)
