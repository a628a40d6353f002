"""Many more clients than connections, against a real server."""

from .servers import DATABASE, MODE, PGBOUNCER, Database, load, serve_processes

# A long timeout, so that a deadlock cannot be mistaken for a slow server.
POOL = {"pool_size": 15, "pool_timeout": 120}

HELD = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'budget'"


def test_no_number_of_clients_blocks_the_server(served_url: str) -> None:
    with serve_processes(served_url, **POOL) as port:
        for clients, requests in ((200, 3 if MODE == "sync" else 1), (500, 1), (1000, 1)):
            statuses = load(port, clients=clients, requests=requests)
            assert statuses == {200: clients * requests}


if DATABASE == "sqlite":

    def test_transactions_that_read_and_then_write_wait_for_each_other(served_url: str) -> None:
        with serve_processes(served_url, pool_size=5, pool_timeout=120, busy_timeout=120) as port:
            statuses = load(port, "POST /probe/rows", clients=50, requests=4)
            assert statuses == {200: 200}


if DATABASE == "postgresql" and not PGBOUNCER:

    def test_processes_open_no_more_connections_than_their_pools_have(
        database_url: str,
    ) -> None:
        sizes = {"web_concurrency": 2, "pool_size": 3, "max_overflow": 0}
        most = sizes["web_concurrency"] * sizes["pool_size"]
        held: list[int] = []
        with (
            Database(database_url) as database,
            serve_processes(
                database_url, **sizes, pool_timeout=120, application_name="budget"
            ) as port,
        ):

            def look() -> None:
                held.append(database.execute(HELD)[0][0])

            # Until every process has had enough clients at once to fill its pool.
            while held[-1:] != [most] and len(held) < 60:
                assert load(port, clients=20, requests=2, after=(20, look)) == {200: 40}
        assert 3 < max(held) <= most
