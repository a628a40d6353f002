"""Alembic environment: the connection and what is compared. See https://alembic.sqlalchemy.org."""

import logging
import time
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app.db import models
from app.settings import load_settings
from migrations.autogenerate import review
from migrations.rendering import render_item

# Does nothing where logging is configured already, as in tests.
logging.basicConfig(format="%(levelname)s [%(name)s] %(message)s")
logging.getLogger("alembic").setLevel(logging.INFO)
logger = logging.getLogger("alembic.env")


def try_lock(connection: sa.Connection) -> bool:
    """Take the lock that a migrating process holds until it disconnects, if it is free."""
    with connection.begin():
        return bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(hashtext('alembic'))")))


def wait_for_lock(connection: sa.Connection) -> None:
    """Let one process migrate at a time.

    Polls, because a blocked statement and CREATE INDEX CONCURRENTLY would wait for each other.
    """
    if not try_lock(connection):
        logger.info("Waiting for another process to finish its migrations")
        while not try_lock(connection):
            time.sleep(0.5)


def prepare_session(connection: sa.Connection) -> None:
    """Refuse a pooler, and a database that cannot store all text; remove the role's timeouts."""
    with connection.begin():
        # A pooler reports a made-up process id to its clients.
        driver: Any = connection.connection.driver_connection
        if driver.info.backend_pid != connection.scalar(sa.text("SELECT pg_backend_pid()")):
            msg = (
                "migrations need a direct connection, and this is a pooler; set"
                " MIGRATIONS_DATABASE_URL to the address of PostgreSQL itself"
            )
            raise CommandError(msg)
        encoding = connection.scalar(sa.text("SHOW server_encoding"))
        if encoding != "UTF8":
            msg = f"the encoding of the database is {encoding}; create it with ENCODING 'UTF8'"
            raise CommandError(msg)
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(sa.text(f"SET {name} = 0"))


def migrate(connection: sa.Connection) -> None:
    """Run the migrations, each in its own transaction."""
    prepare_session(connection)
    wait_for_lock(connection)
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        render_item=render_item,
        process_revision_directives=review,
        transaction_per_migration=True,
        compare_server_default=True,
        # The second one compares CHECK constraints by name.
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    )
    with context.begin_transaction():
        context.run_migrations()


def unavailable(url: sa.URL, error: Exception) -> CommandError:
    """Return the error for a failed connection."""
    reason = str(getattr(error, "orig", error)).partition("\n")[0]
    name = f"{url.host}/{url.database}" if url.host else url.database
    return CommandError(f"cannot connect to the database {name}: {reason}")


engine = sa.create_engine(
    load_settings().sqlalchemy_migrations_url,
    poolclass=sa.NullPool,
    connect_args={"client_encoding": "utf8"},
)
try:
    connection = engine.connect()
except DBAPIError as error:
    raise unavailable(engine.url, error) from error
with connection:
    migrate(connection)
