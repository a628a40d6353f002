"""Accounts of a served project: the command, sign-in, and deletion with all rows."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pexpect
import pytest

from conftest import Environment, OpenDatabase, Render
from serving import Served, serve
from variants import OPEN, THOROUGH

PASSWORD = "correct horse battery"  # noqa: S105

# References of each kind to a public row, from rows of the owner and of others; two circles.
RESOURCES = """\
topic:
  _access: public
  title: str(40)
  pinned: ref(reply) optional on_delete=restrict
reply:
  _access: public
  topic: ref(topic) on_delete=restrict
vote:
  topic: ref(topic) on_delete=cascade
bookmark:
  topic: ref(topic) optional on_delete=set_null
node:
  parent: ref(node) optional on_delete=restrict
  name: str(40) unique
label:
  _access: shared
  name: str(40)
"""


def account(served: Served, *arguments: str, given: str = "", status: int = 0) -> str:
    """Run `python -m app.account` with a password on its standard input."""
    result = subprocess.run(
        [served.database.python, "-m", "app.account", *arguments],
        cwd=served.project,
        env={**os.environ, "DATABASE_URL": served.database.url},
        input=f"{given}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    assert PASSWORD not in result.stdout + result.stderr
    return result.stdout + result.stderr


def sign_in(served: Served, email: str, password: str = PASSWORD) -> tuple[int, Any]:
    """Send the form; return the status and the body."""
    form = urllib.parse.urlencode({"username": email, "password": password}).encode()
    try:
        with urllib.request.urlopen(f"{served.url}/tokens", form, timeout=30) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


Client = Callable[..., Any]


def client(served: Served, email: str) -> Client:
    """Create an account and sign it in; return a function that sends requests."""
    account(served, "create", email, given=PASSWORD)
    token = sign_in(served, email)[1]["access_token"]

    def send(method: str, path: str, status: int, **body: object) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        sent = body if method in ("POST", "PATCH") else None
        response = served.request(method, path, sent, **headers)
        assert response.status == status, (method, path, response)
        return response.json

    return send


SOME = ["async-postgresql", "sync-sqlite-soft"]
MORE = ["async-sqlite", "sync-pgbouncer-soft"]


@pytest.fixture(params=SOME + MORE * THOROUGH)
def served(
    request: pytest.FixtureRequest, render: Render, environment: Environment, tmp_path: Path
) -> Iterator[Served]:
    """Serve a project with accounts."""
    answers = {**OPEN[request.param], "auth": "tokens", "resources": RESOURCES}
    project = render(**answers)
    with serve(project, environment(project), tmp_path) as served:
        yield served


NOWHERE = "postgresql://user:secret@127.0.0.1:1/name"


@pytest.mark.parametrize("keys", ["\x04", "\x03"])
@pytest.mark.parametrize("mode", ["async", "sync"])
def test_password_prompt_can_be_left(
    mode: str, keys: str, render: Render, environment: Environment, open_database: OpenDatabase
) -> None:
    project = render(mode=mode, auth="tokens", database="sqlite")
    database = open_database(project, "sqlite")
    database.alembic("upgrade", "head")
    child = pexpect.spawn(
        str(environment(project)),
        ["-m", "app.account", "create", "ada@example.com"],
        cwd=str(project),
        env={**os.environ, "DATABASE_URL": database.url},
        encoding="utf-8",
        # Shells make background jobs ignore Ctrl-C, and child processes inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    child.expect_exact("Password: ")
    child.send(keys)
    child.expect(pexpect.EOF)
    child.close()
    assert child.before.split() == ["No", "password", "was", "given."]
    assert child.exitstatus == 1


def fail(project: Path, python: Path, url: str, *arguments: str | bytes) -> str:
    """Run the command without a standard input; return the last line of the error."""
    command = ["sh", "-c", 'exec "$@" <&-', "sh", python, "-m", "app.account"]
    result = subprocess.run(
        [*command, *arguments],
        cwd=project,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


FAILURES = {
    "no database": ("tokens", ["close", "ada@example.com"], "Connect"),
    "no database for oidc": ("oidc", ["close", "ann"], "Connect"),
    "bytes": ("oidc", ["close", b"\xff"], "only printable characters"),
}


@pytest.mark.parametrize(("auth", "arguments", "words"), FAILURES.values(), ids=FAILURES)
def test_failures_of_the_command_are_named(
    auth: str,
    arguments: list[str | bytes],
    words: str,
    render: Render,
    environment: Environment,
) -> None:
    project = render(auth=auth)
    assert words in fail(project, environment(project), NOWHERE, *arguments)


MIGRATED = {
    "tokens": ("async", ["create", "ada@example.com"], "use 12 to 128 characters"),
    "oidc": ("sync", ["close", "ann"], "not found"),
}


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
@pytest.mark.parametrize("auth", MIGRATED)
def test_command_needs_migrations(
    auth: str,
    kind: str,
    render: Render,
    environment: Environment,
    open_database: OpenDatabase,
) -> None:
    mode, arguments, words = MIGRATED[auth]
    project = render(mode=mode, auth=auth, database=kind)
    database = open_database(project, kind)
    failed = fail(project, environment(project), database.url, *arguments)
    assert failed == "the database is not migrated; run `alembic upgrade head`"
    database.alembic("upgrade", "head")
    assert words in fail(project, environment(project), database.url, *arguments)


TABLES = ["accounts", "tokens", "topics", "replies", "votes", "nodes", "labels"]


def counts(served: Served) -> dict[str, int]:
    """Count the rows of all tables, deleted ones included."""
    columns = ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)  # noqa: S608
    return dict(zip(TABLES, served.database.sql(f"SELECT {columns}")[0], strict=True))


def test_accounts(served: Served) -> None:
    _test_command(served)
    _test_deletion(served)
    if served.database.url.startswith("postgresql"):
        _test_outages(served)
    log = served.log.read_text(encoding="utf-8")
    assert "POST /tokens" in log
    for secret in (PASSWORD, "ada@", "eve@", "$argon2"):
        assert secret not in log


def _test_command(served: Served) -> None:
    assert "use 12 to 128 characters" in account(
        served, "create", "sam@example.com", given="short", status=1
    )
    account(served, "create", "Sam@Example.com", given=PASSWORD)
    again = account(served, "create", "sam@example.com", given=PASSWORD, status=1)
    assert "already exists" in again
    status, created = sign_in(served, "SAM@example.com")
    assert status == 200
    # HTTP allows white space at the end of a value, which the server passes on.
    headers = {"Authorization": f"Bearer {created['access_token']} "}
    assert served.request("GET", "/accounts/me", **headers).status == 200
    account(served, "password", "sam@example.com", given=PASSWORD.upper())
    assert sign_in(served, "sam@example.com")[0] == 401
    assert sign_in(served, "sam@example.com", PASSWORD.upper())[0] == 200
    account(served, "close", "sam@example.com")
    assert sign_in(served, "sam@example.com", PASSWORD.upper())[0] == 401
    assert counts(served)["tokens"] == 0


def _test_deletion(served: Served) -> None:
    ada, eve = client(served, "ada@example.com"), client(served, "eve@example.com")
    topic, deleted = (ada("POST", "/topics", 201, title=title)["id"] for title in "ab")
    reply = ada("POST", "/replies", 201, topic_id=topic)["id"]
    ada("PATCH", f"/topics/{topic}", 200, pinned_id=reply)
    ada("DELETE", f"/topics/{deleted}", 204)
    root = ada("POST", "/nodes", 201, name="root")["id"]
    for name in "ab":
        ada("POST", "/nodes", 201, name=name, parent_id=root)
    ada("POST", "/votes", 201, topic_id=topic)
    ada("POST", "/labels", 201, name="shared")

    eve("POST", "/nodes", 201, name="root")
    eve("POST", "/votes", 201, topic_id=topic)
    bookmark = eve("POST", "/bookmarks", 201, topic_id=topic)["id"]
    restricting = eve("POST", "/replies", 201, topic_id=topic)["id"]

    before = counts(served)
    problem = ada("DELETE", "/accounts/me", 409)
    assert problem["type"] == "/problems/still-referenced"
    assert counts(served) == before
    ada("GET", "/accounts/me", 200)

    eve("DELETE", f"/replies/{restricting}", 204)
    if "deleted_at" in eve("GET", f"/bookmarks/{bookmark}", 200):
        # A deleted row still references its topic.
        ada("DELETE", "/accounts/me", 409)
        served.database.sql("DELETE FROM replies WHERE deleted_at IS NOT NULL")
    ada("DELETE", "/accounts/me", 204)
    ada("GET", "/accounts/me", 401)
    assert sign_in(served, "ada@example.com")[0] == 401
    # Those of the others, and what is shared.
    assert counts(served) == {
        "accounts": 2,
        "tokens": 1,
        "topics": 0,
        "replies": 0,
        "votes": 0,
        "nodes": 1,
        "labels": 1,
    }
    assert eve("GET", f"/bookmarks/{bookmark}", 200)["topic_id"] is None


# Locks the tokens until a request waits for them, and ends its statement or its connection.
INTERRUPT = """
DO $$ BEGIN
    LOCK TABLE tokens;
    LOOP
        PERFORM {function}(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock';
        EXIT WHEN FOUND;
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$
"""


def _test_outages(served: Served) -> None:
    account(served, "create", "mia@example.com", given=PASSWORD)
    token = sign_in(served, "mia@example.com")[1]["access_token"]

    def status(method: str, path: str) -> int:
        return served.request(method, path, Authorization=f"Bearer {token}").status

    for function in ("pg_cancel_backend", "pg_terminate_backend"):
        for method, path in (("GET", "/accounts/me"), ("DELETE", f"/tokens/{2**40}")):
            usual = status(method, path)
            with ThreadPoolExecutor() as pool:
                interrupted = pool.submit(served.database.sql, INTERRUPT.format(function=function))
                while (found := status(method, path)) == usual and not interrupted.done():
                    pass
                interrupted.result()
            assert found == 503
            assert status(method, path) == usual
