"""Requests at and beyond their limits."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize("query", ["limit=101", f"limit={10**20}", "offset=-1", "offset=10001"])
def test_page_out_of_range_is_refused(api: TestClient, query: str) -> None:
    assert api.get(f"/entries?{query}").status_code == 422


@pytest.mark.parametrize("key", ["-1", "x", str(2**63), str(10**20)])
def test_id_out_of_range_is_refused(api: TestClient, key: str) -> None:
    assert api.get(f"/entries/{key}").status_code == 422


def test_excess_etags_are_ignored(api: TestClient) -> None:
    author = api.post("/authors", json={"name": "Etags"}).json()["id"]
    many = {"If-Match": ", ".join(['"1"'] * 40_000)}
    assert api.delete(f"/authors/{author}", headers=many).status_code == 412
    assert api.delete(f"/authors/{author}").status_code == 204


def entry(api: TestClient, author: int, **values: object) -> dict[str, Any]:
    """Return the body of an entry: the documented example, with these values."""
    document: Any = api.app.openapi()
    (example,) = document["components"]["schemas"]["EntryCreate"]["examples"]
    own = {"author_id": author, "reviewer_id": None, "code": str(uuid4())}
    return {**example, **own, **values}


def test_deep_json_can_be_shown_wherever_it_is_accepted(api: TestClient) -> None:
    author = api.post("/authors", json={"name": "Deep"}).json()["id"]
    for levels, status in ((199, 201), (201, 422), (250, 422)):
        value: object = 1
        for _ in range(levels):
            value = [value]
        body = entry(api, author, extra={"a": value})
        assert api.post("/entries", json=body).status_code == status
    assert api.get(f"/authors/{author}").status_code == 200


def test_longest_cursor_is_accepted(api: TestClient) -> None:
    author = api.post("/authors", json={"name": "Long"}).json()["id"]
    for _ in range(2):
        # A control character has six bytes in JSON.
        body = entry(api, author, path="\x01" * 2600)
        assert api.post("/entries", json=body).status_code == 201
    page = f"/entries?limit=1&sort=path&author_id={author}"
    found = api.get(f"{page}&cursor={api.get(page).json()['next_cursor']}")
    assert [len(item["path"]) for item in found.json()["items"]] == [2600]
