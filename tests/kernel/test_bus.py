"""The bus: hints arrive while NATS is there, and nobody waits for it while it is not."""

import asyncio
import socket
from pathlib import Path

import pytest

from firstbell.kernel.bus import PENDING_HINTS_MAX, Bus, BusState
from firstbell.kernel.engines import Engines


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    """A data folder on which only NATS is started, by the test."""
    made = Engines(tmp_path)
    made.take()
    return made


async def until(holds: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await holds.wait()


def test_hints_arrive_again_after_nats_was_killed(engines: Engines) -> None:
    async def scene() -> None:
        first = engines.start_nats()
        bus, heard, connections = Bus(engines.addresses.nats_url, "test"), asyncio.Queue[bytes](), asyncio.Queue[int]()

        async def hear(payload: bytes) -> None:
            await heard.put(payload)

        async def note() -> None:
            await connections.put(1)

        bus.subscribe("changes", hear)
        bus.on_connect(note)
        await bus.start()
        async with asyncio.timeout(30):
            await connections.get()
            bus.publish("changes", b"one")
            assert await heard.get() == b"one"
            first.process.kill()
            first.process.wait()
            while bus.state is BusState.CONNECTED:
                await asyncio.sleep(0.01)
            bus.publish("changes", b"two")
            engines.start_nats()
            await connections.get()
            assert await heard.get() == b"two"
        await bus.stop()

    try:
        asyncio.run(scene())
    finally:
        engines.stop()


def test_a_process_starts_and_publishes_without_nats() -> None:
    async def scene() -> None:
        bus = Bus("nats://127.0.0.1:1", "test")
        await bus.start()
        for _ in range(PENDING_HINTS_MAX + 10):
            bus.publish("changes", b"")
        await asyncio.sleep(0.3)
        assert bus.state is BusState.CONNECTING
        await bus.stop()

    asyncio.run(scene())


def test_a_listener_that_fails_hears_the_next_hint(engines: Engines) -> None:
    async def scene() -> None:
        engines.start_nats()
        bus, heard = Bus(engines.addresses.nats_url, "test"), asyncio.Event()

        async def hear(payload: bytes) -> None:
            if payload == b"bad":
                raise RuntimeError("cannot")
            heard.set()

        bus.subscribe("changes", hear)
        await bus.start()
        bus.publish("changes", b"bad")
        bus.publish("changes", b"good")
        await until(heard)
        await bus.stop()

    try:
        asyncio.run(scene())
    finally:
        engines.stop()


def test_nobody_speaks_on_the_embedded_bus_without_its_token(engines: Engines) -> None:
    engines.start_nats()
    try:
        port = int(engines.addresses.nats_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 5) as stranger, stranger.makefile("rwb") as lines:
            assert lines.readline().startswith(b"INFO")
            lines.write(b'CONNECT {"verbose": true}\r\nPING\r\n')
            lines.flush()
            assert lines.readline() == b"-ERR 'Authorization Violation'\r\n"
    finally:
        engines.stop()


def test_a_bus_that_is_stopped_at_any_moment_of_connecting_stops(engines: Engines) -> None:
    async def scene() -> None:
        for moment in range(100):
            bus = Bus(engines.addresses.nats_url, "test")
            await bus.start()
            await asyncio.sleep(moment * 50e-6)
            async with asyncio.timeout(20):
                await bus.stop()

    engines.start_nats()
    try:
        asyncio.run(scene())
    finally:
        engines.stop()
