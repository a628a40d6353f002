"""Fixtures: the test database, the application, and one transaction around each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from app.db.engine import build_engines
from app.db.readiness import Readiness
from app.db.session import build_read_session_factory, build_session_factory
from app.main import create_app
from app.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _portal() -> Iterator[None]:
    """Run all requests in one event loop; TestClient starts one for each."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "portal", portal)
        yield


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a temporary database file."""
    return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.db'}"


def isolate(patch: pytest.MonkeyPatch) -> None:
    """Ignore the settings of the local environment and of `.env`."""
    patch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        patch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def alembic_config(database_url: str) -> Iterator[Config]:
    """Yield Alembic's configuration for the test database."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        patch.setenv("DATABASE_URL", database_url)
        yield Config(ROOT / "alembic.ini")


@pytest.fixture(scope="session")
def settings(alembic_config: Config) -> Settings:
    """Migrate the test database to head and return its settings."""
    command.upgrade(alembic_config, "head")
    return load_settings()


@pytest.fixture(scope="session")
def engines(settings: Settings) -> Iterator[tuple[Engine, Engine]]:
    """Yield the engines for transactions and for reading, configured as in production."""
    engine, read_engine = build_engines(settings)
    yield engine, read_engine
    read_engine.dispose()
    engine.dispose()


@pytest.fixture(scope="session")
def engine(engines: tuple[Engine, Engine]) -> Engine:
    """Return the engine for transactions."""
    return engines[0]


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose transaction is rolled back after the test."""
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def session_factory(
    engine: Engine,
    connection: Connection,
) -> sessionmaker[Session]:
    """Return a factory of sessions within the test's transaction: they commit to savepoints."""
    factory = build_session_factory(engine)
    factory.configure(bind=connection, join_transaction_mode="create_savepoint")
    return factory


@pytest.fixture
def session(session_factory: sessionmaker[Session]) -> Iterator[Session]:
    """Yield the test's own session; the application has another for each request."""
    with session_factory() as session:
        yield session


@pytest.fixture(scope="session")
def application(settings: Settings) -> Iterator[FastAPI]:
    """Create the application, once."""
    application = create_app(settings)
    application.state.readiness = Readiness(settings)
    yield application
    application.state.readiness.close()


@pytest.fixture
def app(
    application: FastAPI,
    engine: Engine,
    connection: Connection,
    session_factory: sessionmaker[Session],
) -> FastAPI:
    """Return the application, with its sessions in the test's transaction."""
    reading = build_read_session_factory(engine)
    reading.configure(bind=connection, join_transaction_mode="create_savepoint")
    application.state.session_factory = session_factory
    application.state.read_session_factory = reading
    return application


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Return a client of the application."""
    return TestClient(app)


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
def statements(engine: Engine) -> Iterator[Statements]:
    """Record the statements sent to the database, except savepoints."""
    seen = Statements()

    def watch(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", watch)
    yield seen
    event.remove(engine, "before_cursor_execute", watch)
