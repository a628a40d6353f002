"""Tests specific to note tags; test_contract.py has the rest."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.conftest import Statements
from tests.factories import note as note_factory
from tests.factories import tag as tag_factory
from tests.factories.note_tag import make, payload

URL = "/note-tags"


@pytest.mark.parametrize(
    "names",
    [
        ["note_id", "tag_id"],
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


@pytest.mark.parametrize(
    "name",
    [
        "note_id",
        "tag_id",
    ],
)
def test_missing_reference_is_refused(
    client: TestClient,
    session: Session,
    name: str,
) -> None:
    body = payload(session, **{name: 2**40})
    response = client.post(URL, json=body)
    assert response.status_code == 422
    assert [error["loc"] for error in response.json()["errors"]] == [["body", name]]


def test_deleting_its_note_deletes_it(
    client: TestClient,
    session: Session,
) -> None:
    parent = note_factory.make(session)
    row = make(session, note_id=parent.id)
    response = client.delete(f"/notes/{parent.id}")
    assert response.status_code == 204
    assert client.get(f"{URL}/{row.id}").status_code == 404


def test_deleting_its_tag_deletes_it(
    client: TestClient,
    session: Session,
) -> None:
    parent = tag_factory.make(session)
    row = make(session, tag_id=parent.id)
    response = client.delete(f"/tags/{parent.id}")
    assert response.status_code == 204
    assert client.get(f"{URL}/{row.id}").status_code == 404


def test_detail_takes_one_statement(
    client: TestClient,
    session: Session,
    statements: Statements,
) -> None:
    row = make(session)
    with statements.counted() as sent:
        client.get(f"{URL}/{row.id}")
    assert len(sent) == 1
