"""Engine and connection settings, and the translation of connection errors."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from app.settings import Settings

# Primary result codes that mean "not now": busy, locked, I/O error, full, cannot open.
_UNAVAILABLE_CODES = frozenset({5, 6, 10, 13, 14})


class DatabaseUnavailableError(Exception):
    """The database cannot serve the request now; retrying may succeed."""


class OutcomeUnknownError(Exception):
    """COMMIT was sent but not confirmed; the changes may or may not have been stored."""


def build_engines(settings: Settings) -> tuple[sa.Engine, sa.Engine]:
    """Create the engines for transactions and for reading, which connect on first use.

    The second is in autocommit mode, on the pool of the first. Both raise DatabaseUnavailableError,
    when connecting and executing, for every error that means the database is unavailable.
    """
    read_engine = _create_engine(settings, settings.sqlalchemy_url)
    engine = read_engine.execution_options(transactions=True)
    return engine, read_engine


def build_engine(settings: Settings) -> sa.Engine:
    """Create only the engine for transactions."""
    return build_engines(settings)[0]


def _create_engine(settings: Settings, url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        connect_args={"timeout": settings.busy_timeout},
        # Keeps values out of errors and logs.
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _translate)
    return engine


def _unavailable(error: BaseException) -> DatabaseUnavailableError:
    # Only the first line is free of values.
    line = str(error).partition("\n")[0]
    return DatabaseUnavailableError(line or type(error).__name__)


def _configure(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late for SELECT and never for SAVEPOINT: see _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # WAL lets readers and a writer run concurrently. NORMAL may lose the latest commits on power
    # loss but never corrupts the database.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # Take the write lock first: a transaction that reads and then writes fails at once, without
    # waiting, if another one has written in between.
    if connection.get_execution_options().get("transactions"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _translate(context: sa.ExceptionContext) -> None:
    error = context.original_exception
    # The low byte of an extended code is the primary one.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNAVAILABLE_CODES:
        raise _unavailable(error) from error
