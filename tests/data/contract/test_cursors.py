"""Every page exactly once, whatever happens between the pages."""

import datetime as dt
import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import pytest
from app.settings import Settings
from fastapi.testclient import TestClient

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def entry(chance: random.Random, author: int) -> dict[str, Any]:
    """Return a random entry, many of whose values other entries have too."""
    number = chance.randrange(8)
    at = START + dt.timedelta(days=number, microseconds=chance.randrange(2))
    return {
        "title": chance.choice(["a", "B", "b", "ä", "z'", "aa"]),
        "rank": chance.choice([-(2**31), -1, 0, 1, 2**31 - 1]),
        "points": chance.choice([-(2**63), -1, 0, 2**63 - 1]),
        "weight": chance.choice([-1.5, 0.1, 1 / 3, 1e300]),
        "price": chance.choice(["-0.01", "0", "0.10", "9999999999.99"]),
        "day": str((START + dt.timedelta(days=number)).date()),
        "at": at.isoformat(),
        "code": str(UUID(int=chance.getrandbits(128), version=4)),
        "author_id": author,
        "status": chance.choice(["draft", "published"]),
    }


@pytest.mark.parametrize("seed", range(2))
def test_every_stable_row_is_listed_exactly_once(
    api: TestClient, sorts: list[str], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    author = api.post("/authors", json={"name": f"Author {seed}"}).json()["id"]

    def create() -> int:
        response = api.post("/entries", json=entry(chance, author))
        assert response.status_code == 201, response.text
        return int(response.json()["id"])

    stable = {create() for _ in range(40)}
    passing = {create() for _ in range(20)}
    for sort in sorts:
        seen: list[int] = []
        query: dict[str, Any] = {"author_id": author, "sort": sort, "limit": chance.randint(1, 9)}
        while True:
            response = api.get("/entries", params=query)
            assert response.status_code == 200, response.text
            page = response.json()
            seen += [row["id"] for row in page["items"]]
            if page["next_cursor"] is None:
                break
            assert len(page["items"]) == query["limit"]
            query["cursor"] = page["next_cursor"]
            if chance.random() < 0.5:
                passing.add(create())
            if passing and chance.random() < 0.5:
                gone = chance.choice(sorted(passing))
                passing.remove(gone)
                assert api.delete(f"/entries/{gone}").status_code == 204
        # SQLite uses the ids of deleted rows again.
        assert sorted(key for key in seen if key in stable) == sorted(stable), sort
    assert api.delete(f"/authors/{author}").status_code == 204


def test_each_order_is_the_reverse_of_the_other(api: TestClient, sorts: list[str]) -> None:
    chance = random.Random(4)  # noqa: S311
    author = api.post("/authors", json={"name": "Order"}).json()["id"]
    for _ in range(30):
        assert api.post("/entries", json=entry(chance, author)).status_code == 201
    for sort in sorts:
        if sort.startswith("-"):
            continue
        query = {"author_id": author, "limit": 100}
        forth, back = (
            [
                row["id"]
                for row in api.get("/entries", params={**query, "sort": each}).json()["items"]
            ]
            for each in (sort, f"-{sort}")
        )
        assert len(forth) == 30
        assert forth == back[::-1], sort
    assert api.delete(f"/authors/{author}").status_code == 204


@pytest.mark.parametrize(
    ("sort", "value"), [("rank", 2**31), ("points", 2**63), ("price", "9" * 3000), ("day", "0001")]
)
def test_forged_cursor_is_refused(api: TestClient, sort: str, value: object) -> None:
    chance = random.Random(f"forged {sort}")  # noqa: S311
    author = api.post("/authors", json={"name": f"Forged {sort}"}).json()["id"]
    for _ in range(2):
        assert api.post("/entries", json=entry(chance, author)).status_code == 201
    query = {"author_id": author, "sort": sort, "limit": 1}
    cursor = json.loads(urlsafe_b64decode(api.get("/entries", params=query).json()["next_cursor"]))
    cursor[2] = value
    query["cursor"] = urlsafe_b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode()
    assert api.get("/entries", params=query).status_code == 422


def test_damaged_cursor_is_refused(api: TestClient) -> None:
    chance = random.Random("damaged")  # noqa: S311
    author = api.post("/authors", json={"name": "Damaged"}).json()["id"]
    for _ in range(2):
        assert api.post("/entries", json=entry(chance, author)).status_code == 201
    query = {"author_id": author, "limit": 1}
    cursor = api.get("/entries", params=query).json()["next_cursor"]
    assert api.get("/entries", params={**query, "cursor": cursor}).status_code == 200
    content = urlsafe_b64decode(cursor)
    damaged = [cursor[1:], cursor[:-4], f"{cursor}=", f"{cursor}AAAA", f"!{cursor}", f"{cursor}\n"]
    for changed in (
        b"null",
        content.replace(b"[1,", b"[2,"),
        content.replace(b"[1,", b"[true,"),
        content.replace(b"[1,", b"[1, "),
        content.replace(b"[1,", b'["1",'),
    ):
        assert changed != content
        damaged.append(urlsafe_b64encode(changed).decode())
    for each in damaged:
        response = api.get("/entries", params={**query, "cursor": each})
        assert response.status_code == 422, each


@pytest.mark.parametrize("char", ["😀", "x"])
def test_cursor_of_the_longest_text_is_accepted(api: TestClient, char: str) -> None:
    chance = random.Random(f"long {char!r}")  # noqa: S311
    author = api.post("/authors", json={"name": f"Long {char!r}"}).json()["id"]
    for _ in range(2):
        body = {**entry(chance, author), "path": char * 2600}
        assert api.post("/entries", json=body).status_code == 201
    query = {"author_id": author, "sort": "-path", "limit": 1}
    following = api.get("/entries", params=query).links["next"]["url"]
    assert len(api.get(following).json()["items"]) == 1


def test_text_that_no_index_can_hold_is_refused(api: TestClient, settings: Settings) -> None:
    chance = random.Random(9)  # noqa: S311
    author = api.post("/authors", json={"name": "Wide"}).json()["id"]
    path = "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(2600))
    response = api.post("/entries", json={**entry(chance, author), "path": path})
    is_sqlite = settings.sqlalchemy_url.get_backend_name() == "sqlite"
    assert response.status_code == (201 if is_sqlite else 422), response.text
