"""HTTP: methods, sizes, headers, hosts, origins, probes and request ids."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import Engine

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
    def read(key: int) -> Note:
        return Note(text=f"note {key}")

    @app.post("/_notes/{key}")
    def write(key: int, note: Note) -> Note:
        return Note(text=f"{key} {note.text}")

    router = APIRouter(prefix="/_lists", tags=["lists"], route_class=Route)

    @router.get("")
    def search(tag: Annotated[list[str], Query()], limit: int = 1) -> Note:
        return Note(text=f"{tag} {limit}")

    @router.get("/hidden", include_in_schema=False)
    def search_hidden(tag: Annotated[list[str], Query()]) -> Note:
        return Note(text=f"{tag}")

    @router.get("/stream")
    def stream() -> Iterator[Note]:
        for text in ("a", "b"):
            yield Note(text=text)

    app.include_router(router)
    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Return a client of that application."""
    return TestClient(app, base_url="http://test")


def test_head_is_a_get_without_the_body(client: TestClient) -> None:
    get, head = client.get("/_notes/1"), client.head("/_notes/1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_allow_lists_every_method_of_the_path(client: TestClient) -> None:
    response = client.delete("/_notes/1")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST"


def test_trailing_slash_is_not_found(client: TestClient) -> None:
    assert client.get("/_notes/1/").status_code == 404


def test_only_list_parameters_may_be_repeated(client: TestClient) -> None:
    response = client.get("/_lists?tag=a&tag=b&limit=2")
    assert response.json() == {"text": "['a', 'b'] 2"}
    response = client.get("/_lists?tag=a&limit=1&limit=2")
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["query", "limit"]
    response = client.get("/_lists/hidden?tag=a&tag=b")
    assert response.json() == {"text": "['a', 'b']"}


def test_only_tags_of_resources_are_described(app: FastAPI) -> None:
    tags = {tag["name"] for tag in app.openapi()["tags"]}
    assert tags.isdisjoint({"health", "lists"})


def test_a_route_can_stream(client: TestClient) -> None:
    response = client.get("/_lists/stream")
    assert response.text.split() == ['{"text":"a"}', '{"text":"b"}']


def test_large_body_is_refused(client: TestClient) -> None:
    response = client.post("/_notes/1", json={"text": "x" * 100})
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/body-too-large"


def test_large_chunked_body_is_refused(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 20

    headers = {"content-type": "application/json"}
    response = client.post("/_notes/1", content=chunks(), headers=headers)
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/body-too-large"


def test_request_id_is_returned(client: TestClient) -> None:
    given = client.get("/_notes/1", headers={"x-request-id": "order-4711"})
    assert given.headers["x-request-id"] == "order-4711"
    invalid = client.get("/_notes/x", headers={"x-request-id": "<script>"})
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
def test_only_allowed_hosts_are_served(
    client: TestClient,
    host: str,
    status: int,
) -> None:
    response = client.get("/_notes/1", headers={"host": host})
    assert response.status_code == status
    # A probe addresses a container by its IP.
    response = client.get("/health/live", headers={"host": host})
    assert response.status_code == 200


def test_only_allowed_origins_may_read_responses(client: TestClient) -> None:
    for origin, allowed in (("https://app.example.com", True), ("https://evil.com", False)):
        for url, size in (("/_notes/1", 1), ("/_notes/1", 1000), ("/no/such/path", 1)):
            response = client.post(url, content=b"x" * size, headers={"origin": origin})
            assert ("access-control-allow-origin" in response.headers) is allowed


def test_security_headers(client: TestClient) -> None:
    headers = client.get("/_notes/1").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=60; includeSubDomains"


def test_documentation_can_be_switched_on(
    client: TestClient,
    application: FastAPI,
) -> None:
    assert client.get("/openapi.json").status_code == 200
    assert application.openapi_url is None


@pytest.fixture
def readiness(settings: Settings) -> Iterator[Readiness]:
    """Yield a probe that has not checked anything."""
    readiness = Readiness(settings)
    yield readiness
    readiness.close()


def test_ready(application: FastAPI) -> None:
    response = TestClient(application).get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_while_a_transaction_holds_the_write_lock(
    readiness: Readiness,
    engine: Engine,
) -> None:
    with engine.begin():
        asyncio.run(readiness.check())


def test_not_ready_before_the_migrations(
    readiness: Readiness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "_heads", {"newest"})
    with pytest.raises(DatabaseUnavailableError, match="alembic upgrade head"):
        asyncio.run(readiness.check())


def test_ready_if_the_database_is_ahead_of_the_code(
    readiness: Readiness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "_heads", {"older"})
    monkeypatch.setattr(readiness, "_revisions", {"older"})
    asyncio.run(readiness.check())
