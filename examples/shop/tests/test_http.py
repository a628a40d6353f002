"""HTTP: methods, sizes, headers, hosts, origins, probes and request ids."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Query
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import DatabaseUnavailableError
from app.db.readiness import Readiness
from app.main import create_app
from app.routing import Route
from app.settings import Settings


class Note(BaseModel):
    """A request body."""

    text: str


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with hosts, origins, documentation and a small limit for bodies."""
    changes = {
        "allowed_hosts": ("test", "*.example.com", "[::1]"),
        "cors_origins": ("https://app.example.com",),
        "docs_enabled": True,
        "hsts_seconds": 60,
        "max_body_size": 100,
    }
    app = create_app(settings.model_copy(update=changes))

    @app.get("/_notes/{key}")
    async def read(key: int) -> Note:
        return Note(text=f"note {key}")

    @app.post("/_notes/{key}")
    async def write(key: int, note: Note) -> Note:
        return Note(text=f"{key} {note.text}")

    router = APIRouter(prefix="/_lists", tags=["lists"], route_class=Route)

    @router.get("")
    async def search(tag: Annotated[list[str], Query()], limit: int = 1) -> Note:
        return Note(text=f"{tag} {limit}")

    @router.get("/hidden", include_in_schema=False)
    async def search_hidden(tag: Annotated[list[str], Query()]) -> Note:
        return Note(text=f"{tag}")

    @router.get("/stream")
    async def stream() -> AsyncIterator[Note]:
        for text in ("a", "b"):
            yield Note(text=text)

    app.include_router(router)
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of that application."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_head_is_a_get_without_the_body(client: httpx2.AsyncClient) -> None:
    get, head = await client.get("/_notes/1"), await client.head("/_notes/1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_allow_lists_every_method_of_the_path(client: httpx2.AsyncClient) -> None:
    response = await client.delete("/_notes/1")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST"


async def test_trailing_slash_is_not_found(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/_notes/1/")).status_code == 404


async def test_only_list_parameters_may_be_repeated(client: httpx2.AsyncClient) -> None:
    response = await client.get("/_lists?tag=a&tag=b&limit=2")
    assert response.json() == {"text": "['a', 'b'] 2"}
    response = await client.get("/_lists?tag=a&limit=1&limit=2")
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["query", "limit"]
    response = await client.get("/_lists/hidden?tag=a&tag=b")
    assert response.json() == {"text": "['a', 'b']"}


def test_only_tags_of_resources_are_described(app: FastAPI) -> None:
    tags = {tag["name"] for tag in app.openapi()["tags"]}
    assert tags.isdisjoint({"health", "lists"})


async def test_a_route_can_stream(client: httpx2.AsyncClient) -> None:
    response = await client.get("/_lists/stream")
    assert response.text.split() == ['{"text":"a"}', '{"text":"b"}']


async def test_large_body_is_refused(client: httpx2.AsyncClient) -> None:
    response = await client.post("/_notes/1", json={"text": "x" * 100})
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/body-too-large"


async def test_large_chunked_body_is_refused(client: httpx2.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 20

    headers = {"content-type": "application/json"}
    response = await client.post("/_notes/1", content=chunks(), headers=headers)
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/body-too-large"


async def test_request_id_is_returned(client: httpx2.AsyncClient) -> None:
    given = await client.get("/_notes/1", headers={"x-request-id": "order-4711"})
    assert given.headers["x-request-id"] == "order-4711"
    invalid = await client.get("/_notes/x", headers={"x-request-id": "<script>"})
    identifier = invalid.headers["x-request-id"]
    assert identifier.isalnum()
    assert invalid.json()["instance"] == f"urn:request:{identifier}"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.example.com:80", 200),
        ("API.example.com", 200),
        ("[::1]", 200),
        ("[::1]:80", 200),
        ("evil.com", 400),
    ],
)
async def test_only_allowed_hosts_are_served(
    client: httpx2.AsyncClient,
    host: str,
    status: int,
) -> None:
    response = await client.get("/_notes/1", headers={"host": host})
    assert response.status_code == status
    # A probe addresses a container by its IP.
    response = await client.get("/health/live", headers={"host": host})
    assert response.status_code == 200


async def test_only_allowed_origins_may_read_responses(client: httpx2.AsyncClient) -> None:
    for origin, allowed in (("https://app.example.com", True), ("https://evil.com", False)):
        for url, size in (("/_notes/1", 1), ("/_notes/1", 1000), ("/no/such/path", 1)):
            response = await client.post(url, content=b"x" * size, headers={"origin": origin})
            assert ("access-control-allow-origin" in response.headers) is allowed


async def test_security_headers(client: httpx2.AsyncClient) -> None:
    headers = (await client.get("/_notes/1")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=60; includeSubDomains"


async def test_documentation_can_be_switched_on(
    client: httpx2.AsyncClient,
    application: FastAPI,
) -> None:
    assert (await client.get("/openapi.json")).status_code == 200
    assert application.openapi_url is None


@pytest.fixture
async def readiness(settings: Settings) -> AsyncIterator[Readiness]:
    """Yield a probe that has not checked anything."""
    readiness = Readiness(settings)
    yield readiness
    await readiness.close()


async def test_ready(application: FastAPI) -> None:
    transport = httpx2.ASGITransport(application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_not_ready_before_the_migrations(
    readiness: Readiness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "_heads", {"newest"})
    with pytest.raises(DatabaseUnavailableError, match="alembic upgrade head"):
        await readiness.check()


async def test_not_ready_if_the_version_cannot_be_read(
    readiness: Readiness,
    engine: AsyncEngine,
) -> None:
    async with engine.connect() as connection:
        statement = sa.text("ALTER TABLE alembic_version RENAME version_num TO hidden")
        await connection.execute(statement)
        with pytest.raises(DatabaseUnavailableError, match="cannot read the version"):
            await connection.run_sync(readiness.check_version)


async def test_ready_if_the_database_is_ahead_of_the_code(
    readiness: Readiness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "_heads", {"older"})
    monkeypatch.setattr(readiness, "_revisions", {"older"})
    await readiness.check()
