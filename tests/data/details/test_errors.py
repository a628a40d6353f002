"""Problem details of any HTTPException, their size, and their documentation."""

from typing import Any

import pytest
from app.errors import Problem, problems
from app.main import create_app
from app.settings import Settings
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel

# The status, and the detail, which may be any JSON.
RAISED: list[tuple[int, Any, str]] = [
    (409, "Full.", "Full."),
    (409, {"code": "full", "free": 0}, '{"code": "full", "free": 0}'),
    (428, ["If-Match"], '["If-Match"]'),
    (499, "Gone.", "Gone."),
    (503, "The payment provider is down.", "The payment provider is down."),
]


class Body(BaseModel, extra="forbid"):
    number: int


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    app = create_app(settings)

    @app.post("/_bodies")
    def take(body: Body) -> int:
        return body.number

    @app.get("/_raised/{number}")
    def raise_http(number: int) -> None:
        status, detail, _text = RAISED[number]
        raise HTTPException(status, detail)

    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def check(response: Any, status: int, kind: str) -> Problem:
    """Check that a response is a problem; return it."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(response.json(), extra="forbid")
    assert (problem.status, problem.type) == (status, kind)
    return problem


@pytest.mark.parametrize("number", range(len(RAISED)))
def test_any_http_exception_is_a_problem(client: TestClient, number: int) -> None:
    status, _detail, text = RAISED[number]
    response = client.get(f"/_raised/{number}")
    kind = "/problems/precondition-required" if status == 428 else "about:blank"
    assert check(response, status, kind).detail == text


def test_error_response_is_limited_in_size(client: TestClient) -> None:
    body = {f"{number}-{'x' * 10_000}": 1 for number in range(100)}
    response = client.post("/_bodies", json=body)
    assert len(check(response, 422, "/problems/invalid-request").errors) == 30
    assert len(response.text) < 10_000


def test_openapi_documents_problems(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    (media_type,) = paths["/health/ready"]["get"]["responses"]["503"]["content"]
    assert media_type == "application/problem+json"
    responses = paths["/_bodies"]["post"]["responses"]
    assert "/problems/body-too-large" in responses["413"]["description"]
    assert "/problems/unsupported-media-type" in responses["415"]["description"]
    assert responses["422"]["description"] == "Invalid request (`/problems/invalid-request`)"


def test_problems_are_documented_by_kind() -> None:
    responses = problems("already-exists", "invalid-cursor", "still-referenced")
    assert {status: each["description"] for status, each in responses.items()} == {
        409: (
            "Already exists (`/problems/already-exists`),"
            " Still referenced (`/problems/still-referenced`)"
        ),
        422: "Invalid cursor (`/problems/invalid-cursor`)",
    }
