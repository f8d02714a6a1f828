"""The command line: one file per noun."""

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


def main() -> None:
    """Run `firstbell`."""
    app()


from firstbell.cli import serve as serve  # noqa: E402
from firstbell.cli import settings as settings  # noqa: E402
