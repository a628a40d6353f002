"""Copy all rows of a SQLite database into an empty PostgreSQL one, in one transaction.

    DATABASE_URL=postgresql://... uv run python sqlite_to_postgresql.py app.db

Run it in the project, after the revisions for PostgreSQL were written and applied.
"""

import asyncio
import datetime as dt
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa

from app.db.base import UTCDateTime
from app.db.models import Base
from app.settings import load_settings


def convert(column: sa.Column[Any], value: Any) -> Any:
    """Return the value that SQLite stores as text or a number."""
    if value is None:
        return None
    if isinstance(column.type, UTCDateTime):
        return dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)
    if isinstance(column.type, sa.JSON):
        return json.loads(value)
    kind = column.type.python_type
    reader: Callable[[Any], Any] = {
        dt.date: dt.date.fromisoformat,
        Decimal: lambda number: Decimal(str(number)),
    }.get(kind, kind)
    return reader(value)


def read(source: sqlite3.Connection, table: sa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    for row in source.execute(f'SELECT {names} FROM "{table.name}" ORDER BY id'):  # noqa: S608
        values = zip(table.columns, row, strict=True)
        yield {column.name: convert(column, value) for column, value in values}


def copy(target: sa.Connection, source: sqlite3.Connection) -> None:
    """Copy every table; references to rows that come later are set at the end."""
    later: list[tuple[sa.Table, str]] = []
    done: set[sa.Table] = set()
    for table in Base.metadata.sorted_tables:
        if target.scalar(sa.select(sa.exists(sa.select(table)))):
            sys.exit(f"{table.name} has rows already: this needs an empty database.")
        waiting = [key.parent.name for key in table.foreign_keys if key.column.table not in done]
        later += [(table, name) for name in waiting]
        count = 0
        rows = read(source, table)
        while batch := list(islice(rows, 500)):
            target.execute(sa.insert(table), [row | dict.fromkeys(waiting) for row in batch])
            count += len(batch)
        sys.stdout.write(f"{table.name}: {count}\n")
        done.add(table)
    for table, name in later:
        for row in read(source, table):
            if row[name] is not None:
                unchanged = {"updated_at": row["updated_at"]}
                change = sa.update(table).where(table.c.id == row["id"])
                target.execute(change.values({name: row[name], **unchanged}))
    for table in done:
        # New rows are numbered on from the last.
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        last = sa.select(sa.func.max(table.c.id)).scalar_subquery()
        target.execute(sa.select(sa.func.setval(sequence, last)))


def main(path: str) -> None:
    """Copy the rows of a file into the configured database."""
    settings = load_settings()
    url = getattr(settings, "sqlalchemy_migrations_url", settings.sqlalchemy_url)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
        if url.drivername.endswith("asyncpg"):
            asyncio.run(copy_asynchronously(url, source))
        else:
            with sa.create_engine(url).begin() as target:
                copy(target, source)


async def copy_asynchronously(url: sa.URL, source: sqlite3.Connection) -> None:
    """Copy every table through an asynchronous driver."""
    from sqlalchemy.ext.asyncio import create_async_engine

    async with create_async_engine(url).begin() as target:
        await target.run_sync(copy, source)


if __name__ == "__main__":
    main(sys.argv[1])
