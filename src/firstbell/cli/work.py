"""`firstbell work`: the jobs, and what became of them."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from firstbell.cli import app, operator_settings, share_metrics
from firstbell.cli.checks import check_database
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.jobs import list_held, list_queue, release_held
from firstbell.settings import Settings

_Result = TypeVar("_Result")

work = typer.Typer(help="Run the background work of this cell, or see what became of it.")
app.add_typer(work, name="work")


@work.callback(invoke_without_command=True)
def run(context: typer.Context) -> None:
    """Run jobs and schedules until SIGTERM; those that run then are finished first."""
    if context.invoked_subcommand is not None:
        return
    settings = operator_settings()
    share_metrics(settings.data_dir)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    from firstbell.background import create_runner  # only now: it counts where share_metrics said  # noqa: PLC0415

    await check_database(settings.database_jobs_url)
    async with create_runner(settings) as runner:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, runner.stop)
        await runner.run()


@work.command("now")
def run_now(name: Annotated[str, typer.Argument(help="A schedule, such as empty-bins.")]) -> None:
    """Do the work of one schedule now, whatever the time."""
    settings = operator_settings()
    share_metrics(settings.data_dir)
    asyncio.run(_run_now(settings, name))


async def _run_now(settings: Settings, name: str) -> None:
    from firstbell.background import create_runner  # noqa: PLC0415 - see _run

    await check_database(settings.database_jobs_url)
    async with create_runner(settings) as runner:
        if name not in runner.schedule_names:
            raise typer.BadParameter(f"There is no schedule {name}; there are {', '.join(runner.schedule_names)}.")
        await runner.run_now(name)


@work.command("status")
def show_status() -> None:
    """Show what waits, what runs, and the jobs that failed every time."""

    async def ask(tx: Transaction) -> None:
        lines, held = await list_queue(tx), await list_held(tx)
        console = Console()
        if not lines:
            console.print("No job waits.")
            return
        table = Table("job", "state", "number", "oldest since")
        for line in lines:
            table.add_row(line.name, line.state, str(line.count), f"{line.oldest:%Y-%m-%d %H:%M}")
        console.print(table)
        if held:
            failed = Table("id", "job", "failed since", "reason", title="Failed every time")
            for job in held:
                failed.add_row(str(job.id), job.name, f"{job.since:%Y-%m-%d %H:%M}", job.reason[:200])
            console.print(failed)

    _ask(ask)


@work.command("retry")
def retry(
    ids: Annotated[list[int], typer.Argument(help="Numbers from `work status`.")],
) -> None:
    """Let failed jobs run again, from their first attempt."""

    async def ask(tx: Transaction) -> int:
        return await release_held(tx, ids)

    typer.echo(f"{_ask(ask)} of {len(ids)} jobs will run again.")


def _ask(question: Callable[[Transaction], Awaitable[_Result]]) -> _Result:
    settings = operator_settings()

    async def ask() -> _Result:
        await check_database(settings.database_jobs_url)
        pool = await Pool.open(
            settings.database_jobs_url,
            connections_max=1,
            statement_timeout_ms=settings.database_statement_timeout_ms,
        )
        try:
            async with pool.begin() as tx:
                return await question(tx)
        finally:
            await pool.close()

    return asyncio.run(ask())
