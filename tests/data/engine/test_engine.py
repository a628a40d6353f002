"""Connections of a project on PostgreSQL, in every mode; run inside a rendered project."""

import asyncio
import datetime as dt
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from app.db import engine as engines
from app.db.engine import DatabaseUnavailableError, build_engine, build_engines
from app.settings import Settings
from sqlalchemy import event
from tests.pooler import run_pooler

BEHIND_PGBOUNCER = "prepared_statements" in Settings.model_fields
QUICK = {"response_timeout": 1} if BEHIND_PGBOUNCER else {"statement_timeout": 0.1}


async def _await(value):
    return await value if inspect.isawaitable(value) else value


class Connection:
    """A connection of either mode, used in either's way."""

    def __init__(self, url: str, **changes: object) -> None:
        self.engine = build_engine(Settings(database_url=url, pool_size=1, **changes))

    async def __aenter__(self):
        self._connection = await _await(self.engine.connect())
        return self

    async def __aexit__(self, *_error: object) -> None:
        await _await(self._connection.close())
        await _await(self.engine.dispose())

    async def scalar(self, statement: str):
        return await _await(self._connection.scalar(sa.text(statement)))

    async def execute(self, statement: str) -> None:
        await _await(self._connection.execute(sa.text(statement)))

    async def reconnect(self) -> None:
        await _await(self._connection.close())
        self._connection = await _await(self.engine.connect())


@pytest.fixture
def url(database_url: str):
    """Yield the URL that the project is made for."""
    if not BEHIND_PGBOUNCER:
        yield database_url
        return
    with run_pooler(database_url) as pooled:
        yield pooled


def test_connection_lost_before_its_first_check_is_unavailable(url: str) -> None:
    connection = Connection(url)

    def lose(opened, _record) -> None:
        if hasattr(opened, "run_async"):
            opened.run_async(lambda driver: driver.close())
        else:
            opened.close()

    async def run() -> None:
        with pytest.raises(DatabaseUnavailableError):
            await connection.__aenter__()
        await _await(connection.engine.dispose())

    engine = getattr(connection.engine, "sync_engine", connection.engine)
    event.listen(engine, "connect", lose, insert=True)
    asyncio.run(run())


def psql(url: str, *statements: str) -> None:
    command = [word for each in statements for word in ("-c", each)]
    subprocess.run(["psql", url, "-q", *command], check=True)


def test_defaults_of_the_database_do_not_matter(database_url: str, url: str) -> None:
    async def run() -> None:
        async with Connection(url) as connection:
            moment = await connection.scalar("SELECT now()")
            assert moment.utcoffset() == dt.timedelta(0)

    name = sa.make_url(database_url).database
    psql(database_url, f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'")
    try:
        asyncio.run(run())
    finally:
        psql(database_url, f"ALTER DATABASE {name} RESET datestyle")


@contextmanager
def new_database(database_url: str, options: str = "") -> Iterator[str]:
    psql(database_url, f"CREATE DATABASE other_test {options}")
    try:
        url = sa.make_url(database_url).set(database="other_test")
        yield url.render_as_string(hide_password=False)
    finally:
        psql(database_url, "DROP DATABASE other_test")


def migrate(url: str) -> subprocess.CompletedProcess[str]:
    names = ["DATABASE_URL", "MIGRATIONS_DATABASE_URL"]
    return subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        check=False,
        env={**os.environ, **dict.fromkeys(names, url)},
        capture_output=True,
        text=True,
    )


def test_database_that_cannot_store_all_text_is_refused(database_url: str) -> None:
    with new_database(database_url, "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0") as url:
        result = migrate(url)
    assert result.returncode
    assert "the encoding of the database is LATIN1" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "long", "0001"


def upgrade() -> None:
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        assert op.get_bind().scalar(sa.text(f"SHOW {name}")) == "0"
"""


def test_migrations_have_no_timeouts(database_url: str) -> None:
    with new_database(database_url) as url:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            psql(database_url, f"ALTER DATABASE other_test SET {name} = '1min'")
        revision = Path("migrations", "versions", "0002_long.py")
        revision.write_text(REVISION)
        try:
            result = migrate(url)
        finally:
            revision.unlink()
    assert result.returncode == 0, result.stderr


def documented(kind: str, page: str) -> str:
    """Return the first block of a kind in a page."""
    text = Path("docs", page).read_text(encoding="utf-8")
    return text.partition(f"```{kind}\n")[2].partition("```")[0]


@pytest.mark.skipif(not BEHIND_PGBOUNCER, reason="timeouts come with the connection")
def test_second_role_of_a_rotation_has_its_timeouts(database_url: str) -> None:
    psql(database_url, "CREATE ROLE my_backend", documented("sql", "connections.md"))
    url = sa.make_url(database_url).set(username="my_backend_b")
    second = url.render_as_string(hide_password=False)
    try:
        subprocess.run(["psql", second, "-q", "-f", "pgbouncer/role.sql"], check=True)
        shown = ["psql", second, "-Atc", "SHOW statement_timeout", "-c", "SELECT current_user"]
        output = subprocess.run(shown, check=True, capture_output=True, text=True).stdout
    finally:
        psql(database_url, "DROP ROLE my_backend_b", "DROP ROLE my_backend")
    assert output.split() == ["15s", "my_backend"]


def test_sessions_are_in_utc(url: str) -> None:
    async def run() -> None:
        async with Connection(url) as connection:
            assert await connection.scalar("SELECT current_setting('TimeZone')") == "UTC"
            await connection.reconnect()
            assert await connection.scalar("SELECT current_setting('TimeZone')") == "UTC"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'infinity'::date", "9999-12-31"),
        ("'-infinity'::date", "0001-01-01"),
        ("'2000-01-01'::date", "2000-01-01"),
        ("'infinity'::timestamptz", "9999-12-31"),
        ("'-infinity'::timestamptz", "0001-01-01"),
        ("'2000-01-01'::timestamptz", "2000-01-01"),
    ],
)
def test_infinity_can_be_read(url: str, expression: str, expected: str) -> None:
    async def run() -> None:
        async with Connection(url) as connection:
            value = await connection.scalar(f"SELECT {expression}")
            assert value.isoformat()[:10] == expected

    asyncio.run(run())


def test_frozen_server_is_not_waited_for(url: str) -> None:
    async def run() -> None:
        async with Connection(url, **QUICK) as connection:
            frozen = await connection.scalar("SELECT pg_backend_pid()")
            os.kill(frozen, signal.SIGSTOP)
            try:
                with pytest.raises(DatabaseUnavailableError):
                    await connection.execute("SELECT 1")
                await connection.reconnect()
                assert await connection.scalar("SELECT pg_backend_pid()") != frozen
            finally:
                os.kill(frozen, signal.SIGCONT)

    asyncio.run(run())


@pytest.mark.parametrize(
    "change",
    [
        {"username": "no_such_role"},
        {"database": "no_such_database"},
        {"host": "127.0.0.1", "port": 1},
    ],
)
def test_no_connection_is_unavailable(database_url: str, change: dict) -> None:
    async def run() -> None:
        bad = sa.make_url(database_url)
        query = {} if "host" in change else bad.query
        bad = bad.set(**change, query=query).render_as_string(hide_password=False)
        with pytest.raises(DatabaseUnavailableError):
            async with Connection(bad):
                pass

    asyncio.run(run())


def test_read_only_database_is_unavailable(url: str) -> None:
    async def run() -> None:
        async with Connection(url) as connection:
            await connection.execute("SET TRANSACTION READ ONLY")
            with pytest.raises(DatabaseUnavailableError, match="read-only transaction"):
                await connection.execute("CREATE TABLE refused ()")

    asyncio.run(run())


@pytest.mark.parametrize("state", ["08006", "53100", "57P01", "58030", "40001"])
def test_sqlstates_of_an_unavailable_database(url: str, state: str) -> None:
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '{state}'; END $$"

    async def run() -> None:
        async with Connection(url) as connection:
            with pytest.raises(DatabaseUnavailableError, match="failed"):
                await connection.execute(statement)

    asyncio.run(run())


@pytest.mark.skipif(BEHIND_PGBOUNCER, reason="statements are not prepared")
def test_migration_of_a_prepared_statement_costs_one_request(url: str) -> None:
    async def read(engine) -> None:
        connection = await _await(engine.connect())
        try:
            await _await(connection.execute(sa.text("SELECT * FROM changing")))
        finally:
            await _await(connection.close())

    async def run() -> None:
        engine, read_engine = build_engines(Settings(database_url=url, pool_size=1))
        # psycopg prepares a statement after five uses.
        for _ in range(10):
            await read(read_engine)
        psql(url, "ALTER TABLE changing ALTER COLUMN name TYPE varchar(20)")
        with pytest.raises(DatabaseUnavailableError, match="cached"):
            await read(read_engine)
        await read(read_engine)
        await _await(engine.dispose())
        await _await(read_engine.dispose())

    psql(url, "CREATE TABLE changing (name varchar(10))")
    try:
        asyncio.run(run())
    finally:
        psql(url, "DROP TABLE changing")


# As lenient as the poolers of providers are, and as strict as PgBouncer is.
@pytest.mark.skipif(BEHIND_PGBOUNCER, reason="a pooler is expected")
@pytest.mark.parametrize(
    "options",
    [
        {
            "ignore_startup_parameters": (
                "statement_timeout, lock_timeout, idle_in_transaction_session_timeout,"
                " tcp_keepalives_idle, tcp_keepalives_interval, tcp_keepalives_count, options"
            )
        },
        {},
    ],
    ids=["lenient", "strict"],
)
def test_unexpected_pooler_is_refused(database_url: str, options: dict) -> None:
    async def run() -> None:
        with (
            run_pooler(database_url, **options) as pooled,
            pytest.raises(engines.PoolerError, match="answer yes to PgBouncer"),
        ):
            async with Connection(pooled):
                pass

    asyncio.run(run())


@pytest.mark.skipif(not hasattr(engines, "AsyncEngine"), reason="threads are not cancelled")
def test_cancellation_is_not_an_error_and_frees_the_connection(url: str) -> None:
    async def run() -> None:
        engine = build_engine(Settings(database_url=url, pool_size=1))

        async def wait() -> None:
            async with engine.connect() as connection:
                await connection.scalar(sa.text("SELECT 1"))
                started.set()
                await connection.execute(sa.text("SELECT pg_sleep(600)"))

        started = asyncio.Event()
        task = asyncio.create_task(wait())
        await started.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine.pool.checkedout() == 0
        async with engine.connect() as connection:
            assert await connection.scalar(sa.text("SELECT 1")) == 1
        await engine.dispose()

    asyncio.run(run())
