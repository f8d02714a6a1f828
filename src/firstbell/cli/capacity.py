"""`firstbell capacity`: how large an installation must be."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from firstbell.cli import app
from firstbell.kernel.errors import OperatorError
from firstbell.rehearsal.plan import OUR_COSTS, plan, read_costs

PUPILS_MAX = 100_000_000


@app.command()
def capacity(
    pupils: Annotated[int, typer.Option(min=1, max=PUPILS_MAX, help="Pupils of all schools together.")],
    costs: Annotated[
        Path, typer.Option(help="Figures of bin/bench --json from your own machine, else ours.", show_default=False)
    ] = OUR_COSTS,
) -> None:
    """Work out nodes, cells and lines for the first bell from what each step of a morning costs."""
    try:
        measured = read_costs(costs)
        needed = plan(pupils, measured)
    except OSError as error:
        raise OperatorError(f"{costs} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise OperatorError(f"{costs} is not a file of bin/bench --json: {error}.") from error
    except KeyError as error:
        raise OperatorError(f"{costs} has no figures for the step {error}.") from error
    for number, sentence in enumerate(needed.reasoning, 1):
        typer.echo(f"{number}. {sentence}")
    typer.echo(
        f"\nCells: {needed.cells}. Web nodes: {needed.web_nodes}. Cores of PostgreSQL: {needed.database_cores}. "
        f"Lines: {needed.megabits_per_s:,} Mbit/s."
    )
