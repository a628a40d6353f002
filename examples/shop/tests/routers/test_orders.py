"""Tests specific to orders; test_contract.py has the rest."""

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.schemas import pages
from tests.conftest import Statements
from tests.factories import customer as customer_factory
from tests.factories import order_line as order_line_factory
from tests.factories.order import make, payload

URL = "/orders"


@pytest.mark.parametrize(
    "names",
    [
        ["number"],
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


@pytest.mark.parametrize(
    "name",
    [
        "customer_id",
    ],
)
async def test_missing_reference_is_refused(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    name: str,
) -> None:
    body = await payload(session, **{name: 2**40})
    response = await client.post(URL, json=body)
    assert response.status_code == 422
    assert [error["loc"] for error in response.json()["errors"]] == [["body", name]]


async def test_deleting_its_customer_is_a_conflict(
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    parent = await customer_factory.make(session)
    row = await make(session, customer_id=parent.id)
    response = await client.delete(f"/customers/{parent.id}")
    assert response.status_code == 409
    assert (await client.get(f"{URL}/{row.id}")).status_code == 200


async def test_detail_shows_lines(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = await make(session)
    child = await order_line_factory.make(session, order_id=row.id)
    shown = (await client.get(f"{URL}/{row.id}")).json()
    (item,) = shown["lines"]
    assert item["id"] == child.id
    assert shown["lines_next"] is None
    monkeypatch.setattr(pages, "NESTED_LIMIT", 0)
    shown = (await client.get(f"{URL}/{row.id}")).json()
    assert shown["lines"] == []
    url = shown["lines_next"]
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
