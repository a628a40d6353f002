"""Several processes without PgBouncer; run inside a rendered project."""

from app.db.budget import connection_budget
from tests.pools.servers import Database, load, serve_processes


def test_processes_hold_no_more_connections_than_the_budget_says(settings, database_url) -> None:
    sizes = {"web_concurrency": 2, "pool_size": 3}
    (item,) = connection_budget(settings.model_copy(update=sizes))
    held: list[int] = []
    with (
        Database(database_url) as database,
        serve_processes(database_url, **sizes, pool_timeout=120, application_name="budget") as port,
    ):

        def look() -> None:
            rows = database.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'budget'"
            )
            held.append(rows[0][0])

        # Until every process has had enough clients at once to fill its pool.
        while held[-1:] != [6] and len(held) < 60:
            assert load(port, clients=20, requests=2, after=(20, look)) == {200: 40}
    assert item.needed == 6
    assert 3 < max(held) <= item.needed
