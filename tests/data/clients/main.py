"""Create, list all pages, update with If-Match and delete, with openapi-python-client."""

import datetime as dt
import sys
import uuid

from client import AuthenticatedClient
from client.api.authors import create_author
from client.api.entries import (
    create_entry,
    delete_entry,
    list_entries,
    read_entry,
    update_entry,
)
from client.models import (
    AuthorCreate,
    AuthorRead,
    EntryCreate,
    EntryPage,
    EntryRead,
    EntryUpdate,
    ListEntriesSort,
    Problem,
)
from client.types import UNSET, Unset

ROWS = 25


def main(url: str, token: str) -> None:
    """Walk through the life of a few entries."""
    client = AuthenticatedClient(base_url=url, token=token)
    author = create_author.sync(client=client, body=AuthorCreate(name="Python"))
    assert isinstance(author, AuthorRead), author
    for rank in range(1, ROWS + 1):
        body = EntryCreate(
            title=f"Entry {rank}",
            rank=rank,
            points=rank,
            weight=rank / 2,
            price="9.50",
            day=dt.date(2026, 1, 31),
            at=dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
            code=uuid.uuid4(),
            author_id=author.id,
        )
        created = create_entry.sync_detailed(client=client, body=body)
        assert isinstance(created.parsed, EntryRead), created
        assert created.headers["location"] == f"/entries/{created.parsed.id}"

    entries: list[EntryRead] = []
    cursor: str | Unset | None = UNSET
    while cursor is not None:
        page = list_entries.sync(
            client=client,
            author_id=[author.id],
            sort=ListEntriesSort("-rank"),
            limit=10,
            cursor=cursor,
        )
        assert isinstance(page, EntryPage), page
        entries += page.items
        cursor = page.next_cursor
    assert [entry.rank for entry in entries] == list(range(ROWS, 0, -1))

    key = entries[0].id
    read = read_entry.sync_detailed(key, client=client)
    assert read.parsed is not None
    version = read.headers["etag"]
    statuses = [
        update_entry.sync_detailed(
            key, client=client, body=EntryUpdate(title="Changed"), if_match=version
        ).status_code
        for _ in range(2)
    ]
    assert statuses == [200, 412]
    assert delete_entry.sync_detailed(key, client=client).status_code == 204
    missing = read_entry.sync(key, client=client)
    assert isinstance(missing, Problem)
    assert missing.status == 404


main(*sys.argv[1:])
