"""Engine and connection settings, and the translation of connection errors."""

import datetime as dt
import selectors
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format, TransactionStatus
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.pool import Pool
from app.settings import Settings

# SQLSTATEs that mean "not now", https://www.postgresql.org/docs/current/errcodes-appendix.html:
# connection lost, out of resources, cancelled or shut down, I/O error; read-only, as a standby is
# after a failover, serialization failure, deadlock, lock timeout.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
_UNAVAILABLE_STATES = ("25006", "40001", "40P01", "55P03")

# poll() needs no file descriptor of its own, unlike epoll. Windows does not have it.
_Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


class DatabaseUnavailableError(Exception):
    """The database cannot serve the request now; retrying may succeed."""


class OutcomeUnknownError(Exception):
    """COMMIT was sent but not confirmed; the changes may or may not have been stored."""


def build_engines(settings: Settings) -> tuple[AsyncEngine, AsyncEngine]:
    """Create the engines for transactions and for reading, which connect on first use.

    The second is in autocommit mode, on the replica or else on the pool of the first. Both raise
    DatabaseUnavailableError, when connecting and executing, for every error that means the database
    is unreachable, overloaded or read-only.
    """
    read_engine = _create_engine(settings, settings.sqlalchemy_url)
    engine = read_engine.execution_options(isolation_level="READ COMMITTED")
    if url := settings.sqlalchemy_read_url:
        read_engine = _create_engine(settings, url)
    return engine, read_engine


def build_engine(settings: Settings) -> AsyncEngine:
    """Create only the engine for transactions."""
    return build_engines(settings)[0]


def _create_engine(settings: Settings, url: sa.URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=Pool,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_recycle=settings.pool_recycle,
        pool_pre_ping=settings.pool_pre_ping,
        # FIFO rotates through all connections, so that pool_recycle reaches each of them.
        pool_use_lifo=False,
        connect_args=_connect_args(settings),
        # Keeps values out of errors and logs.
        hide_parameters=True,
        # Most requests only read, and switching a connection's mode costs 10% of a read.
        isolation_level="AUTOCOMMIT",
    )
    event.listen(engine.sync_engine, "connect", partial(_configure, settings), insert=True)
    event.listen(engine.sync_engine, "checkout", _refuse_stale)
    event.listen(engine.sync_engine, "handle_error", _translate)
    return engine


def _unavailable(error: BaseException) -> DatabaseUnavailableError:
    # Only the first line is free of values.
    line = str(error).partition("\n")[0]
    return DatabaseUnavailableError(line or type(error).__name__)


def _connect_args(settings: Settings) -> dict[str, Any]:
    return {
        "application_name": settings.application_name,
        "client_encoding": "utf8",
        "connect_timeout": settings.connect_timeout,
        # A statement prepared on one server connection does not exist on the next.
        "prepare_threshold": 5 if settings.prepared_statements else None,
        "async_creator_fn": _Connection.connect,
        # Detects a dead peer within a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }


class _Connection(psycopg.AsyncConnection[Any]):
    """A connection that stops waiting for a server that is frozen or unreachable."""

    response_timeout: float | None = None

    async def wait(self, *args: Any, **options: Any) -> Any:
        options.setdefault("timeout", self.response_timeout)
        try:
            return await super().wait(*args, **options)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


class _DateLoader(Loader):
    """Clamp dates and timestamps that Python cannot represent to the first or last that it can."""

    first: dt.date = dt.date.min
    last: dt.date = dt.date.max

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        loader: Any = psycopg.adapters.get_loader(oid, Format.TEXT)
        self._load = loader(oid, context).load

    def load(self, data: Buffer) -> Any:
        try:
            return self._load(data)
        except psycopg.DataError:
            text = bytes(data)
            return self.first if text.startswith(b"-") or text.endswith(b"BC") else self.last


class _TimestampLoader(_DateLoader):
    first = dt.datetime.min.replace(tzinfo=dt.UTC)
    last = dt.datetime.max.replace(tzinfo=dt.UTC)


def _configure(settings: Settings, connection: Any, _record: object) -> None:
    driver = connection.driver_connection
    driver.response_timeout = settings.response_timeout
    driver.adapters.register_loader("date", _DateLoader)
    driver.adapters.register_loader("timestamptz", _TimestampLoader)
    cursor = connection.cursor()
    # PgBouncer tracks these settings of each client, but no timeouts: those belong to the role.
    try:
        cursor.execute("SET TIME ZONE 'UTC'; SET DateStyle = ISO")
        connection.commit()
    except BaseException:
        # The pool does not know this connection yet, so nothing else would close it.
        connection.close()
        raise
    finally:
        cursor.close()


def _refuse_stale(connection: Any, _record: object, _proxy: object) -> None:
    # A pooled connection may have been closed by the server. Then its socket is readable, which is
    # free to check; pool_pre_ping costs a round trip.
    driver = connection.driver_connection
    if driver.closed:
        raise exc.DisconnectionError
    with _Selector() as selector:
        selector.register(driver.fileno(), selectors.EVENT_READ)
        if selector.select(timeout=0):
            raise exc.DisconnectionError


def _translate(context: sa.ExceptionContext) -> None:
    error = context.original_exception
    state = getattr(error, "sqlstate", None)
    # Cancellation is reported as a disconnect too, but is not an error.
    if isinstance(error, Exception) and (
        context.is_disconnect
        # psycopg could not connect, or a pooler answered for a lost server: without an SQLSTATE.
        or (state is None and isinstance(error, (psycopg.OperationalError, psycopg.InternalError)))
        or (state or "").startswith(_UNAVAILABLE_CLASSES)
        or state in _UNAVAILABLE_STATES
    ):
        raise _unavailable(error) from error
