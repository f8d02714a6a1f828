"""What changes who is signed in, and what people may sign in with."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from firstbell.domains.people import queries
from firstbell.domains.people.model import Credentials, NewSession, RefreshToken, Session
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import StolenSessionError
from firstbell.settings import Settings

_SECRET_BYTES = 16
_BROWSER_LETTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where and how somebody signs in."""

    school_id: UUID
    device_id: UUID
    browser: str
    is_shared_device: bool


class Sessions:
    """Starts, refreshes and ends sessions, in the transaction of whoever asks."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ids: Ids,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._random_bytes = random_bytes
        self._lifetime = timedelta(days=settings.refresh_days)
        self._shared_lifetime = timedelta(hours=settings.shared_device_hours)
        self._grace = timedelta(seconds=settings.refresh_grace_seconds)

    async def start(self, tx: Transaction, sign_in: SignIn, credentials: Credentials) -> Session | None:
        """A session for whoever gave the right password; None when that password was changed meanwhile."""
        now = self._clock.now()
        new = NewSession(
            school_id=sign_in.school_id,
            id=self._ids.new(),
            person_id=credentials.person_id,
            account_id=credentials.account_id,
            device_id=sign_in.device_id,
            browser=sign_in.browser[:_BROWSER_LETTERS_MAX],
            is_shared_device=sign_in.is_shared_device,
            secret=self._random_bytes(_SECRET_BYTES),
            at=now,
            expires_at=now + (self._shared_lifetime if sign_in.is_shared_device else self._lifetime),
        )
        return await queries.add_session(tx, new, password_hash=credentials.password_hash)

    async def refresh(self, tx: Transaction, school_id: UUID, token: RefreshToken) -> Session | None:
        """The session with the successor of `token`; None when it is over or the token is not ours.

        For the grace of 60 s the token before yields the same successor again: an answer may have been lost.

        Raises:
            StolenSessionError: an older token came back. The session is over, and that must be kept.
        """
        now = self._clock.now()
        session = await queries.rotate_session(
            tx, school_id, token, now=now, grace_began_at=now - self._grace, expires_at=now + self._lifetime
        )
        if session is not None:
            return session if token.is_issued_with(session.secret) else None
        session = await queries.find_session(tx, school_id, token.session_id, now=now)
        if session is None or not token.is_issued_with(session.secret):
            return None
        if token.generation == session.previous_generation:
            return session
        await self._end_stolen(tx, school_id, token.session_id, now)
        raise StolenSessionError

    async def end(self, tx: Transaction, school_id: UUID, session_id: UUID) -> None:
        """Sign out one browser."""
        if await queries.end_session(tx, school_id, session_id, now=self._clock.now()):
            await record_change(tx, school_id, "session", [session_id])

    async def _end_stolen(self, tx: Transaction, school_id: UUID, session_id: UUID, now: datetime) -> None:
        await queries.end_session(tx, school_id, session_id, now=now)
        await record_change(tx, school_id, "session", [session_id])
