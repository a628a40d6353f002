"""What SQLite keeps of a decimal; run inside a project with coins, in sync mode."""

from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

LONGEST = {"amount": "1234567890.12345", "share": "0.123456789012345", "plain": "12345678901.2345"}


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("column", LONGEST)
def test_fifteen_digits_come_back_as_they_were(column: str, sign: str, client: TestClient) -> None:
    body = {"amount": "1", "share": "0", "plain": "2", column: sign + LONGEST[column]}
    created = client.post("/coins", json=body)
    assert created.status_code == 201
    shown = client.get(f"/coins/{created.json()['id']}").json()
    assert Decimal(shown[column]) == Decimal(body[column])
    found = client.get("/coins", params={"share": body["share"], "total": True}).json()
    assert found["total"] == 1


def test_more_digits_are_refused_and_not_rounded(client: TestClient) -> None:
    body = {"amount": "1", "share": "0.1234567890123456", "plain": "1"}
    refused = client.post("/coins", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"] == ["body", "share"]
    assert "15 digits" in refused.json()["errors"][0]["msg"]
