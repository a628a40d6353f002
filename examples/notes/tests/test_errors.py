"""All errors are problem details and leak nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.db.base import Base
from app.db.engine import DatabaseUnavailableError, OutcomeUnknownError, build_engine
from app.db.errors import InvalidCursorError, NotFoundError, PreconditionFailedError
from app.db.readiness import Readiness
from app.db.session import SessionDep, build_session_factory
from app.errors import KINDS, Problem
from app.main import create_app
from app.schemas.types import NonBlank
from app.settings import Settings

DOWN = "sqlite:////no/such/folder/secret.db"


class OrderLine(Base):
    """A model whose name has two words."""

    __abstract__ = True


class Body(BaseModel, extra="forbid"):
    """A request body."""

    number: int
    text: NonBlank = "text"


ERRORS: dict[str, Exception] = {
    "not-found": NotFoundError(OrderLine),
    "precondition-failed": PreconditionFailedError(OrderLine),
    "invalid-cursor": InvalidCursorError(),
    "precondition-required": HTTPException(428, "Send If-Match."),
    "unavailable": DatabaseUnavailableError("connection refused"),
    "outcome-unknown": OutcomeUnknownError("connection lost"),
    "internal-error": RuntimeError("secret"),
}

ORIGIN = {"Origin": "https://app.example.com"}


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[FastAPI]:
    """Yield an application whose database is down, with routes that fail."""
    changes = {"database_url": DOWN, "cors_origins": (ORIGIN["Origin"],)}
    down = Settings.model_validate({**settings.model_dump(), **changes})
    app = create_app(down)
    engine = build_engine(down)
    app.state.session_factory = build_session_factory(engine)
    app.state.readiness = Readiness(down)

    @app.post("/_bodies")
    def take(body: Body) -> int:
        return body.number

    @app.get("/_errors/{kind}")
    def fail(kind: str) -> None:
        raise ERRORS[kind]

    @app.get("/_connection")
    def connect(session: SessionDep) -> None:
        session.connection()

    yield app
    app.state.readiness.close()
    engine.dispose()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Return a client that shows the responses to unhandled errors."""
    return TestClient(app, raise_server_exceptions=False)


def check(response: Any, status: int, kind: str | None = None) -> Problem:
    """Check that a response is a problem; return it."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(response.json(), extra="forbid")
    assert problem.status == status
    assert problem.type == (f"/problems/{kind}" if kind else "about:blank")
    return problem


def test_database_is_down(client: TestClient) -> None:
    assert client.get("/health/live").status_code == 200
    for path in ("/health/ready", "/_connection"):
        response = client.get(path)
        check(response, 503, "unavailable")
        assert "secret" not in response.text


def test_unknown_path(client: TestClient) -> None:
    check(client.get("/no/such/path"), 404)


@pytest.mark.parametrize("kind", ERRORS)
def test_each_error_has_its_problem_type(client: TestClient, kind: str) -> None:
    response = client.get(f"/_errors/{kind}", headers=ORIGIN)
    check(response, KINDS[kind][0], kind)
    assert "secret" not in response.text
    # So that scripts in browsers can read it.
    assert "access-control-allow-origin" in response.headers


def test_not_found_names_the_resource(client: TestClient) -> None:
    response = client.get("/_errors/not-found")
    assert check(response, 404, "not-found").detail == "Order line not found."


def test_only_unavailable_may_be_retried(client: TestClient) -> None:
    unavailable = client.get("/_errors/unavailable")
    assert int(unavailable.headers["retry-after"]) > 0
    unknown = client.get("/_errors/outcome-unknown")
    assert "retry-after" not in unknown.headers


def test_unavailable_is_logged_with_route_and_cause(
    client: TestClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client.get("/_errors/unavailable")
    assert "GET /_errors/{kind}: connection refused" in caplog.messages


@pytest.mark.parametrize("body", [b"{", b"\xff", b"", b"null", b"9" * 5000, b'{"number": "a"}'])
def test_invalid_body(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = client.post("/_bodies", content=body, headers=headers)
    check(response, 422, "invalid-request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_wrong_content_type(client: TestClient, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = client.post("/_bodies", content=b'{"number": 1}', headers=headers)
    check(response, 415, "unsupported-media-type")


def test_invalid_value_is_located_but_not_repeated(client: TestClient) -> None:
    response = client.post("/_bodies", json={"number": "secret", "text": " "})
    number, text = check(response, 422, "invalid-request").errors
    assert (number.loc, text.loc) == (["body", "number"], ["body", "text"])
    assert text.msg == "Must not be blank or contain NUL characters"
    assert "secret" not in response.text
