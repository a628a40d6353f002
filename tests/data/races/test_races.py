"""Concurrent requests on a real server: no error but the documented ones, no lost change."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx2
import pytest
import uvicorn
from app.main import create_app
from app.settings import Settings

Request = Callable[[], httpx2.Response]


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[httpx2.Client]:
    """Yield a client of the application, which commits to the test database."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield client
    server.should_exit = True
    thread.join()


def at_once(*requests: Request) -> list[httpx2.Response]:
    """Send requests at the same time; return the responses in this order."""
    barrier = threading.Barrier(len(requests))

    def send(request: Request) -> httpx2.Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def create(api: httpx2.Client, url: str, **body: Any) -> str:
    """Create a row and return its URL."""
    response = api.post(url, json=body)
    assert response.status_code == 201, response.text
    return str(response.headers["location"])


def test_update_racing_a_deletion_is_not_found(api: httpx2.Client) -> None:
    for number in range(30):
        row = create(api, "/counters", name=f"race {number}", log="x")
        updates = [partial(api.patch, row, json={"log": "y"})] * 3
        *updated, deleted = at_once(*updates, partial(api.delete, row))
        assert deleted.status_code == 204
        assert {response.status_code for response in updated} <= {200, 404}
        assert api.get(row).status_code == 404


def test_one_of_several_deletions_succeeds(api: httpx2.Client) -> None:
    for number in range(20):
        row = create(api, "/counters", name=f"deletion {number}", log="x")
        responses = at_once(*[partial(api.delete, row)] * 4)
        assert sorted(response.status_code for response in responses) == [204, 404, 404, 404]


def test_one_of_several_rows_with_a_unique_value_is_created(api: httpx2.Client) -> None:
    requests = [partial(api.post, "/counters", json={"name": "unique", "log": "x"})] * 16
    statuses = sorted(response.status_code for response in at_once(*requests))
    assert statuses == [201] + [409] * 15


def test_no_conditional_update_is_lost(api: httpx2.Client) -> None:
    row = create(api, "/counters", name="versions", log=".")

    def append(number: int) -> None:
        while True:
            found = api.get(row)
            body = {"log": f"{found.json()['log']} {number}"}
            updated = api.patch(row, json=body, headers={"If-Match": found.headers["etag"]})
            if updated.status_code == 200:
                return
            assert updated.status_code == 412

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(append, range(24)))
    assert sorted(api.get(row).json()["log"].split()) == sorted([".", *map(str, range(24))])


@pytest.mark.parametrize("url", ["/nodes", "/branches", "/twigs"])
def test_row_that_is_its_own_parent_can_be_deleted(api: httpx2.Client, url: str) -> None:
    row = create(api, url, name="root")
    key = int(row.rpartition("/")[2])
    assert api.patch(row, json={"parent_id": key}).status_code == 200
    assert api.delete(row).status_code == 204
    assert api.get(row).status_code == 404
