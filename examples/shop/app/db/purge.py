"""Permanently delete old soft-deleted rows. Run from a scheduler: `python -m app.db.purge`."""

import argparse
import asyncio
import datetime as dt
import logging
import logging.config

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.clock import utcnow
from app.db import models
from app.db.engine import DatabaseUnavailableError, build_engine
from app.db.session import build_session_factory
from app.db.soft_delete import SoftDeleteMixin, blocking_references, purge
from app.logs import log_config
from app.settings import Settings, load_settings

# Run as a command, `__name__` is `__main__`.
logger = logging.getLogger("app.db.purge")


async def purge_all(factory: async_sessionmaker[AsyncSession], older_than: dt.datetime) -> int:
    """Permanently delete all rows soft-deleted before a time; return the number.

    Each batch is a transaction of its own. Rows that others still reference are kept and logged.
    """
    classes = [
        mapper.class_
        for mapper in models.Base.registry.mappers
        if issubclass(mapper.class_, SoftDeleteMixin)
    ]
    total, before = 0, -1
    while total > before:
        before = total
        for cls in classes:
            async with factory() as session, session.begin():
                total += await session.run_sync(purge, cls, older_than)
    for cls in classes:
        async with factory() as session:
            for message in await session.run_sync(blocking_references, cls, older_than):
                logger.warning("Not purged: %s", message)
    return total


async def purge_old(settings: Settings) -> None:
    """Purge rows deleted more than `PURGE_AFTER_DAYS` days ago."""
    engine = build_engine(settings)
    older_than = utcnow() - dt.timedelta(days=settings.purge_after_days)
    try:
        total = await purge_all(build_session_factory(engine), older_than)
    finally:
        await engine.dispose()
    logger.info("Purged %d rows deleted before %s", total, older_than)


def main() -> None:
    """Run the command line."""
    argparse.ArgumentParser(prog="python -m app.db.purge", description=__doc__).parse_args()
    settings = load_settings()
    logging.config.dictConfig(log_config(settings.log_format))
    try:
        asyncio.run(purge_old(settings))
    except DatabaseUnavailableError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
