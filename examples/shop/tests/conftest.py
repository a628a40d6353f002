"""Fixtures: the test database, the application, and one transaction around each test."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker

from app.db.engine import build_engines
from app.db.readiness import Readiness
from app.db.session import build_read_session_factory, build_session_factory
from app.main import create_app
from app.settings import Settings, load_settings
from dev import temporary_database
from tests.pgbouncer import find_program, run_pgbouncer

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run all tests in one event loop, as the application does."""
    return "asyncio"


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """Yield TEST_DATABASE_URL, or else the URL of a temporary PostgreSQL."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        name = url.partition("?")[0].rpartition("/")[2]
        if "test" not in name:
            pytest.exit(f"TEST_DATABASE_URL: the database name {name!r} must contain 'test'")
        yield url
        return
    with temporary_database() as url:
        yield url


def isolate(patch: pytest.MonkeyPatch) -> None:
    """Ignore the settings of the local environment and of `.env`."""
    patch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        patch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def pooled_url(database_url: str) -> Iterator[str]:
    """Yield the URL through PgBouncer, or the direct one where PgBouncer is not installed."""
    program = find_program()
    if program is None:
        yield database_url
        return
    with run_pgbouncer(program, database_url) as pgbouncer:
        yield pgbouncer.url


@pytest.fixture(scope="session")
def alembic_config(database_url: str, pooled_url: str) -> Iterator[Config]:
    """Yield Alembic's configuration for the test database."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        patch.setenv("DATABASE_URL", pooled_url)
        patch.setenv("MIGRATIONS_DATABASE_URL", database_url)
        yield Config(ROOT / "alembic.ini")


@pytest.fixture(scope="session")
def settings(alembic_config: Config) -> Settings:
    """Migrate the test database to head and return its settings."""
    command.upgrade(alembic_config, "head")
    return load_settings()


@pytest.fixture(scope="session")
async def engines(settings: Settings) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """Yield the engines for transactions and for reading, configured as in production."""
    engine, read_engine = build_engines(settings)
    yield engine, read_engine
    await read_engine.dispose()
    await engine.dispose()


@pytest.fixture(scope="session")
def engine(engines: tuple[AsyncEngine, AsyncEngine]) -> AsyncEngine:
    """Return the engine for transactions."""
    return engines[0]


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection whose transaction is rolled back after the test."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()


@pytest.fixture
def session_factory(
    engine: AsyncEngine,
    connection: AsyncConnection,
) -> async_sessionmaker[AsyncSession]:
    """Return a factory of sessions within the test's transaction: they commit to savepoints."""
    factory = build_session_factory(engine)
    factory.configure(bind=connection, join_transaction_mode="create_savepoint")
    return factory


@pytest.fixture
async def session(session_factory: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """Yield the test's own session; the application has another for each request."""
    async with session_factory() as session:
        yield session


@pytest.fixture(scope="session")
async def application(settings: Settings) -> AsyncIterator[FastAPI]:
    """Create the application, once."""
    application = create_app(settings)
    application.state.readiness = Readiness(settings)
    yield application
    await application.state.readiness.close()


@pytest.fixture
def app(
    application: FastAPI,
    engine: AsyncEngine,
    connection: AsyncConnection,
    session_factory: async_sessionmaker[AsyncSession],
) -> FastAPI:
    """Return the application, with its sessions in the test's transaction."""
    reading = build_read_session_factory(engine)
    reading.configure(bind=connection, join_transaction_mode="create_savepoint")
    application.state.session_factory = session_factory
    application.state.read_session_factory = reading
    return application


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the application."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


class Statements(list[str]):
    """The statements sent to the database."""

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Yield a list of those sent within the block, filled at its end."""
        sent: list[str] = []
        start = len(self)
        yield sent
        sent.extend(self[start:])


@pytest.fixture
def statements(engine: AsyncEngine) -> Iterator[Statements]:
    """Record the statements sent to the database, except savepoints."""
    seen = Statements()

    def watch(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", watch)
    yield seen
    event.remove(engine.sync_engine, "before_cursor_execute", watch)
