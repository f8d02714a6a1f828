"""Bids: while strangers have to wait, a device may show work and come in sooner.

The work is a proof of ALTCHA's second version: find the number below a bound whose SHA-256 is given. Finding it takes
half the bound's hashes, checking it takes one. It is a price, never an identity (Laurie and Clayton, "Proof of work
proves not to work", WEIS 2004): it buys one of few entries, and who cannot pay comes in by the line.
"""

import asyncio
import base64
import bisect
import hashlib
import hmac
import secrets
from typing import Annotated

import msgspec

from firstbell.gate.asker import Declared
from firstbell.gate.waiting import Ticket
from firstbell.kernel.routes import Priority

PATH = "/bid"
ROUTES = tuple(Declared(method, PATH, {"priority": Priority.P1}) for method in ("GET", "POST"))
"""Answered by the gate itself: GET gives a puzzle, POST takes its solution."""

BODY_BYTES_MAX = 2_000
HASHES = 10_000
"""Of one unit of effort, at most: 0.05 s of a laptop's browser, half a second of an old phone's."""
PUZZLE_S = 120
"""How long a puzzle can be solved: the slowest phone at the highest effort, and a while in a pocket."""
WAIT_S = 2.5
"""How long a bid stands; who is outbid until then may bid more, or wait in the line."""
WAITING_MAX = 128
"""Bids that stand at once; beyond it the lowest falls."""
SAVED_S = 2.0
"""Entries that nobody bid for are kept for so long."""
PERIOD_S = 10.0
_NONCE_BYTES = 16


class Effort:
    """What a bid costs at least, in units of `HASHES`.

    As proposal 327 of Tor ("A first take at PoW over introduction circuits") sets it: when more is bid than let in, to
    the mean of what was bid for each place given, at least one more than before; when bids hardly have to stand, to two
    thirds. Their period is 300 s; a morning is over by then.
    """

    def __init__(self, *, least: int, most: int) -> None:
        self._least = least
        self._most = most
        self._elapsed_s = 0.0
        self._bid = 0
        self._entered = 0
        self._outbid = 0
        self.now = least

    def asked(self, wished: int) -> int:
        """The effort of a puzzle for who wishes to bid so much."""
        return min(self._most, max(self.now, wished))

    def bid(self, effort: int) -> None:
        """Count a bid."""
        self._bid += effort

    def end(self, *, entered: bool) -> None:
        """Count what became of one."""
        self._entered += entered
        self._outbid += not entered

    def turn(self, seconds: float, standing: int) -> None:
        """Pass `seconds`, while so many bids stand."""
        self._elapsed_s += seconds
        if self._elapsed_s < PERIOD_S:
            return
        per_s = self._entered / self._elapsed_s
        if self._outbid:
            self.now = min(self._most, max(self.now + 1, self._bid // max(1, self._entered)))
        elif standing <= per_s / 4:
            self.now = max(self._least, self.now * 2 // 3)
        self._elapsed_s, self._bid, self._entered, self._outbid = 0.0, 0, 0, 0


class _Terms(msgspec.Struct, frozen=True):
    """What is signed with a puzzle: the effort, for whose ticket, until when (seconds since 1970)."""

    effort: int
    holder: str
    until: int


class _Parameters(msgspec.Struct, frozen=True, rename="camel"):
    """Of an ALTCHA challenge; what is signed is their JSON with sorted keys, so they stand in that order."""

    algorithm: str
    cost: int
    data: _Terms
    key_length: int
    key_prefix: str
    nonce: str
    salt: str


class _Challenge(msgspec.Struct, frozen=True):
    parameters: _Parameters
    signature: str


class _Solution(msgspec.Struct, frozen=True):
    counter: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class _Payload(msgspec.Struct, frozen=True):
    challenge: _Challenge
    solution: _Solution


_encode = msgspec.json.Encoder().encode
_decode_payload = msgspec.json.Decoder(_Payload).decode


class Puzzles:
    """Gives puzzles and values their solutions, each once; the memory of solutions is bounded.

    ALTCHA's own library takes 190 us for a puzzle and 175 us to look at a solution, which a flood would have for
    nothing; this takes a twentieth. That the library agrees is held by a test.
    """

    def __init__(self, secret: bytes, effort: Effort, *, kept_max: int) -> None:
        """`kept_max` solutions are remembered; when so many come while they are good, no more are taken."""
        self._secret = secret
        self._kept_max = kept_max // 2
        self._kept: tuple[set[str], set[str]] = (set(), set())
        self._began = 0.0
        self.effort = effort

    def puzzle(self, ticket: Ticket, now: float, wished: int = 0) -> bytes:
        """A puzzle for the holder of `ticket`, who wishes to bid so much, as ALTCHA's JSON."""
        effort = self.effort.asked(wished)
        nonce, salt = secrets.token_bytes(_NONCE_BYTES), secrets.token_bytes(_NONCE_BYTES)
        key = _derived(salt, nonce, secrets.randbelow(effort * HASHES))
        terms = _Terms(effort, ticket.holder.hex(), int(now) + PUZZLE_S)
        parameters = _Parameters("SHA-256", 1, terms, len(key), key[:_NONCE_BYTES].hex(), nonce.hex(), salt.hex())
        return _encode(_Challenge(parameters, self._signature(parameters)))

    def value(self, ticket: Ticket, payload: bytes, now: float) -> int:
        """The effort of `payload`, ALTCHA's in base64; 0 unless it solves a puzzle of this holder and is new."""
        try:
            given = _decode_payload(base64.b64decode(payload, validate=True))
        except (ValueError, msgspec.MsgspecError):
            return 0
        challenge = given.challenge
        parameters, terms = challenge.parameters, challenge.parameters.data
        if terms.holder != ticket.holder.hex() or terms.until < now:
            return 0
        if not hmac.compare_digest(challenge.signature.encode(), self._signature(parameters).encode()):
            return 0
        # What we signed has our form.
        salt, nonce = bytes.fromhex(parameters.salt), bytes.fromhex(parameters.nonce)
        key = _derived(salt, nonce, given.solution.counter)
        if not key.startswith(bytes.fromhex(parameters.key_prefix)) or not self._keep(parameters.nonce, now):
            return 0
        self.effort.bid(terms.effort)
        return terms.effort

    def _signature(self, parameters: _Parameters) -> str:
        return hmac.digest(self._secret, _encode(parameters), "sha256").hex()

    def _keep(self, nonce: str, now: float) -> bool:
        """Remember a puzzle in the younger of two generations, each as long as a puzzle is good."""
        if abs(now - self._began) >= PUZZLE_S:
            self._kept = (set(), self._kept[0])
            self._began = now
        young, old = self._kept
        if nonce in young or nonce in old or len(young) >= self._kept_max:
            return False
        young.add(nonce)
        return True


class Auction:
    """The bids that stand: the highest enters next, of equal ones the earliest."""

    def __init__(self, effort: Effort, *, share: float, least_per_s: float) -> None:
        """Bidders get `share` of the rate of entries beside it, and at least `least_per_s`."""
        self._effort = effort
        self._share = share
        self._least_per_s = least_per_s
        self._standing: list[tuple[int, float, asyncio.Future[bool]]] = []
        self._saved = 1.0
        self._filled = 0.0

    def __len__(self) -> int:
        return len(self._standing)

    def bid(self, effort: int, now: float) -> "asyncio.Future[bool]":
        """Let a bid stand from `now` on; the future tells whether it entered."""
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        bisect.insort(self._standing, (effort, -now, ended), key=lambda bid: bid[:2])
        if len(self._standing) > WAITING_MAX:
            self._end(0, entered=False)
        return ended

    def fill(self, rate_per_s: float, now: float) -> None:
        """Let in who may enter now, while `rate_per_s` people may come in; end what has stood too long."""
        per_s = max(self._least_per_s, rate_per_s * self._share)
        seconds = now - self._filled if self._filled else 0.0
        self._saved = min(max(1.0, per_s * SAVED_S), self._saved + (per_s * seconds if seconds else 0.0))
        self._filled = now
        while self._standing and self._saved >= 1:
            self._saved -= 1
            self._end(-1, entered=True)
        for place in reversed(range(len(self._standing))):
            if now + self._standing[place][1] > WAIT_S:
                self._end(place, entered=False)

    def _end(self, place: int, *, entered: bool) -> None:
        *_, ended = self._standing.pop(place)
        self._effort.end(entered=entered)
        if not ended.done():
            ended.set_result(entered)


def _derived(salt: bytes, nonce: bytes, counter: int) -> bytes:
    """ALTCHA's key for a counter, of one round of SHA-256."""
    return hashlib.sha256(salt + nonce + counter.to_bytes(4)).digest()
