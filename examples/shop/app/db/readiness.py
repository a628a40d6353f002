"""Readiness: the database responds and has the migrations of this code."""

import asyncio
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ProgrammingError

from app.db.engine import DatabaseUnavailableError, build_engine
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
            "application_name": f"{settings.application_name}-readiness",
        }
        self._engine = build_engine(settings.model_copy(update=single))
        config = Config(Path(__file__).parents[2] / "alembic.ini")
        scripts = ScriptDirectory.from_config(config)
        self._heads = set(scripts.get_heads())
        self._revisions = {script.revision for script in scripts.walk_revisions()}
        self._migrated = False

    async def check(self) -> None:
        """Raise DatabaseUnavailableError unless the database is ready within two seconds."""
        task = asyncio.create_task(self._connect())
        done, _pending = await asyncio.wait({task}, timeout=CHECK_TIMEOUT)
        if not done:
            # Do not wait for the driver, which may take longer to give up.
            task.cancel()
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
            msg = "the database does not respond"
            raise DatabaseUnavailableError(msg)
        task.result()

    async def _connect(self) -> None:
        async with self._engine.connect() as connection:
            await connection.run_sync(self.check_version)

    def check_version(self, connection: sa.Connection) -> None:
        """Raise DatabaseUnavailableError unless the database is migrated for this code."""
        if self._migrated:
            connection.execute(sa.text("SELECT 1"))
            return
        try:
            current = set(MigrationContext.configure(connection).get_current_heads())
        except ProgrammingError as error:
            msg = f"cannot read the version of the database: {error.orig}"
            raise DatabaseUnavailableError(msg) from error
        # During a deployment the database may be ahead of this code.
        ahead = not current <= self._revisions
        if not ahead and current != self._heads:
            msg = "the database is not migrated; run `alembic upgrade head`"
            raise DatabaseUnavailableError(msg)
        self._migrated = True

    async def close(self) -> None:
        """Close the connection."""
        await self._engine.dispose()
