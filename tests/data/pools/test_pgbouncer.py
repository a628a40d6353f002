"""The application behind a real PgBouncer."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from app.db.engine import DatabaseUnavailableError, build_engine
from app.db.readiness import Readiness
from app.db.session import build_session_factory
from app.settings import Settings, load_settings
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from tests.pgbouncer import PgBouncer, read_configuration, run_pgbouncer

from .servers import MODE, Database, load, serve, serve_processes

SESSION_MODE = read_configuration()["pgbouncer"]["pool_mode"] == "session"


class Base(DeclarativeBase):
    """Base of a table for these tests."""


class Note(Base):
    """A note."""

    __tablename__ = "pooler_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    size: Mapped[int]


@pytest.fixture
def notes(database_url: str) -> Iterator[Database]:
    """Yield a direct connection, with an empty table of notes."""
    with Database(database_url) as database:
        database.execute("DROP TABLE IF EXISTS pooler_notes")
        database.execute(
            "CREATE TABLE pooler_notes"
            " (id serial PRIMARY KEY, title text NOT NULL, size integer NOT NULL)"
        )
        yield database
        database.execute("DROP TABLE pooler_notes")


def work(session: Session, worker: int, turn: int) -> None:
    """Run statements of many shapes."""
    note = Note(title=f"{worker}", size=turn)
    session.add(note)
    session.flush()
    among = range(note.id - turn, note.id + 1)
    found = session.scalars(select(Note).where(Note.id.in_(among)))
    assert note in found.all()
    note.title = f"{worker} {turn}"
    session.flush()
    sums = select(func.count(), func.sum(Note.size)).where(Note.title == note.title)
    assert session.execute(sums).one() == (1, turn)
    mine = Note.title == note.title
    session.execute(update(Note).where(mine).values(size=Note.size + 1))
    last = select(Note.size).where(mine).order_by(Note.id.desc()).limit(1 + turn)
    assert session.scalar(last) == turn + 1
    if turn % 2:
        session.execute(delete(Note).where(mine))


def count(session: Session) -> tuple[int | None, int | None]:
    """Return the number of notes, and of statements prepared on the server's connection."""
    prepared = session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
    return session.scalar(select(func.count()).select_from(Note)), prepared


def change_schema(database: Database) -> None:
    """Change the table while others use it."""
    for turn in range(10):
        database.execute(f"ALTER TABLE pooler_notes ADD COLUMN extra_{turn} integer")
        kind = "integer" if turn % 2 else "bigint"
        database.execute(f"ALTER TABLE pooler_notes ALTER COLUMN size TYPE {kind}")


def test_statements_survive_schema_changes(
    pgbouncer: PgBouncer, notes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", pgbouncer.url)
    monkeypatch.setenv("POOL_SIZE", "20" if SESSION_MODE else "50")
    monkeypatch.setenv("POOL_TIMEOUT", "120")
    engine = build_engine(load_settings())
    factory = build_session_factory(engine)

    async def work_async(worker: int) -> None:
        for turn in range(10):
            async with factory() as session, session.begin():
                await session.run_sync(work, worker, turn)

    async def run_async() -> tuple[int, int]:
        async with asyncio.TaskGroup() as group:
            for worker in range(50):
                group.create_task(work_async(worker))
            group.create_task(asyncio.to_thread(change_schema, notes))
        async with factory() as session:
            counted = await session.run_sync(count)
        await engine.dispose()
        return counted

    def work_sync(worker: int) -> None:
        for turn in range(10):
            with factory() as session, session.begin():
                work(session, worker, turn)

    def run_sync() -> tuple[int, int]:
        with ThreadPoolExecutor(51) as threads:
            tasks = [threads.submit(work_sync, worker) for worker in range(50)]
            tasks.append(threads.submit(change_schema, notes))
            for task in tasks:
                task.result()
        with factory() as session:
            counted = count(session)
        engine.dispose()
        return counted

    assert (asyncio.run(run_async()) if MODE == "async" else run_sync()) == (250, 0)


def test_processes_hold_no_more_connections_than_the_pool_size(
    program: str, database_url: str
) -> None:
    sizes = {"default_pool_size": 4, "reserve_pool_size": 2}
    limit = sum(sizes.values())
    held: list[int] = []
    with (
        Database(database_url) as database,
        run_pgbouncer(program, database_url, **sizes) as pgbouncer,
        serve_processes(
            pgbouncer.url,
            web_concurrency=4,
            # In session mode each connection of a pool occupies a server connection.
            pool_size=1 if SESSION_MODE else 10,
            pool_timeout=120,
            application_name="budget",
        ) as port,
    ):

        def look() -> None:
            rows = database.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'budget'"
            )
            held.append(rows[0][0])

        assert load(port, clients=100, requests=3, after=(200, look)) == {200: 300}
        look()
    assert 1 <= max(held) <= limit


def test_a_failed_check_of_readiness_keeps_no_session(
    program: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = {"default_pool_size": 1, "reserve_pool_size": 0}

    async def check_and_connect(url: str) -> None:
        readiness = Readiness(Settings.model_validate({"database_url": url}))
        monkeypatch.setattr(readiness, "_heads", {"newest"})
        with pytest.raises(DatabaseUnavailableError, match="not migrated"):
            await readiness.check()
        with Database(url) as database:
            assert database.execute("SELECT 1") == [(1,)]
        closed = readiness.close()
        if MODE == "async":
            await closed

    with run_pgbouncer(program, database_url, **single) as pgbouncer:
        asyncio.run(check_and_connect(pgbouncer.url))


def test_no_request_fails_when_pgbouncer_pauses_and_resumes(
    program: str, database_url: str
) -> None:
    # PAUSE would count a login it interrupts as failed, so open all connections first.
    with (
        run_pgbouncer(program, database_url, default_pool_size=2, reserve_pool_size=0) as pgbouncer,
        serve(pgbouncer.url, pool_size=2 if SESSION_MODE else 10) as port,
    ):
        load(port, clients=20, requests=2)

        def pause() -> None:
            # In session mode PAUSE would wait for the sessions to end.
            pgbouncer.command(*["RECONNECT"] if SESSION_MODE else ["PAUSE", "RESUME"])

        assert load(port, clients=20, requests=20, after=(150, pause)) == {200: 400}


def test_a_restart_of_pgbouncer_causes_nothing_but_503(pgbouncer: PgBouncer) -> None:
    with serve(pgbouncer.url) as port:
        statuses = load(port, clients=10, requests=40, after=(100, pgbouncer.restart))
        assert statuses.keys() <= {200, 503}
        assert load(port, clients=20) == {200: 20}


def test_a_killed_backend_causes_nothing_but_503(pgbouncer: PgBouncer, database_url: str) -> None:
    with Database(database_url) as database, serve(pgbouncer.url, application_name="kill") as port:

        def kill() -> None:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'kill'"
            )

        statuses = load(port, clients=10, requests=30, after=(100, kill))
        assert statuses.keys() <= {200, 503}
        # At most one request per connection.
        assert statuses[503] <= 10
        assert load(port, clients=20) == {200: 20}
