"""A served project and a real OpenID provider, with its keys, outages and tokens."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from conftest import Environment, Render
from identity import AUDIENCE, provider, sign_in
from processes import free_port
from projects import run
from serving import Response, Served, requests, serve
from variants import OPEN, THOROUGH

RESOURCES = "note: {text: text}"

# A token that names a key, and is not signed by it: {"alg":"RS256","kid":"unknown"}.{}.
FORGED = "eyJhbGciOiJSUzI1NiIsImtpZCI6InVua25vd24ifQ.e30.AA"


def get(served: Served, path: str, bearer: str) -> Response:
    """Send a request with a token."""
    return served.request("GET", path, Authorization=f"Bearer {bearer}")


def account_commands(page: Path) -> list[str]:
    """Return the commands of the page on the identity provider, for the account of `ann`."""
    text = page.read_text(encoding="utf-8").replace("SUBJECT", "ann")
    return re.findall(r"^python -m app\.account \w+ ann", text, re.MULTILINE)


@pytest.mark.parametrize("variant", OPEN if THOROUGH else ["async-postgresql", "sync-sqlite-soft"])
def test_tokens_of_a_real_provider(
    variant: str,
    render: Render,
    environment: Environment,
    tmp_path: Path,
) -> None:
    project = render(**OPEN[variant] | {"auth": "oidc", "resources": RESOURCES})
    keys = project / "app" / "keys.py"
    text = keys.read_text(encoding="utf-8")
    assert "_PAUSE = 30\n" in text
    keys.write_text(text.replace("_PAUSE = 30\n", "_PAUSE = 0\n"), encoding="utf-8")
    port = free_port()
    issuer = f"http://localhost:{port}"
    # One connection: no request may hold it and wait for another one.
    settings = {"OIDC_ISSUER": issuer, "OIDC_AUDIENCE": AUDIENCE, "POOL_SIZE": "1"}
    with serve(project, environment(project), tmp_path, **settings) as served:
        assert get(served, "/notes", FORGED).json["type"] == "/problems/provider-unavailable"

        with provider(port, "first", "ann", "bob"):
            ann, bob = sign_in(issuer, "ann"), sign_in(issuer, "bob")
            # The account is created by one of the first requests, which only read.
            with ThreadPoolExecutor(8) as pool:
                responses = list(pool.map(lambda _: get(served, "/notes", ann), range(8)))
            assert {response.status for response in responses} == {200}
            assert served.database.sql("SELECT issuer, subject FROM accounts") == [[issuer, "ann"]]

            # Or by one that writes.
            authorization = {"Authorization": f"Bearer {bob}"}
            note = served.request("POST", "/notes", {"text": "mine"}, **authorization)
            assert note.status == 201
            assert get(served, note.headers["location"], bob).status == 200
            assert get(served, note.headers["location"], ann).status == 404
            assert get(served, "/notes", FORGED).status == 401
            other = sign_in(issuer, "ann", "https://other.example.com")
            assert get(served, "/notes", other).status == 401

        # The provider is down: its keys are still known.
        account = get(served, "/accounts/me", ann)
        assert account.status == 200
        if served.database.url.startswith("sqlite"):
            file = served.database.url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(file, isolation_level=None)) as writer:
                # Reading needs no lock.
                writer.execute("BEGIN IMMEDIATE")
                assert get(served, "/accounts/me", ann).status == 200
        assert get(served, "/notes", FORGED).status == 401

        page = project / "docs" / "identity-provider.md"
        run(["sh", "-ec", requests(page, served)], project, TOKEN=ann)

        with provider(port, "second", "ann"):
            renewed = sign_in(issuer, "ann")
            assert get(served, "/accounts/me", renewed).json == account.json
            assert get(served, "/accounts/me", ann).status == 401
            for status, command in zip((401, 200), account_commands(page), strict=True):
                script = command.replace("python", str(environment(project)), 1)
                url = served.database.url
                run(["sh", "-c", script], project, DATABASE_URL=url, **settings)
                assert get(served, "/accounts/me", renewed).status == status
            log = served.log.read_text(encoding="utf-8")
            assert "Cannot fetch the keys of the identity provider" in log
            assert ann not in log
