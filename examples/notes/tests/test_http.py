"""HTTP: methods, sizes, headers, hosts, origins, probes and request ids."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.main import create_app
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


def test_large_body_is_refused(client: TestClient) -> None:
    response = client.post("/_notes/1", json={"text": "x" * 100})
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


def test_ready(application: FastAPI) -> None:
    response = TestClient(application).get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
