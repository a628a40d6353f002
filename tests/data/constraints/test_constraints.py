"""Responses to violations of the constraints that the template's tests added by hand."""

from collections.abc import Iterator
from typing import Any

import pytest
from app.crud import rows
from app.db import models
from app.db.errors import MissingReferenceError
from app.db.session import SessionDep
from app.main import create_app
from app.schemas.booking import BookingCreate
from app.schemas.team import TeamCreate
from app.settings import Settings
from fastapi.testclient import TestClient

BODY = {"room": "A", "starts": 1, "ends": 2}


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[TestClient]:
    """Yield a client of the whole application."""
    with TestClient(create_app(settings)) as client:
        yield client


def create(api: TestClient, **body: Any) -> str:
    """Create a booking and return its URL."""
    response = api.post("/bookings", json=BODY | body)
    assert response.status_code == 201, response.text
    return str(response.headers["location"])


def test_check_violation_is_an_invalid_request(api: TestClient) -> None:
    row = create(api)
    responses = [
        api.post("/bookings", json={**BODY, "starts": 987654}),
        api.patch(row, json={"starts": 987654}),
    ]
    for response in responses:
        problem = response.json()
        assert (response.status_code, problem["type"]) == (422, "/problems/invalid-request")
        assert problem["detail"] == "The request violates a constraint on starts and ends."
        assert problem["errors"] == [
            {"loc": ["body", column], "msg": "Violates a constraint", "type": "check"}
            for column in ("starts", "ends")
        ]
        assert "987654" not in response.text
    assert api.get(row).json()["starts"] == 1


def test_quoted_values_are_not_taken_for_columns(api: TestClient) -> None:
    response = api.post("/bookings", json={**BODY, "status": "room"})
    assert [error["loc"] for error in response.json()["errors"]] == [["body", "status"]]


def test_deletion_that_clears_a_checked_reference_is_a_conflict(api: TestClient) -> None:
    team = api.post("/teams", json={"name": "A"}).headers["location"]
    row = create(api, status="team", team_id=int(team.rpartition("/")[2]), starts=0)
    response = api.delete(team)
    assert (response.status_code, response.json()["type"]) == (409, "/problems/still-referenced")
    assert api.delete(row).status_code == 204
    assert api.delete(team).status_code == 204


def test_transaction_survives_a_missing_reference(settings: Settings) -> None:
    app = create_app(settings)

    @app.post("/_both")
    def both(session: SessionDep) -> tuple[str, ...]:
        rows.create(session, models.Team, TeamCreate(name="Kept"))
        body = BookingCreate(**BODY, team_id=10**6)
        with pytest.raises(MissingReferenceError) as raised:
            rows.create(session, models.Booking, body)
        return raised.value.columns

    with TestClient(app) as api:
        assert api.post("/_both").json() == ["team_id"]
        assert "Kept" in [team["name"] for team in api.get("/teams").json()["items"]]


def test_exclusion_is_a_conflict(api: TestClient) -> None:
    create(api, room="B")
    response = api.post("/bookings", json={**BODY, "room": "B", "ends": 3})
    problem = response.json()
    assert (response.status_code, problem["type"]) == (409, "/problems/already-exists")
    assert [error["loc"] for error in problem["errors"]] == [["body", "room"], ["body", "starts"]]
