"""What a long command shows while it works: one line for each step, with a bar where the amount is known."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

Advance = Callable[[int], None]
"""Tell how many more of the step's parts are done."""


class Steps:
    """Shows steps one after the other: alive on a terminal, as plain lines in a log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, words: str, parts: int | None = None) -> Iterator[Advance]:
        """Show `words` while the block runs, and how long it took; `parts` is how far its `Advance` counts."""
        began = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(f"{words} ...", highlight=False)
        columns = [SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}")]
        counted = [BarColumn(bar_width=24), TaskProgressColumn()] if parts else []
        with Progress(
            *columns, *counted, console=self._console, transient=True, disable=not self._console.is_terminal
        ) as progress:
            task = progress.add_task(words, total=parts)
            yield lambda number: progress.advance(task, number)
        if self._console.is_terminal:
            took = time.monotonic() - began
            self._console.print(f"[green]✓[/] {words} [dim]{took:.1f} s[/]", highlight=False)
