"""Tests specific to customers; test_contract.py has the rest."""

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.schemas import pages
from tests.conftest import Statements
from tests.factories import order as order_factory
from tests.factories.customer import make, payload

URL = "/customers"


@pytest.mark.parametrize(
    "names",
    [
        ["email"],
    ],
)
async def test_duplicate_is_a_conflict(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    names: list[str],
) -> None:
    row = await make(session)
    taken = (await client.get(f"{URL}/{row.id}")).json()
    body = await payload(session, **{name: taken[name] for name in names})
    response = await client.post(URL, json=body)
    assert response.status_code == 409
    assert [error["loc"][1] for error in response.json()["errors"]] == names
    await client.delete(f"{URL}/{row.id}")
    assert (await client.post(URL, json=body)).status_code == 201


async def test_detail_shows_orders(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = await make(session)
    child = await order_factory.make(session, customer_id=row.id)
    shown = (await client.get(f"{URL}/{row.id}")).json()
    (item,) = shown["orders"]
    assert item["id"] == child.id
    assert shown["orders_next"] is None
    monkeypatch.setattr(pages, "NESTED_LIMIT", 0)
    shown = (await client.get(f"{URL}/{row.id}")).json()
    assert shown["orders"] == []
    url = shown["orders_next"]
    found = await client.get(url)
    assert [item["id"] for item in found.json()["items"]] == [child.id]


async def test_detail_takes_two_statements(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    statements: Statements,
) -> None:
    row = await make(session)
    with statements.counted() as sent:
        await client.get(f"{URL}/{row.id}")
    assert len(sent) == 2
