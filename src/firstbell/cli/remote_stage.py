"""An installation that is not our own, as a rehearsal sees it: an address, and people with devices from its cast.

Nothing of it can be measured but its answers: no CPU, no memory, no price of a refusal; and nothing is broken there.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import msgspec

from firstbell.kernel.errors import OperatorError
from firstbell.rehearsal.bench.awake import WorkReading
from firstbell.rehearsal.cast import find_asset, make_arms
from firstbell.rehearsal.conductor import Played
from firstbell.rehearsal.ledger import Reckoned, check_ledger
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.scenarios.scenario import Fault, Scenario


def aim_at(target: str, again: str | None) -> Target:
    """The target `HOST:PORT`, which must be this machine unless it was named twice.

    Raises:
        OperatorError: it is another machine and `again` is not its name, or it is no address.
    """
    host, _, port = target.rpartition(":")
    try:
        address = socket.gethostbyname(host)
        aimed = Target(address, int(port))
    except (OSError, ValueError) as error:
        raise OperatorError(f"{target!r} is not an address such as school.example:443: {error}.") from None
    if not ip_address(address).is_loopback and again != target:
        raise OperatorError(
            f"{target} is not this machine. A rehearsal is an attack on whoever did not ask for it; "
            f"if that installation is yours, say --target-again {target} as well."
        )
    return aimed


class RemoteStage:
    """The other installation. People come from many addresses only where it is on this machine."""

    has_edge = False
    playing_core = None

    def __init__(self, target: Target, cast: Path, scenario: Scenario) -> None:
        if any(phase.faults for phase in scenario.phases):
            raise OperatorError(f"{scenario.name} breaks things, which is done only to an installation of its own.")
        self.target = target
        self.cast = cast
        self._players = _read_cast(cast)
        self.people: Mapping[str, int] = Counter(sorted(player.host for player in self._players))
        hosts = list(self.people)
        is_here = ip_address(target.host).is_loopback
        if not is_here and any(player.source for player in self._players):
            raise OperatorError(f"{cast} gives people addresses of this machine; make it with firstbell cast --away.")
        try:
            asset = asyncio.run(find_asset(target, hosts[0]))
        except OSError as error:
            raise OperatorError(f"{target.host}:{target.port} does not answer: {error.strerror}.") from None
        self.arms = make_arms(hosts, self._players, asset, is_here=is_here)

    def invite(self, devices: int) -> None:
        """Whoever is in the cast may come; after the last the first comes again."""

    def application(self) -> Sequence[int]:
        """Not ours to see."""
        return ()

    def database(self) -> Sequence[int]:
        """Not ours to see."""
        return ()

    def work(self) -> WorkReading:
        """Not ours to see."""
        return WorkReading()

    def keep(self) -> None:
        """Whoever runs it keeps it running."""

    def break_down(self, fault: Fault) -> None:
        """Never happens: a scenario with faults is refused."""
        raise AssertionError(fault)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """There is nothing to price."""
        yield None

    def check_ledger(self, played: Played) -> Reckoned:
        """Look for everything that was acknowledged."""
        by_name = {f"{player.host}/{player.sign_in_name}": player for player in self._players}
        receipts = [(receipt, by_name[name]) for receipt, name in played.receipts]
        return asyncio.run(check_ledger(self.target, receipts))


def _read_cast(cast: Path) -> list[Player]:
    try:
        players = [msgspec.json.decode(line, type=Player) for line in cast.read_bytes().splitlines()]
    except OSError as error:
        raise OperatorError(f"{cast} cannot be read: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise OperatorError(f"{cast} is not a file of firstbell cast: {error}.") from None
    if not players:
        raise OperatorError(f"There is nobody in {cast}.")
    return players
