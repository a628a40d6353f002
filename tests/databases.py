"""A project and a database of its own: migrated by Alembic, filled and read by plain SQL."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects import run

# What a project has installed to reach PostgreSQL with, used without SQLAlchemy.
_SQL = """
import asyncio, json, sys
url, *statements = json.load(sys.stdin)
try:
    import psycopg
except ImportError:
    import asyncpg
    async def main():
        connection = await asyncpg.connect(url)
        for statement in statements:
            rows = [list(row) for row in await connection.fetch(statement)]
        await connection.close()
        return rows
    rows = asyncio.run(main())
else:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
            rows = [list(row) for row in cursor.fetchall()] if cursor.description else []
print(json.dumps(rows, default=str))
"""
_SERVE = """
import sys
from dev import temporary_database
with temporary_database() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def postgres(project: Path, python: Path) -> Iterator[str]:
    """Run the PostgreSQL that a project brings along; give the URL of its first database."""
    with subprocess.Popen(
        [python, "-W", "ignore", "-c", _SERVE],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


@dataclass
class Database:
    """A database and the project that it belongs to."""

    project: Path
    python: Path
    url: str

    def alembic(self, *args: str) -> str:
        """Run Alembic on the database; return what it prints."""
        return run(
            [str(self.python), "-m", "alembic", *args],
            self.project,
            DATABASE_URL=self.url,
            MIGRATIONS_DATABASE_URL=self.url,
        )

    def sql(self, *statements: str) -> list[list[Any]]:
        """Run statements, each in a transaction of its own; return the rows of the last."""
        if self.url.startswith("sqlite:///"):
            connection = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
            try:
                connection.execute("PRAGMA foreign_keys = ON")
                for statement in statements:
                    rows = connection.execute(statement).fetchall()
            finally:
                connection.close()
            return [list(row) for row in rows]
        answer = subprocess.run(
            [self.python, "-c", _SQL],
            input=json.dumps([self.url, *statements]),
            check=True,
            capture_output=True,
            text=True,
        )
        rows = json.loads(answer.stdout)
        assert isinstance(rows, list)
        return rows

    def write_revision(self, message: str) -> str:
        """Write a revision as the project's README says; return its text."""
        versions = self.project / "migrations" / "versions"
        before = set(versions.glob("*.py"))
        path = f"{self.python.parent}:/usr/bin:/bin"
        command = [str(self.python), "-W", "ignore", "dev.py", "revision", message]
        run(command, self.project, PATH=path)
        written = set(versions.glob("*.py")) - before
        return "".join(file.read_text(encoding="utf-8") for file in written)
