"""Run the same tests in both modes: in async mode, on the Session of an AsyncSession."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from app.db import purge
from app.db.engine import build_engine
from app.db.session import build_session_factory
from app.settings import EXAMPLE_URL, Settings
from sqlalchemy import event, orm

from .models import Base, Profile

ASYNC = inspect.iscoroutinefunction(purge.purge_old)
if ASYNC:
    from sqlalchemy.util import greenlet_spawn

collect_ignore = []
if EXAMPLE_URL.startswith("sqlite"):
    # SQLite has no row locks, and its planner does not know the number of rows.
    collect_ignore = ["test_row_locks.py", "test_plans.py"]


class Database:
    """The project's engine and, in async mode, an event loop; one per thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._loop = asyncio.new_event_loop() if ASYNC else None
        engine = build_engine(Settings.model_validate({"database_url": url}))
        self._factory = build_session_factory(engine)
        self.engine: sa.Engine = engine.sync_engine if ASYNC else engine

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function that uses this database."""
        if self._loop is None:
            return function(*args, **kwargs)
        return self._loop.run_until_complete(greenlet_spawn(function, *args, **kwargs))

    def session(self, connection: sa.Connection | None = None) -> orm.Session:
        """Open a session; on a connection, its commits and rollbacks end savepoints."""
        session = self._factory(join_transaction_mode="create_savepoint")
        if ASYNC:
            # The tests keep the sync session only.
            session.sync_session.info["proxy"] = session
            session = session.sync_session
        session.bind = connection or session.bind
        return session

    def close(self) -> None:
        """Close all connections."""
        self.run(self.engine.dispose)
        if self._loop is not None:
            self._loop.close()


@pytest.fixture(scope="session")
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)

    def create() -> None:
        with database.engine.begin() as connection:
            Base.metadata.create_all(connection)

    def drop() -> None:
        with database.engine.begin() as connection:
            Base.metadata.drop_all(connection)

    database.run(create)
    yield database
    database.run(drop)
    database.close()


@pytest.fixture
def session(database: Database) -> Iterator[orm.Session]:
    """Return a session whose commits and rollbacks are undone after the test."""
    connection = database.run(database.engine.connect)
    transaction = database.run(connection.begin)
    session = database.session(connection)
    yield session
    database.run(session.close)
    database.run(transaction.rollback)
    database.run(connection.close)


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """Record the SQL sent to the driver."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


class Actor:
    """A concurrent transaction: a thread with its own engine and session, committed at the end."""

    def __init__(self, url: str, act: Callable[[orm.Session], Any]) -> None:
        self._url = url
        self._act = act
        self._started = threading.Event()
        self._result: Any = None
        self._thread = threading.Thread(target=self._main)
        self._thread.start()

    def _main(self) -> None:
        database = Database(self._url)

        def act() -> Any:
            self._started.set()
            with database.session() as session, session.begin():
                return self._act(session)

        try:
            self._result = database.run(act)
        except Exception as error:  # noqa: BLE001
            self._result = error
        finally:
            database.close()

    def wait_until_blocked(self, session: orm.Session) -> None:
        """Wait until it is blocked by a lock, which SQLite does not show."""
        assert self._started.wait(timeout=30)
        if session.bind.dialect.name == "postgresql":
            blocked = sa.text("SELECT count(*), pg_sleep(0.01) FROM pg_locks WHERE NOT granted")
            while not session.execute(blocked).one()[0]:
                assert self._thread.is_alive(), self._result

    def result(self) -> Any:
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "it is blocked forever"
        return self._result


@pytest.fixture
def someone_else(database: Database) -> Iterator[Callable[..., Actor]]:
    """Start concurrent transactions."""
    actors: list[Actor] = []

    def start(act: Callable[[orm.Session], Any]) -> Actor:
        actors.append(Actor(database.url, act))
        return actors[-1]

    yield start
    for actor in actors:
        actor.result()


@pytest.fixture
def real_session(database: Database) -> Iterator[orm.Session]:
    """Return a session that really commits; empty the tables afterwards."""
    session = database.session()
    yield session

    def empty() -> None:
        session.close()
        with database.engine.begin() as connection:
            connection.execute(sa.update(Profile).values(pinned_id=None))
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(sa.delete(table))

    database.run(empty)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Run each test where database calls can be awaited."""
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    if "database" not in pyfuncitem.funcargs:
        return None
    pyfuncitem.funcargs["database"].run(pyfuncitem.obj, **arguments)
    return True
