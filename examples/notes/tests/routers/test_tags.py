"""Tests specific to tags; test_contract.py has the rest."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.conftest import Statements
from tests.factories.tag import make, payload

URL = "/tags"


@pytest.mark.parametrize(
    "names",
    [
        ["name"],
    ],
)
def test_duplicate_is_a_conflict(
    client: TestClient,
    session: Session,
    names: list[str],
) -> None:
    row = make(session)
    taken = client.get(f"{URL}/{row.id}").json()
    body = payload(session, **{name: taken[name] for name in names})
    response = client.post(URL, json=body)
    assert response.status_code == 409
    assert [error["loc"][1] for error in response.json()["errors"]] == names


def test_detail_takes_one_statement(
    client: TestClient,
    session: Session,
    statements: Statements,
) -> None:
    row = make(session)
    with statements.counted() as sent:
        client.get(f"{URL}/{row.id}")
    assert len(sent) == 1
