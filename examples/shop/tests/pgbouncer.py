"""A real PgBouncer with the project's configuration."""

import os
import shutil
import socket
import subprocess
from collections import deque
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

ROOT = Path(__file__).parent.parent


def find_program() -> str | None:
    """Return the path of PgBouncer, or None if it is not installed, which fails in CI."""
    path = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert path or "CI" not in os.environ, "pgbouncer is not installed"
    return path


def read_configuration() -> ConfigParser:
    """Parse pgbouncer.ini."""
    parser = ConfigParser(interpolation=None, comment_prefixes=(";",))
    parser.read(ROOT / "pgbouncer" / "pgbouncer.ini")
    return parser


class PgBouncer:
    """A PgBouncer to stop and start; `url` is the database through it."""

    def __init__(self, program: str, folder: Path, database: sa.URL, **changes: object) -> None:
        """Write the configuration for a database, with changes, and start."""
        # PostgreSQL's address is a host or the folder of its socket.
        host = database.host or str(database.query.get("host", "localhost"))
        # PgBouncer refuses to run as root; the socket's owner can reach PostgreSQL.
        owner = Path(host).owner() if Path(host).is_dir() else "nobody"
        self._user = owner if os.geteuid() == 0 else None
        self._program = program
        self._file = folder / "pgbouncer.ini"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        url = database.set(host="127.0.0.1", port=port, query={})
        url = url.set(password=database.password or "test")
        self.url = url.render_as_string(hide_password=False)
        self._admin_url = url.set(database="pgbouncer").render_as_string(hide_password=False)

        users = folder / "userlist.txt"
        users.write_text(f'"{url.username}" "{url.password}"\n')
        configuration = read_configuration()
        configuration["databases"] = {
            str(url.database): f"host={host} port={database.port or 5432} dbname={url.database}"
        }
        overrides = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "auth_file": users,
            "admin_users": url.username,
            # Enough for every test.
            "max_client_conn": 500,
            **changes,
        }
        for name, value in overrides.items():
            configuration["pgbouncer"][name] = str(value)
        with self._file.open("w") as file:
            configuration.write(file)
        self.start()

    def start(self) -> None:
        """Start, and wait until it listens."""
        self._process = subprocess.Popen(
            [self._program, str(self._file)],
            stderr=subprocess.PIPE,
            text=True,
            user=self._user,
        )
        log = self._process.stderr
        assert log
        if not any("process up" in line for line in log):
            pytest.fail("pgbouncer did not start: run it manually to see why")
        # Keep reading the log, so that PgBouncer never blocks on it.
        self._reader = Thread(target=deque, args=(log, 0))
        self._reader.start()

    def stop(self) -> None:
        """Stop and close all connections."""
        # Since 1.23 PgBouncer waits for its clients on SIGTERM.
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stderr:
            self._process.stderr.close()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def command(self, *commands: str) -> list[tuple[Any, ...]]:
        """Run commands on PgBouncer's console; return the rows of the last."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            cursor = connection.cursor()
            for command in commands:
                cursor.execute(command.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def run_pgbouncer(
    program: str,
    database_url: str,
    **changes: object,
) -> Iterator[PgBouncer]:
    """Run PgBouncer in front of a database, with changes to the project's configuration."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        pgbouncer = PgBouncer(program, folder, sa.make_url(database_url), **changes)
        try:
            yield pgbouncer
        finally:
            pgbouncer.stop()
