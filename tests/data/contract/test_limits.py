"""Requests beyond their limits."""

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
