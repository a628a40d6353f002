"""Metrics of the connection pool."""

import asyncio
from typing import Any

from app.db.engine import build_engine
from app.settings import Settings


async def test_requests_that_wait_for_a_connection_are_counted(settings: Settings) -> None:
    one = settings.model_copy(update={"pool_size": 1, "max_overflow": 0})
    engine = build_engine(one)
    pool: Any = engine.pool

    async def connect() -> None:
        async with engine.connect():
            pass

    async with engine.connect():
        assert pool.waiting == 0
        task = asyncio.create_task(connect())
        await asyncio.sleep(0)
        assert pool.waiting == 1
    await task
    assert pool.waiting == 0
    await engine.dispose()
