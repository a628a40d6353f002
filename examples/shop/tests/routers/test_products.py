"""Tests specific to products; test_contract.py has the rest."""

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.conftest import Statements
from tests.factories.product import make, payload

URL = "/products"


@pytest.mark.parametrize(
    "names",
    [
        ["sku"],
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


async def test_detail_takes_one_statement(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    statements: Statements,
) -> None:
    row = await make(session)
    with statements.counted() as sent:
        await client.get(f"{URL}/{row.id}")
    assert len(sent) == 1
