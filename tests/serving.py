"""A rendered project, migrated and served by `python -m app` on a free port."""

import json
import os
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from databases import Database

# The project's own entry point, on a socket that is already open: no port can be taken meanwhile.
SERVE = """
import functools, runpy, sys, uvicorn
uvicorn.run = functools.partial(uvicorn.run, fd=int(sys.argv.pop()))
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""
# A temporary database of the project's, and its PgBouncer in front.
DATABASES = """
import json, sys
from contextlib import ExitStack
from pathlib import Path
from dev import temporary_database
with ExitStack() as stack:
    direct = pooled = stack.enter_context(temporary_database())
    if Path("pgbouncer").is_dir():
        from tests.pgbouncer import find_program, run_pgbouncer
        if program := find_program():
            pooled = stack.enter_context(run_pgbouncer(program, direct)).url
    print(json.dumps([direct, pooled]), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Response:
    """A response, its JSON and its headers in lower case."""

    status: int
    json: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Served:
    """A project that answers requests at a URL."""

    project: Path
    url: str
    database: Database
    log: Path = field(repr=False)

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        """Send a request; an underscore in a header's name stands for a hyphen."""
        request = urllib.request.Request(  # noqa: S310
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return self._read(response)
        except urllib.error.HTTPError as error:
            with error:
                return self._read(error)

    @staticmethod
    def _read(response: Any) -> Response:
        text = response.read()
        headers = {name.lower(): value for name, value in response.headers.items()}
        is_json = re.search(r"[/+]json", headers.get("content-type", ""))
        return Response(response.status, json.loads(text) if is_json else None, headers)


def requests(document: Path, served: Served) -> str:
    """Return a script that sends the requests of a document to a server."""
    text = document.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", served.url)
    lines = re.findall(r"^(?:curl|TOKEN=).*", text, re.MULTILINE)
    return "\n".join(['curl() { command curl --silent --show-error --fail "$@"; }', *lines])


def sign_in(served: Served, email: str) -> str:
    """Sign up and in; return the token. OPEN_SIGN_UP must be set."""
    password = "correct horse battery"  # noqa: S105
    account = served.request("POST", "/accounts", {"email": email, "password": password})
    assert account.status == 201, account
    form = urlencode({"username": email, "password": password}).encode()
    with urllib.request.urlopen(f"{served.url}/tokens", form, timeout=30) as response:  # noqa: S310
        token: str = json.load(response)["access_token"]
    return token


@contextmanager
def database_urls(project: Path, python: Path) -> Iterator[tuple[str, str]]:
    """Yield the URLs of a new database: the direct one and the application's."""
    with subprocess.Popen(
        [python, "-W", "ignore", "-c", DATABASES],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        direct, pooled = json.loads(process.stdout.readline())
        yield direct, pooled
        process.communicate()


@contextmanager
def serve(project: Path, python: Path, folder: Path, **settings: str) -> Iterator[Served]:
    """Migrate and serve a project on a temporary database; keep the log in a folder."""
    log = folder / "server.log"
    with (
        database_urls(project, python) as (direct, pooled),
        socket.create_server(("127.0.0.1", 0), backlog=128) as listener,
        log.open("w", encoding="utf-8") as output,
    ):
        # asyncio does so for its own sockets: otherwise each answer waits for an ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        database = Database(project, python, direct)
        database.alembic("upgrade", "head")
        env = {
            "DATABASE_URL": pooled,
            "MIGRATIONS_DATABASE_URL": direct,
            "DOCS_ENABLED": "true",
            **settings,
        }
        with subprocess.Popen(
            [python, "-c", SERVE, str(listener.fileno())],
            cwd=project,
            env={**os.environ, **env},
            pass_fds=[listener.fileno()],
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process:
            served = Served(project, f"http://127.0.0.1:{listener.getsockname()[1]}", database, log)
            try:
                # The socket accepts connections before the server does: this waits for it.
                ready = served.request("GET", "/health/ready")
                assert ready.status == 200, log.read_text(encoding="utf-8")
                yield served
            except OSError as error:
                pytest.fail(f"{error}\n{log.read_text(encoding='utf-8')[-4000:]}")
            finally:
                process.terminate()
                process.wait(30)
    assert "Traceback" not in log.read_text(encoding="utf-8")
