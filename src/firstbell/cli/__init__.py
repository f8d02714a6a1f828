"""The command line: one file per noun."""

import os
import secrets
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from firstbell.kernel.clock import begin_clock
from firstbell.kernel.engines import running_addresses
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.processes import birth_of
from firstbell.settings import SettingError, Settings, read_settings

COMMANDS = (
    "demo",
    "demo-school",
    "serve",
    "work",
    "edge",
    "migrate",
    "settings",
    "school",
    "person",
    "timetable",
    "bench",
    "rehearse",
    "cast",
    "capacity",
)
"""Each is a module beside this one, with `-` written as `_`."""

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def firstbell() -> None:
    """The school platform which holds at the first bell."""


def main() -> None:
    """Run `firstbell`. What an operator must know is one sentence on standard error, and the exit status is 1."""
    # Of several commands only the wanted one is loaded: a server's parent process needs no importer of rosters.
    named = sys.argv[1:2]
    for name in named if set(named) <= set(COMMANDS) and named else COMMANDS:
        import_module(f"firstbell.cli.{name.replace('-', '_')}")
    try:
        app()
    except (OperatorError, SettingError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def operator_settings(**options: Any) -> Settings:
    """The settings of a command: the environment, the `options` given, and the engines that run on the data folder.

    Raises:
        SettingError: a setting cannot be read.
        OperatorError: no database is named and none runs on the data folder, or one is named without secret keys.
    """
    given = {name: value for name, value in options.items() if value is not None}
    settings = with_running_clock(read_settings(**given))
    if settings.database_url:
        if not settings.secret_keys:
            raise OperatorError(
                "FIRSTBELL_SECRET_KEYS is empty; give it an id and 64 hexadecimal digits, such as a:"
                "$(openssl rand -hex 32), the same in every process."
            )
        return settings
    addresses = running_addresses(settings.data_dir)
    if addresses is None:
        raise OperatorError(
            f"Nothing runs on the data folder {settings.data_dir}: start bin/demo, "
            "or name a database in FIRSTBELL_DATABASE_URL."
        )
    return addresses.settings(with_kept_keys(settings))


def with_running_clock(settings: Settings) -> Settings:
    """`settings` with a clock that has begun to run.

    Raises:
        OperatorError: the clock cannot be read.
    """
    try:
        return replace(settings, clock=begin_clock(settings.clock))
    except ValueError as error:
        raise OperatorError(f"FIRSTBELL_CLOCK is not an instant such as 2026-10-05T08:15:00+02:00: {error}.") from error


def with_kept_keys(settings: Settings) -> Settings:
    """`settings` with the secret keys of its data folder, made at the first time, unless it names its own."""
    if settings.secret_keys:
        return settings
    kept = settings.data_dir / "secret_keys"
    if not kept.exists():
        fresh = kept.with_suffix(".fresh")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"a:{secrets.token_hex(32)}")
        fresh.rename(kept)
    return replace(settings, secret_keys=kept.read_text().strip())


def share_metrics(data_dir: Path) -> None:
    """Count together with the other processes of this node; call before anything imports the metrics."""
    folder = data_dir / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        if not birth_of(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
