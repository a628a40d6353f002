"""Readiness: the database responds and has the migrations of this code."""

import asyncio
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from anyio import CapacityLimiter, to_thread

from app.db.engine import DatabaseUnavailableError, build_engines
from app.settings import Settings

# Seconds to wait for the database.
CHECK_TIMEOUT = 2


class Readiness:
    """Checks the database on a connection of its own, which requests cannot exhaust."""

    def __init__(self, settings: Settings) -> None:
        """Read the migrations; connect on the first check."""
        single: dict[str, Any] = {
            "pool_size": 1,
            "max_overflow": 0,
            "pool_timeout": CHECK_TIMEOUT,
        }
        # The engine for reading: a transaction would wait for the write lock.
        _, self._engine = build_engines(settings.model_copy(update=single))
        config = Config(Path(__file__).parents[2] / "alembic.ini")
        scripts = ScriptDirectory.from_config(config)
        self._heads = set(scripts.get_heads())
        self._revisions = {script.revision for script in scripts.walk_revisions()}
        self._migrated = False
        self._limiter = CapacityLimiter(1)

    async def check(self) -> None:
        """Raise DatabaseUnavailableError unless the database is ready within two seconds."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await to_thread.run_sync(
                    self._connect, abandon_on_cancel=True, limiter=self._limiter
                )
        except TimeoutError:
            msg = "the database does not respond"
            raise DatabaseUnavailableError(msg) from None

    def _connect(self) -> None:
        with self._engine.connect() as connection:
            self.check_version(connection)

    def check_version(self, connection: sa.Connection) -> None:
        """Raise DatabaseUnavailableError unless the database is migrated for this code."""
        if self._migrated:
            connection.execute(sa.text("SELECT 1"))
            return
        current = set(MigrationContext.configure(connection).get_current_heads())
        # During a deployment the database may be ahead of this code.
        ahead = not current <= self._revisions
        if not ahead and current != self._heads:
            msg = "the database is not migrated; run `alembic upgrade head`"
            raise DatabaseUnavailableError(msg)
        self._migrated = True

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()
