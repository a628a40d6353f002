"""Tests specific to order lines; test_contract.py has the rest."""

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.conftest import Statements
from tests.factories import order as order_factory
from tests.factories import product as product_factory
from tests.factories.order_line import make, payload

URL = "/order-lines"


@pytest.mark.parametrize(
    "names",
    [
        ["order_id", "product_id"],
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
        "order_id",
        "product_id",
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


async def test_deleting_its_order_deletes_it(
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    parent = await order_factory.make(session)
    row = await make(session, order_id=parent.id)
    response = await client.delete(f"/orders/{parent.id}")
    assert response.status_code == 204
    assert (await client.get(f"{URL}/{row.id}")).status_code == 404


async def test_deleting_its_product_is_a_conflict(
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    parent = await product_factory.make(session)
    row = await make(session, product_id=parent.id)
    response = await client.delete(f"/products/{parent.id}")
    assert response.status_code == 409
    assert (await client.get(f"{URL}/{row.id}")).status_code == 200


async def test_detail_takes_one_statement(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    statements: Statements,
) -> None:
    row = await make(session)
    with statements.counted() as sent:
        await client.get(f"{URL}/{row.id}")
    assert len(sent) == 1
