"""`firstbell settings`: what an operator can set."""

from dataclasses import fields

import typer

from firstbell.cli import app
from firstbell.settings import Settings


@app.command("settings")
def list_settings() -> None:
    """Print every setting as a Markdown table: name in the environment, default, unit, and what it is for."""
    typer.echo(settings_table())


def settings_table() -> str:
    """The table that `docs/settings.md` holds."""
    rows = [
        (f"`FIRSTBELL_{knob.name.upper()}`", _default(knob.default), knob.metadata["unit"], knob.metadata["why"])
        for knob in fields(Settings)
    ]
    return "\n".join(
        [
            "| setting | default | unit | what for, why |",
            "|---|---|---|---|",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    )


def _default(value: object) -> str:
    return f"`{value}`" if str(value) else ""
