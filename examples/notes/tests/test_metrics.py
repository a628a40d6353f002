"""Metrics of the connection pool."""

import asyncio

from app.db.pool import Slots


def test_requests_that_wait_for_a_connection_are_counted() -> None:
    async def count() -> None:
        slots = Slots(1)
        await slots.acquire()
        assert slots.waiting == 0
        task = asyncio.create_task(slots.acquire())
        await asyncio.sleep(0)
        assert slots.waiting == 1
        slots.release()
        await task
        assert slots.waiting == 0

    asyncio.run(count())
