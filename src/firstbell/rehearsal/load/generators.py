"""The generators' processes, seen from the one that conducts."""

import multiprocessing
import time
from contextlib import suppress
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from firstbell.rehearsal.load.generator import run_generator
from firstbell.rehearsal.load.orders import AttackOrders, Orders
from firstbell.rehearsal.load.tally import Tally

END_SECONDS = 10.0


News = tuple[Tally, list[tuple[str, str]]] | EOFError | None


class GeneratorError(RuntimeError):
    """A generator's process ended by itself."""


class Generator:
    """One process that plays people or attackers; started by spawn, so that it carries nothing of ours."""

    def __init__(self, core: int | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe: Pipe
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=run_generator, args=(far, core), daemon=True)
        self._process.start()
        far.close()
        self.is_playing = False
        # Read at once, whatever the conductor does meanwhile: a full pipe would hold the generator up.
        self._news: SimpleQueue[News] = SimpleQueue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def read_cast(self, cast: Path) -> None:
        """Have the people read who may come, which takes a moment, and wait for it.

        Raises:
            GeneratorError: its process is gone.
        """
        self._pipe.send(cast)
        self.is_playing = True
        while self.is_playing:
            time.sleep(0.01)
            self.collect(Tally(), [])

    def play(self, orders: Orders | AttackOrders) -> None:
        """Begin; `collect` says what happens."""
        self._pipe.send(orders)
        self.is_playing = True

    def collect(self, tally: Tally, receipts: list[tuple[str, str]]) -> None:
        """Add what came since the last time.

        Raises:
            GeneratorError: its process is gone.
        """
        while self.is_playing and not self._news.empty():
            news = self._news.get()
            if isinstance(news, EOFError):
                raise GeneratorError("A generator ended before its time; its reason is above.") from news
            if news is None:
                self.is_playing = False
            else:
                tally.add(news[0])
                receipts.extend(news[1])

    def stop(self) -> None:
        """End the process, at once when it plays."""
        if self.is_playing:
            self._process.kill()
        self._pipe.close()
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _read(self) -> None:
        with suppress(OSError):  # we closed it
            while True:
                try:
                    self._news.put(self._pipe.recv())
                except EOFError as error:
                    self._news.put(error)
                    return
