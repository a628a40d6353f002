"""Tests specific to notes; test_contract.py has the rest."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.schemas import pages
from tests.conftest import Statements
from tests.factories import note_tag as note_tag_factory
from tests.factories.note import make

URL = "/notes"


def test_detail_shows_tags(
    client: TestClient,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = make(session)
    child = note_tag_factory.make(session, note_id=row.id)
    shown = client.get(f"{URL}/{row.id}").json()
    (item,) = shown["tags"]
    assert item["id"] == child.id
    assert shown["tags_next"] is None
    monkeypatch.setattr(pages, "NESTED_LIMIT", 0)
    shown = client.get(f"{URL}/{row.id}").json()
    assert shown["tags"] == []
    url = shown["tags_next"]
    found = client.get(url)
    assert [item["id"] for item in found.json()["items"]] == [child.id]


def test_detail_takes_two_statements(
    client: TestClient,
    session: Session,
    statements: Statements,
) -> None:
    row = make(session)
    with statements.counted() as sent:
        client.get(f"{URL}/{row.id}")
    assert len(sent) == 2
