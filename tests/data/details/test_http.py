"""Streams, repeated parameters, paths, hosts, mounted applications and large bodies."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import httpx2
import pytest
from app.main import create_app
from app.routing import Route
from app.settings import Settings
from fastapi import APIRouter, FastAPI, Query, WebSocket, WebSocketDisconnect
from fastapi.staticfiles import StaticFiles
from fastapi.testclient import TestClient
from pydantic import BaseModel


class Note(BaseModel):
    text: str


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    app = create_app(settings.model_copy(update={"max_body_size": 100}))
    router = APIRouter(prefix="/_lists", tags=["lists"], route_class=Route)

    @router.get("")
    def search(tag: Annotated[list[str], Query()], limit: int = 1) -> Note:
        return Note(text=f"{tag} {limit}")

    @router.get("/hidden", include_in_schema=False)
    def search_hidden(tag: Annotated[list[str], Query()]) -> Note:
        return Note(text=f"{tag}")

    @router.post("")
    def write(note: Note) -> Note:
        return note

    @router.get("/stream")
    def stream() -> Iterator[Note]:
        for text in ("a", "b"):
            yield Note(text=text)

    @router.get("/stream/async")
    async def stream_async() -> AsyncIterator[Note]:
        for text in ("a", "b"):
            yield Note(text=text)

    app.include_router(router)
    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app)


def test_trailing_slash_is_not_found(client: TestClient) -> None:
    assert client.get("/_lists?tag=a").status_code == 200
    assert client.get("/_lists/?tag=a").status_code == 404


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


@pytest.mark.parametrize("path", ["/_lists/stream", "/_lists/stream/async"])
def test_a_route_can_stream(client: TestClient, path: str) -> None:
    assert client.get(path).text.split() == ['{"text":"a"}', '{"text":"b"}']


def test_two_hosts_are_refused(settings: Settings) -> None:
    client = TestClient(create_app(settings.model_copy(update={"allowed_hosts": ("test",)})))
    for hosts, status in ((["test"], 404), (["evil.com", "test"], 400), (["test", "test"], 400)):
        response = client.get("/_lists", headers=[("host", host) for host in hosts])
        assert response.status_code == status, hosts


def test_host_of_a_websocket_is_checked(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"allowed_hosts": ("test",)}))

    @app.websocket("/_echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    client = TestClient(app)
    with client.websocket_connect("/_echo", headers={"host": "test"}) as socket:
        assert socket.receive_text() == "hello"
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/_echo", headers={"host": "evil.com"}),
    ):
        pass


def test_mounted_application_names_its_own_methods(settings: Settings) -> None:
    app = create_app(settings)
    app.mount("/_files", StaticFiles(directory="tests"))
    response = TestClient(app).post("/_files/conftest.py")
    assert response.status_code == 405
    assert response.headers.get_list("allow") == ["GET, HEAD"]


def test_large_chunked_body_is_refused(app: FastAPI) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 20

    async def send() -> httpx2.Response:
        # TestClient would send a single chunk.
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"content-type": "application/json"}
            return await client.post("/_lists", content=chunks(), headers=headers)

    response = asyncio.run(send())
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/body-too-large"
