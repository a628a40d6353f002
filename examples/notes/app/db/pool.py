"""The slots of the connection pool, which count the requests that wait for one."""

import asyncio
from typing import Literal


class Slots(asyncio.Semaphore):
    """A semaphore that knows how many requests wait for it."""

    waiting = 0

    async def acquire(self) -> Literal[True]:
        """Wait for a slot."""
        self.waiting += 1
        try:
            return await super().acquire()
        finally:
            self.waiting -= 1
