"""The readiness probe, on databases in different states."""

import asyncio
import inspect
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from app.db.engine import DatabaseUnavailableError, build_engine
from app.db.readiness import Readiness
from app.settings import Settings
from tests.details import DRIVER


async def _await(value):
    return await value if inspect.isawaitable(value) else value


def check(readiness: Readiness) -> None:
    async def check() -> None:
        try:
            await readiness.check()
        finally:
            await _await(readiness.close())

    asyncio.run(check())


@pytest.fixture
def readiness(settings: Settings) -> Readiness:
    """Return a probe that has not run yet."""
    return Readiness(settings)


def test_ready(readiness: Readiness) -> None:
    check(readiness)


def test_not_ready_before_the_migrations(
    readiness: Readiness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_heads", {"newest"})
    with pytest.raises(DatabaseUnavailableError, match="alembic upgrade head"):
        check(readiness)


def test_ready_if_the_database_is_ahead_of_the_code(
    readiness: Readiness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_heads", {"older"})
    monkeypatch.setattr(readiness, "_revisions", {"older"})
    check(readiness)


@asynccontextmanager
async def transaction(settings: Settings, statement: str):
    """Open a transaction in either mode, and execute a statement in it."""
    engine = build_engine(settings)
    connection = await _await(engine.connect())
    await _await(connection.execute(sa.text(statement)))
    yield connection
    await _await(connection.close())
    await _await(engine.dispose())


if DRIVER.startswith("sqlite"):

    def test_ready_while_a_transaction_holds_the_write_lock(settings: Settings) -> None:
        async def run() -> None:
            readiness = Readiness(settings)
            async with transaction(settings, "DELETE FROM alembic_version"):
                await readiness.check()
            await _await(readiness.close())

        asyncio.run(run())

else:

    def test_not_ready_if_the_version_cannot_be_read(settings: Settings) -> None:
        async def run() -> None:
            check = Readiness(settings).check_version
            rename = "ALTER TABLE alembic_version RENAME version_num TO hidden"
            async with transaction(settings, rename) as connection:
                run_sync = getattr(connection, "run_sync", lambda check: check(connection))
                with pytest.raises(DatabaseUnavailableError, match="cannot read the version"):
                    await _await(run_sync(check))

        asyncio.run(run())
