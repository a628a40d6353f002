"""Tests that every resource must pass."""

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from app.schemas.pages import Paging
from tests.conftest import Statements
from tests.factories import customer as customer_factory
from tests.factories import order as order_factory
from tests.factories import order_line as order_line_factory
from tests.factories import product as product_factory

# isort: split
# Import your own factories below this line.

RESOURCES: dict[str, Any] = {
    "/customers": customer_factory,
    "/products": product_factory,
    "/orders": order_factory,
    "/order-lines": order_line_factory,
    # Your own resources go below this line.
}
each_resource = pytest.mark.parametrize(("url", "factory"), RESOURCES.items(), ids=list(RESOURCES))
each_url = pytest.mark.parametrize("url", RESOURCES)


def create_schema(app: FastAPI, url: str) -> dict[str, Any]:
    """Return the JSON schema of the body that creates a row."""
    body = app.openapi()["paths"][url]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema: dict[str, Any] = app.openapi()["components"]["schemas"][name]
    return schema


def list_parameters(app: FastAPI, url: str) -> dict[str, Any]:
    """Return the JSON schemas of a list's query parameters by name."""
    parameters = app.openapi()["paths"][url]["get"]["parameters"]
    return {parameter["name"]: parameter["schema"] for parameter in parameters}


def filters(app: FastAPI, url: str) -> list[str]:
    """Return the names of a list's filters."""
    return [name for name in list_parameters(app, url) if name not in Paging.model_fields]


@each_resource
async def test_created_row_is_returned_as_stored(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    body = await factory.payload(session)
    created = await client.post(url, json=body)
    assert created.status_code == 201
    assert created.headers["location"] == f"{url}/{created.json()['id']}"
    assert created.json()["created_at"] == created.json()["updated_at"]
    found = await client.get(created.headers["location"])
    assert found.status_code == 200
    assert found.headers["etag"] == created.headers["etag"]
    assert created.json().items() <= found.json().items()


@each_resource
async def test_documented_example_is_accepted(
    url: str,
    factory: Any,
    app: FastAPI,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    (example,) = create_schema(app, url)["examples"]
    body = await factory.payload(session)
    references = {name: body.get(name) for name in example if name.endswith("_id")}
    response = await client.post(url, json=example | references)
    assert response.status_code == 201, response.json()


@each_resource
async def test_update_changes_only_given_fields(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    before = (await client.get(f"{url}/{row.id}")).json()
    payload = await factory.payload(session)
    stored = before.keys() & {*payload, "id", "created_at"}
    for name, value in payload.items():
        updated = await client.patch(f"{url}/{row.id}", json={name: value})
        assert updated.status_code == 200
        after = updated.json()
        assert {key for key in stored if after[key] != before[key]} <= {name}
        found = await client.get(f"{url}/{row.id}")
        assert after.items() <= found.json().items()
        before = after


@each_resource
async def test_empty_update_changes_nothing(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    before = await client.get(f"{url}/{row.id}")
    after = await client.patch(f"{url}/{row.id}", json={})
    assert after.headers["etag"] == before.headers["etag"]


@each_resource
async def test_required_field_is_neither_missing_nor_null(
    url: str,
    factory: Any,
    app: FastAPI,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    body = await factory.payload(session)
    for name in create_schema(app, url).get("required", []):
        missing = {key: value for key, value in body.items() if key != name}
        for response in (
            await client.post(url, json=missing),
            await client.post(url, json=body | {name: None}),
            await client.patch(f"{url}/{row.id}", json={name: None}),
        ):
            assert response.status_code == 422
            assert [error["loc"] for error in response.json()["errors"]] == [["body", name]]


@each_resource
async def test_unknown_field_is_refused(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    body = await factory.payload(session, no_such_field=1)
    assert (await client.post(url, json=body)).status_code == 422


@each_resource
async def test_pages_show_each_row_once(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    ids = [(await factory.make(session)).id, (await factory.make(session)).id]
    for sort, expected in (("id", ids), ("-id", ids[::-1])):
        first = await client.get(url, params={"limit": 1, "sort": sort, "total": True})
        assert first.json()["total"] == len(ids)
        second = await client.get(first.links["next"]["url"])
        pages = [first.json(), second.json()]
        assert [item["id"] for page in pages for item in page["items"]] == expected
        assert pages[1]["next_cursor"] is None
        assert "link" not in second.headers
    skipped = await client.get(url, params={"offset": 1})
    assert [item["id"] for item in skipped.json()["items"]] == ids[1:]
    assert "total" not in skipped.json()


@each_resource
async def test_rows_are_sorted(
    url: str,
    factory: Any,
    app: FastAPI,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    for _ in range(2):
        await factory.make(session)
    ids: dict[str, list[int]] = {}
    for sort in list_parameters(app, url)["sort"]["enum"]:
        params = {"limit": 1, "sort": sort}
        first = await client.get(url, params=params)
        second = await client.get(first.links["next"]["url"])
        rows = [*first.json()["items"], *second.json()["items"]]
        assert rows == (await client.get(url, params={"sort": sort})).json()["items"]
        ids[sort] = [row["id"] for row in rows]
        assert len(ids[sort]) == 2
    for name in (sort for sort in ids if f"-{sort}" in ids):
        assert ids[f"-{name}"] == ids[name][::-1]


@each_resource
async def test_cursor_of_another_query_is_refused(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    for _ in range(2):
        await factory.make(session)
    page = (await client.get(url, params={"limit": 1})).json()
    for params in ({"sort": "-id"}, {"offset": 1}):
        response = await client.get(url, params={"cursor": page["next_cursor"], **params})
        assert response.status_code == 422


@each_resource
async def test_responses_link_to_the_operations_on_a_row(
    url: str,
    factory: Any,
    app: FastAPI,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    paths = app.openapi()["paths"]
    operations = {each["operationId"]: each for each in paths[url + "/{key}"].values()}
    created = await client.post(url, json=await factory.payload(session))
    listed = await client.get(url)
    for response, row, pointer in (
        (paths[url]["post"]["responses"]["201"], created.json(), "/id"),
        (paths[url]["get"]["responses"]["200"], listed.json()["items"][0], "/items/0/id"),
    ):
        assert row["id"] > 0
        assert response["links"].keys() == operations.keys()
        for name, link in response["links"].items():
            assert link["operationId"] == name
            assert link["parameters"] == {"key": f"$response.body#{pointer}"}


@each_resource
async def test_filters_match(
    url: str,
    factory: Any,
    app: FastAPI,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    other = await factory.make(session)
    shown = (await client.get(f"{url}/{row.id}")).json()
    for parameter in filters(app, url):
        name, _, operator = parameter.partition("[")
        value = shown[name] is None if operator == "null]" else shown[name]
        if value is None:
            continue
        found = await client.get(url, params={parameter: value})
        assert found.status_code == 200
        items = {item["id"]: item[name] for item in found.json()["items"]}
        assert (row.id in items) == (operator not in ("gt]", "lt]"))
        if operator in ("gt]", "gte]", "lt]", "lte]"):
            first, second = (await client.get(url, params={"sort": name})).json()["items"]
            if first[name] != second[name]:
                other_is_greater = first["id"] == row.id
                assert (other.id in items) == (other_is_greater == operator.startswith("g"))
        if not operator:
            assert set(items.values()) == {value}


@each_url
async def test_invalid_query_is_refused(
    url: str,
    client: httpx2.AsyncClient,
) -> None:
    for query in ("limit=0", "cursor=damaged", "sort=no_such_field", "no_such_filter=1"):
        assert (await client.get(f"{url}?{query}")).status_code == 422, query
    assert (await client.get(f"{url}/0")).status_code == 422


@each_resource
async def test_stale_etag_is_refused(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    body = await factory.payload(session)
    etag = (await client.get(f"{url}/{row.id}")).headers["etag"]
    match = {"If-Match": etag}
    updated = await client.patch(f"{url}/{row.id}", json=body, headers=match)
    assert updated.status_code == 200
    assert updated.headers["etag"] != etag
    stale = await client.patch(f"{url}/{row.id}", json=body, headers=match)
    assert stale.status_code == 412
    assert (await client.delete(f"{url}/{row.id}", headers=match)).status_code == 412
    lines = [("If-Match", etag), ("If-Match", updated.headers["etag"])]
    assert (await client.delete(f"{url}/{row.id}", headers=lines)).status_code == 204
    assert (await client.delete(f"{url}/{row.id}", headers=lines)).status_code == 404


@pytest.fixture
def require_if_match(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set REQUIRE_IF_MATCH."""
    monkeypatch.setattr(app.state.settings, "require_if_match", True)


@pytest.mark.usefixtures("require_if_match")
@each_resource
async def test_if_match_can_be_required(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    assert (await client.patch(f"{url}/{row.id}", json={})).status_code == 428
    assert (await client.delete(f"{url}/{row.id}")).status_code == 428
    etag = (await client.get(f"{url}/{row.id}")).headers["etag"]
    # A proxy that compresses responses makes it weak.
    match = {"If-Match": f"W/{etag}"}
    assert (await client.delete(f"{url}/{row.id}", headers=match)).status_code == 204


@each_resource
async def test_deleted_row_is_not_found(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    response = await client.delete(f"{url}/{row.id}")
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers
    assert (await client.get(f"{url}/{row.id}")).status_code == 404
    assert (await client.patch(f"{url}/{row.id}", json={})).status_code == 404
    assert (await client.delete(f"{url}/{row.id}")).status_code == 404
    assert (await client.get(url)).json()["items"] == []


@each_resource
async def test_deleted_row_can_be_restored(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
) -> None:
    row = await factory.make(session)
    before = (await client.get(f"{url}/{row.id}")).json()
    await client.delete(f"{url}/{row.id}")
    shown = await client.get(f"{url}/{row.id}", params={"include_deleted": True})
    assert shown.json()["deleted_at"] is not None
    listed = (await client.get(url, params={"include_deleted": True})).json()
    assert [item["deleted_at"] for item in listed["items"]] == [shown.json()["deleted_at"]]
    restored = await client.post(f"{url}/{row.id}/restore")
    assert restored.status_code == 200
    assert (await client.get(f"{url}/{row.id}")).json() == before


@each_resource
async def test_requests_send_no_needless_statements(
    url: str,
    factory: Any,
    client: httpx2.AsyncClient,
    session: AsyncSession,
    statements: Statements,
) -> None:
    row = await factory.make(session)
    body = await factory.payload(session)
    requests: list[tuple[str, str, Any]] = [
        ("POST", url, body),
        ("GET", url, None),
        ("PATCH", f"{url}/{row.id}", {}),
    ]
    for method, path, json in requests:
        with statements.counted() as sent:
            await client.request(method, path, json=json)
        assert len(sent) == 1, (method, sent)
