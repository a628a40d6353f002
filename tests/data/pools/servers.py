"""The application on a real port, and many clients at once."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, Self

import uvicorn
from app.settings import EXAMPLE_URL, Settings

from .probe import ASYNC, create_app

ROOT = Path(__file__).parents[2]
DATABASE = EXAMPLE_URL.partition(":")[0]
PGBOUNCER = (ROOT / "pgbouncer").is_dir()
MODE = "async" if ASYNC else "sync"

# Seconds after which a load test has certainly hung.
HANGS = float(os.environ.get("HANGS", "40"))


@contextmanager
def serve(database_url: str, **settings: object) -> Iterator[int]:
    """Run the application with these settings in a thread; yield its port."""
    app = create_app(Settings.model_validate({"database_url": database_url, **settings}))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serve_processes(database_url: str, **settings: object) -> Iterator[int]:
    """Run the application with these settings in processes of its own; yield its port."""
    env = {name.upper(): str(value) for name, value in settings.items()}
    command = "-m uvicorn --factory --no-access-log tests.pools.probe:create_app"
    # Clients can connect from now on, and wait until the processes accept them.
    with (
        socket.create_server(("127.0.0.1", 0), backlog=2048) as listener,
        subprocess.Popen(
            [sys.executable, *command.split(), f"--fd={listener.fileno()}"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url, **env},
            pass_fds=[listener.fileno()],
            text=True,
        ) as process,
    ):
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: str
) -> tuple[int, bytes]:
    writer.write(f"{request} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    assert length, head
    return int(head.split()[1]), head + await reader.readexactly(int(length[1]))


def get(port: int, path: str) -> tuple[int, str]:
    """Return the status of one request, and its response with the headers in lower case."""

    async def request() -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await _send(reader, writer, f"GET {path}")
        finally:
            writer.close()
            await writer.wait_closed()

    status, answer = asyncio.run(request())
    return status, answer.decode()


def load(
    port: int,
    request: str = "GET /probe/one",
    *,
    clients: int,
    requests: int = 1,
    after: tuple[int, Callable[[], object]] | None = None,
) -> Counter[int]:
    """Send requests from many clients at once, and count the statuses.

    Each client sends its requests one after the other. `after` is a number of responses, and a
    function to call once that many have arrived, while the load goes on. Raises TimeoutError if the
    application hangs.
    """
    statuses: Counter[int] = Counter()
    reached = asyncio.Event()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(requests):
            status, _answer = await _send(reader, writer, request)
            statuses[status] += 1
            if after and statuses.total() == after[0]:
                reached.set()
        writer.close()
        await writer.wait_closed()

    async def interrupt() -> None:
        if after:
            await reached.wait()
            await asyncio.to_thread(after[1])

    async def run() -> None:
        async with asyncio.timeout(HANGS), asyncio.TaskGroup() as group:
            group.create_task(interrupt())
            for _ in range(clients):
                group.create_task(client())

    asyncio.run(run())
    return statuses


class Database:
    """A connection of the test's own to PostgreSQL, by the project's driver."""

    def __init__(self, url: str) -> None:
        """Connect."""
        self._runner = asyncio.Runner()
        self._connection: Any
        self._psycopg = find_spec("psycopg") is not None
        if self._psycopg:
            import psycopg  # noqa: PLC0415

            self._connection = psycopg.connect(url, autocommit=True)
        else:
            import asyncpg  # noqa: PLC0415

            self._connection = self._runner.run(asyncpg.connect(url))

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Disconnect."""
        closing = self._connection.close()
        if not self._psycopg:
            self._runner.run(closing)
        self._runner.close()

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in its own transaction; return its rows."""
        if self._psycopg:
            cursor = self._connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        return [tuple(row) for row in self._runner.run(self._connection.fetch(statement))]
