"""What the application does to its process while it serves."""

import asyncio
import gc

from app.main import create_app
from app.settings import Settings
from fastapi.testclient import TestClient


def test_objects_of_the_start_are_frozen_while_it_serves(settings: Settings) -> None:
    gc.unfreeze()
    with TestClient(create_app(settings)):
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_cancelled_requests_end_before_the_application(settings: Settings) -> None:
    async def request() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            # As a driver does that tells the server.
            await asyncio.sleep(0.1)

    async def serve() -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            task = asyncio.create_task(request())
            await asyncio.sleep(0)
            task.cancel()
        assert task.done()

    asyncio.run(serve())
