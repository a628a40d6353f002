"""Alembic environment: the connection and what is compared. See https://alembic.sqlalchemy.org."""

import logging
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from app.db import models
from app.settings import load_settings
from migrations.autogenerate import review
from migrations.rendering import render_item

# Does nothing where logging is configured already, as in tests.
logging.basicConfig(format="%(levelname)s [%(name)s] %(message)s")
logging.getLogger("alembic").setLevel(logging.INFO)


def migrate(connection: sa.Connection) -> None:
    """Run the migrations, each in its own transaction."""
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        render_item=render_item,
        process_revision_directives=review,
        transaction_per_migration=True,
        compare_server_default=True,
        # The second one compares CHECK constraints by name.
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
        transactional_ddl=True,
        # SQLite can alter little in place: Alembic copies the table instead.
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def unavailable(url: sa.URL, error: Exception) -> CommandError:
    """Return the error for a failed connection."""
    reason = str(getattr(error, "orig", error)).partition("\n")[0]
    name = f"{url.host}/{url.database}" if url.host else url.database
    return CommandError(f"cannot connect to the database {name}: {reason}")


engine = sa.create_engine(load_settings().sqlalchemy_url, poolclass=sa.NullPool)


# Foreign keys stay unenforced (SQLite's default): copying a table drops the old one, which would
# delete the rows that reference it. The driver itself would not begin a transaction before DDL.
@event.listens_for(engine, "connect")
def _disable_driver_begin(connection: Any, _record: object) -> None:
    connection.isolation_level = None


@event.listens_for(engine, "begin")
def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


try:
    connection = engine.connect()
except DBAPIError as error:
    raise unavailable(engine.url, error) from error
with connection:
    migrate(connection)
