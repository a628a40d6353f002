"""The metrics of the connection pool."""

import asyncio

from app.db import pool
from app.db.engine import build_engine
from app.settings import Settings


async def count_connections(settings: Settings) -> None:
    engine = build_engine(settings.model_copy(update={"pool_size": 1, "max_overflow": 0}))

    async def connect() -> None:
        async with engine.connect():
            pass

    async with engine.connect():
        assert engine.pool.waiting == 0
        task = asyncio.create_task(connect())
        await asyncio.sleep(0)
        assert engine.pool.waiting == 1
    await task
    assert engine.pool.waiting == 0
    await engine.dispose()


async def count_slots(_settings: Settings) -> None:
    slots = pool.Slots(1)
    await slots.acquire()
    assert slots.waiting == 0
    task = asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    assert slots.waiting == 1
    slots.release()
    await task
    assert slots.waiting == 0


def test_requests_that_wait_for_a_connection_are_counted(settings: Settings) -> None:
    count = count_slots if hasattr(pool, "Slots") else count_connections
    asyncio.run(count(settings))
