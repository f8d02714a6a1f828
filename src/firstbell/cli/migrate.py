"""`firstbell migrate`: the schema of the database."""

import asyncio

from asyncpg.exceptions import PostgresError

from firstbell.cli import app, operator_settings
from firstbell.kernel import migrations
from firstbell.kernel.errors import OperatorError


@app.command()
def migrate() -> None:
    """Bring the database up to date, as the role that owns the tables; safe beside processes that serve."""
    settings = operator_settings()
    if not settings.database_owner_url:
        raise OperatorError("FIRSTBELL_DATABASE_OWNER_URL is empty; migrations need the role that owns the tables.")
    try:
        ran = asyncio.run(migrations.migrate(settings.database_owner_url))
    except (OSError, PostgresError) as error:
        raise OperatorError(f"The database cannot be migrated: {error}") from error
    print("\n".join(f"Ran {name}." for name in ran) or "The database is up to date.")
