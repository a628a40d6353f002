"""All errors are problem details and leak nothing."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from app.db.base import Base
from app.db.engine import DatabaseUnavailableError, OutcomeUnknownError, build_engine
from app.db.errors import InvalidCursorError, NotFoundError, PreconditionFailedError
from app.db.readiness import Readiness
from app.db.session import SessionDep, build_session_factory
from app.errors import KINDS, Problem
from app.main import create_app
from app.schemas.types import NonBlank
from app.settings import Settings

DOWN = "postgresql://user:secret@127.0.0.1:1/nowhere"


class OrderLine(Base):
    """A model whose name has two words."""

    __abstract__ = True


class Body(BaseModel, extra="forbid"):
    """A request body."""

    number: int
    text: NonBlank = "text"


class _DriverError(Exception):
    """An index row is too large, as the driver reports it."""

    sqlstate = "54000"


ERRORS: dict[str, Exception] = {
    "not-found": NotFoundError(OrderLine),
    "precondition-failed": PreconditionFailedError(OrderLine),
    "invalid-cursor": InvalidCursorError(),
    "precondition-required": HTTPException(428, "Send If-Match."),
    "unavailable": DatabaseUnavailableError("connection refused"),
    "outcome-unknown": OutcomeUnknownError("connection lost"),
    "invalid-request": DBAPIError("INSERT", {}, _DriverError("secret")),
    "internal-error": RuntimeError("secret"),
}

ORIGIN = {"Origin": "https://app.example.com"}


@pytest.fixture(scope="module")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """Yield an application whose database is down, with routes that fail."""
    changes = {"database_url": DOWN, "cors_origins": (ORIGIN["Origin"],)}
    down = Settings.model_validate({**settings.model_dump(), **changes})
    app = create_app(down)
    engine = build_engine(down)
    app.state.session_factory = build_session_factory(engine)
    app.state.readiness = Readiness(down)

    @app.post("/_bodies")
    async def take(body: Body) -> int:
        return body.number

    @app.get("/_errors/{kind}")
    async def fail(kind: str) -> None:
        raise ERRORS[kind]

    @app.get("/_connection")
    async def connect(session: SessionDep) -> None:
        await session.connection()

    yield app
    await app.state.readiness.close()
    await engine.dispose()


@pytest.fixture
def client(app: FastAPI) -> httpx2.AsyncClient:
    """Return a client that shows the responses to unhandled errors."""
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://test")


def check(response: httpx2.Response, status: int, kind: str | None = None) -> Problem:
    """Check that a response is a problem; return it."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(response.json(), extra="forbid")
    assert problem.status == status
    assert problem.type == (f"/problems/{kind}" if kind else "about:blank")
    return problem


async def test_database_is_down(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/health/live")).status_code == 200
    for path in ("/health/ready", "/_connection"):
        response = await client.get(path)
        check(response, 503, "unavailable")
        assert "secret" not in response.text


async def test_unknown_path(client: httpx2.AsyncClient) -> None:
    check(await client.get("/no/such/path"), 404)


@pytest.mark.parametrize("kind", ERRORS)
async def test_each_error_has_its_problem_type(client: httpx2.AsyncClient, kind: str) -> None:
    response = await client.get(f"/_errors/{kind}", headers=ORIGIN)
    check(response, KINDS[kind][0], kind)
    assert "secret" not in response.text
    # So that scripts in browsers can read it.
    assert "access-control-allow-origin" in response.headers


async def test_not_found_names_the_resource(client: httpx2.AsyncClient) -> None:
    response = await client.get("/_errors/not-found")
    assert check(response, 404, "not-found").detail == "Order line not found."


async def test_only_unavailable_may_be_retried(client: httpx2.AsyncClient) -> None:
    unavailable = await client.get("/_errors/unavailable")
    assert int(unavailable.headers["retry-after"]) > 0
    unknown = await client.get("/_errors/outcome-unknown")
    assert "retry-after" not in unknown.headers


async def test_unavailable_is_logged_with_route_and_cause(
    client: httpx2.AsyncClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await client.get("/_errors/unavailable")
    assert "GET /_errors/{kind}: connection refused" in caplog.messages


@pytest.mark.parametrize("body", [b"{", b"\xff", b"", b"null", b"9" * 5000, b'{"number": "a"}'])
async def test_invalid_body(client: httpx2.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = await client.post("/_bodies", content=body, headers=headers)
    check(response, 422, "invalid-request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_wrong_content_type(client: httpx2.AsyncClient, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await client.post("/_bodies", content=b'{"number": 1}', headers=headers)
    check(response, 415, "unsupported-media-type")


async def test_invalid_value_is_located_but_not_repeated(client: httpx2.AsyncClient) -> None:
    response = await client.post("/_bodies", json={"number": "secret", "text": " "})
    number, text = check(response, 422, "invalid-request").errors
    assert (number.loc, text.loc) == (["body", "number"], ["body", "text"])
    assert text.msg == "Must not be blank or contain NUL characters"
    assert "secret" not in response.text
