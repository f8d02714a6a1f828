"""What changes who is signed in, and what people may sign in with."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from firstbell.domains.people import queries
from firstbell.domains.people.model import (
    CODE_LENGTH,
    PASSWORD_BYTES,
    Child,
    Credentials,
    Link,
    NewSession,
    PersonPage,
    RefreshToken,
    Session,
    Viewer,
    activation_code,
    hash_code,
    link_by_code,
    readable_password,
)
from firstbell.kernel.audit import record_audit
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import InvalidError, NotAllowedError, NotFoundError, NotSignedInError, StolenSessionError
from firstbell.kernel.i18n import mark
from firstbell.settings import Settings

_NO_CODE = mark("This code does not work. Look at the letters, or ask the school for a new one.")
_CODE_OF_ANOTHER = mark("This code is for somebody else. Ask the school for yours.")
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

    async def renew(self, tx: Transaction, viewer: Viewer) -> Viewer:
        """The viewer as the database has it now, for a cookie that says so.

        Raises:
            NotSignedInError: the session is over.
        """
        session = await queries.find_session(tx, viewer.school_id, viewer.session_id, now=self._clock.now())
        if session is None:
            raise NotSignedInError
        return session.viewer

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

    async def refresh(self, tx: Transaction, school_id: UUID, token: RefreshToken, *, at_once: bool) -> Session | None:
        """The session with the successor of `token`; None when it is over or the token is not ours.

        For the grace of 60 s the token before yields the same successor again: an answer may have been lost. That is
        why it may be rotated `at_once` where nothing else is written, before it is known what becomes of the request.

        Raises:
            StolenSessionError: an older token came back. The session is over, and that must be kept.
        """
        now = self._clock.now()
        session = await queries.rotate_session(
            tx,
            school_id,
            token,
            now=now,
            grace_began_at=now - self._grace,
            expires_at=now + self._lifetime,
            at_once=at_once,
        )
        if session is not None:
            return session
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

    async def end_all(self, tx: Transaction, viewer: Viewer) -> None:
        """Sign the account out everywhere, in every school of the cell."""
        await queries.sign_out_account(tx, viewer.account_id, now=self._clock.now())
        await record_change(tx, viewer.school_id, "account", [viewer.account_id])

    async def end_own(self, tx: Transaction, viewer: Viewer, school_id: UUID, session_id: UUID) -> None:
        """Sign out one of the viewer's own browsers, in whichever of their schools.

        Raises:
            NotFoundError: it is not the viewer's, or over already.
        """
        person_ids = [each.person_id for each in viewer.family if each.school_id == school_id]
        await tx.rescope((school_id,), school_id)
        if not await queries.end_own_session(tx, school_id, session_id, person_ids, now=self._clock.now()):
            raise NotFoundError
        await record_change(tx, school_id, "session", [session_id])

    async def _end_stolen(self, tx: Transaction, school_id: UUID, session_id: UUID, now: datetime) -> None:
        await tx.let_go()
        tx.scope((school_id,), school_id, reading_only=False)
        await queries.end_session(tx, school_id, session_id, now=now)
        await record_change(tx, school_id, "session", [session_id])


class Accounts:
    """Passwords, languages and codes, in the transaction of whoever asks."""

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
        self._code_lifetime = timedelta(days=settings.activation_code_days)

    def new_password(self) -> str:
        """One that can be read from a slip of paper, to be hashed before it is given."""
        return readable_password(self._random_bytes(PASSWORD_BYTES))

    async def set_password(self, tx: Transaction, school_id: UUID, account_id: UUID, password_hash: str) -> None:
        """Give an account another password, and end what is signed in with the one before."""
        await queries.change_password(tx, account_id, password_hash, now=self._clock.now())
        await record_change(tx, school_id, "account", [account_id])

    async def give_password(self, tx: Transaction, viewer: Viewer, person: PersonPage, password_hash: str) -> None:
        """Give somebody of the viewer's school a password.

        A school must not open another school's door: an account that reaches beyond this school stays as it is, and
        the person gets one of their own here.

        Raises:
            NotAllowedError: the viewer may not do this for this person.
        """
        if not person.takes_password_from(viewer):
            raise NotAllowedError
        account_id = person.account_id
        if await queries.is_account_shared(tx, account_id, viewer.school_id):
            account_id = self._ids.new()
            await queries.add_account(tx, account_id)
            await queries.move_person(tx, viewer.school_id, person.id, account_id)
        await self._note(tx, viewer, "set password", person.id)
        await self.set_password(tx, viewer.school_id, account_id, password_hash)
        await record_change(tx, viewer.school_id, "person", [person.id])

    async def give_activation_code(self, tx: Transaction, viewer: Viewer, person: PersonPage) -> str:
        """A new code for somebody of the viewer's school; the ones before are void.

        Raises:
            NotAllowedError: the viewer may not do this for this person.
        """
        if not person.takes_password_from(viewer):
            raise NotAllowedError
        code = await self.create_activation_code(tx, viewer.school_id, person.id)
        await self._note(tx, viewer, "make activation code", person.id)
        return code

    async def create_activation_code(self, tx: Transaction, school_id: UUID, person_id: UUID) -> str:
        """A code, good for a year, by which the holder of an account links this person to it, once."""
        code = activation_code(self._random_bytes(CODE_LENGTH))
        expires_at = self._clock.now() + self._code_lifetime
        await queries.add_activation_code(
            tx, school_id, self._ids.new(), person_id, hash_code(code), expires_at=expires_at
        )
        return code

    async def link(self, tx: Transaction, viewer: Viewer, code: str) -> None:
        """Link whoever a code is for to the viewer's account: their child, or themselves in another school.

        Raises:
            InvalidError: the code is not one, was used, is too old, or is for somebody else.
        """
        code_hash = hash_code(code)
        school_id = await queries.find_school_of_code(tx, code_hash)
        if school_id is None:
            raise InvalidError(_NO_CODE)
        await tx.rescope((school_id,), school_id)
        used = await queries.use_activation_code(tx, school_id, code_hash, now=self._clock.now())
        if used is None:
            raise InvalidError(_NO_CODE)
        person_id, roles = used
        match link_by_code(viewer.roles, roles):
            case Link.CHILD:
                await self._link_child(tx, viewer, school_id, person_id)
            case Link.SELF:
                await self._link_self(tx, viewer, school_id, person_id)
            case None:
                raise InvalidError(_CODE_OF_ANOTHER)
        await tx.rescope((viewer.school_id,), viewer.school_id)

    async def unlink_child(self, tx: Transaction, viewer: Viewer, child: Child) -> None:
        """Take a child that the viewer linked by a code off the viewer's account.

        Raises:
            NotFoundError: no code of the viewer linked the child.
        """
        school_id = child.school_id
        await tx.rescope((school_id,), school_id)
        for parent_id in [each.person_id for each in viewer.family if each.school_id == school_id]:
            if await queries.remove_linked_child(tx, school_id, parent_id, child.person_id):
                await record_change(tx, school_id, "account", [viewer.account_id])
                await tx.rescope((viewer.school_id,), viewer.school_id)
                return
        raise NotFoundError

    async def _link_child(self, tx: Transaction, viewer: Viewer, school_id: UUID, child_id: UUID) -> None:
        parent_id = await queries.find_parent(tx, school_id, viewer.account_id)
        if parent_id is None:
            parent_id = self._ids.new()
            await queries.add_parent(tx, school_id, parent_id, viewer)
        await queries.add_child(tx, school_id, parent_id, child_id, now=self._clock.now())
        await record_change(tx, school_id, "account", [viewer.account_id])

    async def _link_self(self, tx: Transaction, viewer: Viewer, school_id: UUID, person_id: UUID) -> None:
        await queries.move_person(tx, school_id, person_id, viewer.account_id)
        await queries.end_sessions_of(tx, school_id, person_id, now=self._clock.now())
        await record_change(tx, school_id, "person", [person_id])
        await record_change(tx, school_id, "account", [viewer.account_id])

    async def sign_out(self, tx: Transaction, viewer: Viewer, person: PersonPage) -> None:
        """Sign somebody of the viewer's school out of it, on every device: for a phone that was lost."""
        ended = await queries.end_sessions_of(tx, viewer.school_id, person.id, now=self._clock.now())
        await self._note(tx, viewer, "sign out everywhere", person.id)
        await record_change(tx, viewer.school_id, "session", ended)

    async def _note(self, tx: Transaction, viewer: Viewer, verb: str, person_id: UUID) -> None:
        await record_audit(
            tx,
            self._ids.new(),
            school_id=viewer.school_id,
            at=self._clock.now(),
            person_id=viewer.person_id,
            verb=verb,
            subject_kind="person",
            subject_id=person_id,
        )
