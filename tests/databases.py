"""A project and a database of its own: migrated by Alembic, filled and read by plain SQL."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from projects import DATA, run

_SERVE = """
import sys
from dev import temporary_database
with temporary_database() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def postgres(project: Path, python: Path) -> Iterator[str]:
    """Run the PostgreSQL that a project brings along; yield the URL of its first database."""
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


# A process of each interpreter, with Alembic imported.
_forks: dict[Path, subprocess.Popen[str]] = {}


def _ask(python: Path, **request: Any) -> Any:
    """Return what the process of an interpreter answers, or fail with its error."""
    process = _forks.get(python)
    if process is None:
        process = _forks[python] = subprocess.Popen(
            [python, DATA / "forks.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    assert process.stdin
    assert process.stdout
    print(json.dumps(request), file=process.stdin, flush=True)
    answer = json.loads(process.stdout.readline())
    if not answer["ok"]:
        pytest.fail(answer["output"], pytrace=False)
    return answer["output"]


def end_forks() -> None:
    """End the processes that ran Alembic."""
    while _forks:
        _, process = _forks.popitem()
        process.communicate()


@dataclass
class Database:
    """A database and the project that it belongs to."""

    project: Path
    python: Path
    url: str

    def alembic(self, *args: str) -> str:
        """Run Alembic on the database; return what it prints, or fail with it."""
        env = {
            "DATABASE_URL": self.url,
            "MIGRATIONS_DATABASE_URL": self.url,
            # The project's tools are not on the PATH, as without an activated environment.
            "PATH": "/usr/bin:/bin",
        }
        output = _ask(self.python, alembic=args, project=str(self.project), env=env)
        assert isinstance(output, str)
        return output

    def sql(self, *statements: str) -> list[list[Any]]:
        """Run statements, each in a transaction of its own; return the rows of the last."""
        if not self.url.startswith("sqlite:///"):
            rows = _ask(self.python, sql=statements, url=self.url)
            assert isinstance(rows, list)
            return rows
        path = self.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            for statement in statements:
                rows = connection.execute(statement).fetchall()
        return [list(row) for row in rows]

    def write_revision(self, message: str) -> str:
        """Write a revision as the project's README says; return its text."""
        versions = self.project / "migrations" / "versions"
        before = set(versions.glob("*.py"))
        command = [str(self.python), "-W", "ignore", "dev.py", "revision", message]
        run(command, self.project, PATH="/usr/bin:/bin")
        written = set(versions.glob("*.py")) - before
        return "".join(file.read_text(encoding="utf-8") for file in written)
