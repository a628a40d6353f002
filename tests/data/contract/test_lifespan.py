"""What the application does to its process while it serves, and to requests when it ends."""

import asyncio
import gc
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx2
import pytest
import sqlalchemy as sa
from app.db import models
from app.db import session as module
from app.db.engine import DatabaseUnavailableError
from app.db.session import ReadSessionDep, SessionDep
from app.main import create_app
from app.settings import Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event, orm

IS_ASYNC = "run_in_threadpool" not in inspect.getsource(module)


def test_startup_objects_are_frozen_while_it_serves(settings: Settings) -> None:
    gc.unfreeze()
    with TestClient(create_app(settings)):
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_cancelled_requests_end_before_the_application(settings: Settings) -> None:
    async def request() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            # As a driver does to tell the server.
            await asyncio.sleep(0.1)

    async def serve() -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            task = asyncio.create_task(request())
            await asyncio.sleep(0)
            task.cancel()
        assert task.done()

    asyncio.run(serve())


class Hold:
    """A place where a request stops, in the event loop or in a thread."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def __call__(self, *_event: object) -> None:
        self.reached.set()
        if IS_ASYNC:
            sa.util.await_only(asyncio.Event().wait())
        else:
            self.released.wait(60)


@contextmanager
def held(name: str) -> Iterator[Hold]:
    """Stop all sessions at an event."""
    hold = Hold()
    event.listen(orm.Session, name, hold)
    try:
        yield hold
    finally:
        hold.released.set()
        event.remove(orm.Session, name, hold)


def add_routes(app: FastAPI) -> None:
    """Add routes that write and read."""
    statement = sa.select(sa.literal(1))

    async def write_async(session: SessionDep) -> None:
        await session.execute(statement)

    async def read_async(session: ReadSessionDep) -> None:
        await session.execute(statement)

    def write(session: SessionDep) -> None:
        session.execute(statement)

    def read(session: ReadSessionDep) -> None:
        session.execute(statement)

    app.add_api_route("/_cut", write_async if IS_ASYNC else write, methods=["POST"])
    app.add_api_route("/_cut", read_async if IS_ASYNC else read, methods=["GET"])


@pytest.mark.parametrize(
    ("method", "place", "kind"),
    [
        ("POST", "before_commit", "outcome-unknown"),
        ("POST", "do_orm_execute", "unavailable"),
        ("GET", "do_orm_execute", "unavailable"),
    ],
)
def test_a_request_that_is_cut_off_is_a_problem(
    settings: Settings, method: str, place: str, kind: str
) -> None:
    async def serve() -> None:
        app = create_app(settings)
        add_routes(app)
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            with held(place) as hold:
                task = asyncio.create_task(client.request(method, "/_cut"))
                await asyncio.to_thread(hold.reached.wait, 60)
                task.cancel()
                response = await task
            assert response.status_code == 503
            assert response.json()["type"] == f"/problems/{kind}"
            assert response.headers["x-request-id"]
            assert (await client.request(method, "/_cut")).status_code == 200

    asyncio.run(serve())


def test_a_failed_flush_is_unavailable(settings: Settings) -> None:
    app = create_app(settings)

    def fail(*_event: object) -> None:
        message = "lock timeout"
        raise DatabaseUnavailableError(message)

    def write(session: SessionDep) -> None:
        session.add(models.Author(name="Lost"))

    app.add_api_route("/_dirty", write, methods=["POST"])
    event.listen(orm.Session, "before_flush", fail)
    try:
        with TestClient(app) as client:
            response = client.post("/_dirty")
    finally:
        event.remove(orm.Session, "before_flush", fail)
    assert response.json()["type"] == "/problems/unavailable"
    assert response.headers["retry-after"]


def test_an_upload_that_is_cut_off_is_unavailable(settings: Settings) -> None:
    async def serve() -> None:
        app = create_app(settings)
        add_routes(app)
        reached = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"{"
            reached.set()
            await asyncio.Event().wait()

        @app.post("/_upload")
        async def upload(number: dict[str, int]) -> int:
            return len(number)

        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"content-type": "application/json"}
            task = asyncio.create_task(client.post("/_upload", content=body(), headers=headers))
            await reached.wait()
            task.cancel()
            response = await task
        assert response.status_code == 503
        assert response.headers["retry-after"]

    asyncio.run(serve())
