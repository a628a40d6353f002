"""Requests while the database is busy, restarting or unreachable."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from app.db import readiness
from dev import postgres

from .servers import PGBOUNCER, Database, get, load, serve

if PGBOUNCER:
    from tests.pgbouncer import find_program, run_pgbouncer


class Postgres:
    """A PostgreSQL to stop and start; `url` is empty while it is stopped."""

    def __init__(self, folder: Path) -> None:
        """Keep the data in a folder."""
        self.folder = folder
        self._running = ExitStack()
        self.url = ""

    def start(self) -> None:
        """Start it unless it is running."""
        if not self.url:
            self.url = self._running.enter_context(postgres(self.folder))

    def stop(self) -> None:
        """Stop it and close all connections."""
        self._running.close()
        self.url = ""

    def restart(self) -> None:
        """Stop it and start it."""
        self.stop()
        self.start()


@pytest.fixture(scope="module")
def stoppable_postgres() -> Iterator[Postgres]:
    """Yield a PostgreSQL server for these tests only."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder) / "postgres")
        yield server
        server.stop()


@pytest.fixture
def own_postgres(stoppable_postgres: Postgres) -> Postgres:
    """Return that server, running."""
    stoppable_postgres.start()
    return stoppable_postgres


def test_requests_without_a_free_connection_get_503(served_url: str, database_url: str) -> None:
    with (
        Database(database_url) as database,
        serve(served_url, pool_size=2, pool_timeout=0.2) as port,
    ):
        refusals: list[str] = []

        def unlock() -> None:
            refusals.append(get(port, "/probe/one")[1])
            database.execute("SELECT pg_advisory_unlock(1)")

        database.execute("SELECT pg_advisory_lock(1)")
        statuses = load(port, "GET /probe/locked", clients=6, after=(4, unlock))
        assert statuses == {503: 4, 200: 2}
        assert "retry-after:" in refusals[0]
        assert get(port, "/probe/one")[0] == 200


def test_connections_closed_by_the_server_are_replaced(served_url: str, database_url: str) -> None:
    with (
        Database(database_url) as database,
        serve(served_url, pool_size=3, application_name="stale") as port,
    ):
        load(port, clients=50)
        ended = database.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'stale'"
        )
        assert (True,) in ended
        assert load(port, clients=50) == {200: 50}


@pytest.mark.usefixtures("settings")  # migrates the database
def test_a_replica_serves_reads_only(served_url: str, own_postgres: Postgres) -> None:
    with serve(served_url, read_database_url=own_postgres.url) as port:
        assert str(own_postgres.folder) in get(port, "/probe/settings/data_directory")[1]
        own_postgres.stop()
        assert get(port, "/probe/settings/data_directory")[0] == 503
        assert get(port, "/probe/one")[0] == 200
        assert get(port, "/health/ready")[0] == 200
        own_postgres.start()
        assert get(port, "/probe/settings/data_directory")[0] == 200


def test_a_restart_of_postgresql_causes_nothing_but_503(own_postgres: Postgres) -> None:
    with ExitStack() as stack:
        url = own_postgres.url
        if PGBOUNCER:
            url = stack.enter_context(run_pgbouncer(str(find_program()), url)).url
        port = stack.enter_context(serve(url))
        restarted = load(port, clients=10, requests=30, after=(100, own_postgres.restart))
        assert restarted.keys() <= {200, 503}
        # PgBouncer logs in again after server_login_retry.
        while PGBOUNCER and get(port, "/probe/one")[0] == 503:
            pass
        assert load(port, clients=10) == {200: 10}

        own_postgres.stop()
        assert get(port, "/health/live")[0] == 200
        assert get(port, "/health/ready")[0] == 503
        assert get(port, "/probe/one")[0] == 503


def test_an_unresponsive_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://test:test@127.0.0.1:{silent.getsockname()[1]}/test"
        with serve(url, connect_timeout=2) as port:
            assert get(port, "/health/live")[0] == 200
            assert get(port, "/health/ready")[0] == 503


def test_connections_carry_the_application_name(served_url: str) -> None:
    with serve(served_url, application_name="named") as port:
        assert '"named"' in get(port, "/probe/settings/application_name")[1]


if not PGBOUNCER:

    def test_sessions_have_the_configured_timeouts(served_url: str) -> None:
        with serve(
            served_url, statement_timeout=0.2, lock_timeout=0.1, idle_in_transaction_timeout=0.3
        ) as port:
            for name, value in {
                "statement_timeout": "200ms",
                "lock_timeout": "100ms",
                "idle_in_transaction_session_timeout": "300ms",
            }.items():
                assert f'"{value}"' in get(port, f"/probe/settings/{name}")[1]
            assert get(port, "/probe/slow")[0] == 503
