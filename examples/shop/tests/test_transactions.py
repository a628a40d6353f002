"""One session and one transaction per request, tested with real commits."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.session import (
    ReadSessionDep,
    SessionDep,
    build_read_session_factory,
    build_session_factory,
)
from app.main import create_app
from app.settings import Settings

# The server closes the connection of a failed request; the next could still reuse it.
CLOSE = {"connection": "close"}

# No resource name begins with an underscore.
INSERT = text("INSERT INTO _probe (id, parent) VALUES (:id, :parent)")


@pytest.fixture(scope="module")
async def probe(engine: AsyncEngine) -> AsyncIterator[None]:
    """Create a table for these tests; its foreign key is checked at commit."""
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "CREATE TABLE _probe (id INTEGER PRIMARY KEY, parent INTEGER CHECK (parent > 0)"
                " REFERENCES _probe (id) DEFERRABLE INITIALLY DEFERRED)"
            )
        )
    yield
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE _probe"))


@pytest.fixture(autouse=True)
async def _empty(engine: AsyncEngine, probe: None) -> None:
    """Empty the table before each test."""
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM _probe"))


async def stored(engine: AsyncEngine) -> int:
    """Count the rows, as another connection sees them."""
    async with engine.connect() as connection:
        count = await connection.scalar(text("SELECT count(*) FROM _probe"))
    return int(count or 0)


@pytest.fixture(scope="module")
def app(settings: Settings, engines: tuple[AsyncEngine, AsyncEngine]) -> FastAPI:
    """Return the application, with routes that write and then succeed or fail."""
    app = create_app(settings)
    engine, read_engine = engines
    app.state.session_factory = build_session_factory(engine)
    app.state.read_session_factory = build_read_session_factory(read_engine)

    @app.post("/_probe/{key}", status_code=201)
    async def write(key: int, session: SessionDep, parent: int | None = None) -> dict[str, int]:
        await session.execute(INSERT, {"id": key, "parent": parent})
        return {"id": key}

    @app.post("/_probe/{key}/raise", status_code=201)
    async def write_and_raise(key: int, session: SessionDep) -> None:
        await session.execute(INSERT, {"id": key, "parent": None})
        msg = "secret"
        raise RuntimeError(msg)

    @app.get("/_session")
    async def same(first: SessionDep, second: SessionDep) -> bool:
        return first is second

    @app.post("/_probe/{key}/read", status_code=201)
    async def write_on_read_session(key: int, session: ReadSessionDep) -> None:
        await session.execute(INSERT, {"id": key, "parent": None})

    @app.get("/_reads")
    async def read(session: ReadSessionDep) -> bool:
        """Return whether two statements are in one transaction."""
        now = select(func.now())
        return bool(await session.scalar(now) == await session.scalar(now))

    @app.get("/_sessions")
    async def two(first: SessionDep, second: ReadSessionDep) -> bool:
        return first is second

    @app.get("/_kept")
    async def keep(session: SessionDep) -> None:
        app.state.kept = session

    @app.get("/_kept/read")
    async def keep_read(session: ReadSessionDep) -> None:
        app.state.kept = session

    return app


@pytest.fixture(scope="module")
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of a real server, which responds even if a later commit would fail."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with httpx2.AsyncClient(base_url=url, headers=CLOSE, trust_env=False) as client:
        yield client
    server.should_exit = True
    await task


async def test_reads_are_not_in_a_transaction(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/_reads")).json() is False


async def test_the_commit_comes_before_the_response(app: FastAPI, engine: AsyncEngine) -> None:
    order: list[str] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            order.append(message["type"])
            await send(message)

        await app(scope, receive, note)

    def committed(_connection: Any) -> None:
        order.append("commit")

    event.listen(engine.sync_engine, "commit", committed)
    transport = httpx2.ASGITransport(watched)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.post("/_probe/1")
    event.remove(engine.sync_engine, "commit", committed)
    assert order[:2] == ["commit", "http.response.start"]


async def test_successful_request_is_committed(
    client: httpx2.AsyncClient,
    engine: AsyncEngine,
) -> None:
    response = await client.post("/_probe/1")
    assert response.status_code == 201
    assert await stored(engine) == 1


async def test_exception_rolls_back(client: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    response = await client.post("/_probe/1/raise")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    assert await stored(engine) == 0


async def test_failed_commit_is_an_error(client: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    response = await client.post("/_probe/1", params={"parent": 99})
    assert response.status_code == 422
    assert await stored(engine) == 0


async def test_violated_check_constraint_is_an_error(
    client: httpx2.AsyncClient,
    engine: AsyncEngine,
) -> None:
    response = await client.post("/_probe/1", params={"parent": 0})
    assert response.status_code == 422
    assert response.json()["type"] == "/problems/invalid-request"
    assert await stored(engine) == 0


async def test_a_request_has_one_session(client: httpx2.AsyncClient) -> None:
    response = await client.get("/_session")
    assert response.json() is True
    assert (await client.get("/_sessions")).status_code == 500


@pytest.mark.parametrize("path", ["/_kept", "/_kept/read"])
async def test_a_session_ends_with_its_request(
    path: str,
    app: FastAPI,
    client: httpx2.AsyncClient,
) -> None:
    assert (await client.get(path)).status_code == 200
    with pytest.raises(InvalidRequestError, match="closed"):
        await app.state.kept.connection()


async def test_a_session_for_reading_cannot_write(
    client: httpx2.AsyncClient,
    engine: AsyncEngine,
) -> None:
    response = await client.post("/_probe/1/read")
    assert response.status_code == 500
    assert await stored(engine) == 0
    # The connection goes back to the pool that both share, and can write again.
    assert (await client.post("/_probe/1")).status_code == 201


async def test_concurrent_duplicates_store_one_row(
    client: httpx2.AsyncClient,
    engine: AsyncEngine,
) -> None:
    responses = await asyncio.gather(*(client.post("/_probe/1") for _ in range(8)))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 7
    assert await stored(engine) == 1
