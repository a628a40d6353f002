"""Fixtures of the load, fault and process tests."""

import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import DATABASE, PGBOUNCER

collect_ignore = []
if DATABASE == "sqlite":
    collect_ignore.append("test_faults.py")
if not PGBOUNCER:
    collect_ignore.append("test_pgbouncer.py")


@pytest.fixture(scope="session", autouse=True)
def _open_files() -> None:
    """Allow this process and its children a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 4096:
        most = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


if DATABASE == "sqlite":

    @pytest.fixture
    def served_url(tmp_path: Path) -> str:
        """Return the URL of a database with one empty table."""
        file = tmp_path / "probe.db"
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE probe (count INTEGER)")
        connection.close()
        return f"sqlite:///{file}"

elif PGBOUNCER:
    from tests.pgbouncer import PgBouncer, find_program, run_pgbouncer

    @pytest.fixture(scope="session")
    def program() -> str:
        """Return the path of PgBouncer."""
        return find_program() or pytest.skip("pgbouncer is not installed")

    @pytest.fixture
    def pgbouncer(program: str, database_url: str) -> Iterator[PgBouncer]:
        """Run PgBouncer with the project's pgbouncer.ini in front of the test database."""
        with run_pgbouncer(program, database_url) as pgbouncer:
            yield pgbouncer

    @pytest.fixture
    def served_url(pgbouncer: PgBouncer) -> str:
        """Return the URL of the database through PgBouncer."""
        return pgbouncer.url

else:

    @pytest.fixture
    def served_url(database_url: str) -> str:
        """Return the URL the application connects to."""
        return database_url
