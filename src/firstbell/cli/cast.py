"""Signs people in on devices that a rehearsal then plays, and `firstbell cast`, which does so for another machine's."""

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from firstbell.cli import app, operator_settings
from firstbell.cli.school import jobs_pool
from firstbell.domains.people import queries
from firstbell.domains.people.access import CookieJar
from firstbell.domains.people.model import RefreshToken, School
from firstbell.domains.people.queries.rehearsing import Device, add_devices
from firstbell.kernel.clock import clock_from
from firstbell.kernel.errors import OperatorError
from firstbell.rehearsal.bench.connection import AnswerError
from firstbell.rehearsal.cast import look_around, source_of, write_cast
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player
from firstbell.settings import Settings

DEVICES_EACH_MAX = 100

_Schools = Sequence[tuple[School, str]]
"""Each with its first host name."""


@app.command()
def cast(
    file: Annotated[Path, typer.Argument(help="File for the cast; whoever has it is signed in as everybody.")],
    each: Annotated[int, typer.Option(min=1, max=DEVICES_EACH_MAX, help="Devices of each person.")] = 1,
    *,
    away: Annotated[bool, typer.Option("--away", help="It is played from another machine, from its address.")] = False,
) -> None:
    """Sign everybody of this installation in on devices, for rehearse --target."""
    settings = operator_settings()
    target = Target(settings.host, settings.port)
    try:
        devices = asyncio.run(_write_cast(settings, target, file, each, away=away))
    except* (OSError, AnswerError):
        raise OperatorError(f"The web of this installation does not answer at {target.host}:{target.port}.") from None
    typer.echo(f"{file} has {devices:,} devices. They stay signed in; remove it after the rehearsal.")


async def _write_cast(settings: Settings, target: Target, file: Path, each: int, *, away: bool) -> int:
    schools = await schools_of(settings)
    # A device of its own for looking around, since that uses up its token.
    links = await look_around(target, await sign_in_devices(settings, schools, 1, ""))
    players = await sign_in_devices(settings, schools, each, "")
    if away:
        players = [msgspec.structs.replace(player, source="") for player in players]
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)):
        write_cast(file, players, links)
    return len(players)


async def schools_of(settings: Settings) -> list[tuple[School, str]]:
    """All schools with their first host names."""
    async with jobs_pool(settings) as pool, pool.begin(reading_only=True) as tx:
        return [(school, hosts[0]) for school, hosts in await queries.list_schools(tx)]


async def sign_in_devices(settings: Settings, schools: _Schools, each: int, password: str) -> list[Player]:
    """Everybody on `each` devices; `password` is what they sign in with on others, "" when nobody knows it."""
    jar, now = CookieJar(settings), clock_from(settings.clock).now()
    until = now + timedelta(days=settings.refresh_days)
    players: list[Player] = []
    async with jobs_pool(settings) as pool:
        for school, host in schools:
            async with pool.begin((school.id,), school.id) as tx:
                devices = await add_devices(tx, school.id, each, at=now, until=until)
            players += [_player(device, host, password, jar, now.timestamp()) for device in devices]
    return players


def _player(device: Device, host: str, password: str, jar: CookieJar, now_s: float) -> Player:
    token = RefreshToken.issue(device.session_id, 1, device.secret)
    return Player(
        role=device.role.value,
        host=host,
        sign_in_name=device.sign_in_name,
        password=password,
        source=source_of(host, device.sign_in_name, device.role.value),
        cookies={"refresh": token.text(), "device": jar.device_pass(device.device_id, now_s)},
    )
