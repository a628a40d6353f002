"""A served project and a real OpenID provider: the npm package oidc-provider."""

import json
import shutil
import subprocess
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from conftest import Environment, Render, once
from processes import free_port
from projects import DATA, run
from serving import Response, Served, serve
from variants import THOROUGH, VARIANTS

AUDIENCE = "https://api.example.com"
RESOURCES = "note: {text: text}"

# A token that names a key, and is not signed by it: {"alg":"RS256","kid":"unknown"}.{}.
FORGED = "eyJhbGciOiJSUzI1NiIsImtpZCI6InVua25vd24ifQ.e30.AA"


@pytest.fixture(scope="session")
def package() -> Path:
    """Install oidc-provider, once; return the folder with the script that runs it."""
    with once("oidc-provider") as (folder, is_new):
        if is_new:
            shutil.copytree(DATA / "oidc", folder)
            run(["npm", "install", "--silent", "--no-audit", "--no-fund"], folder)
    return folder


@contextmanager
def provider(package: Path, port: int, key_id: str) -> Iterator[None]:
    """Run a provider with a new key, and the clients `ann` and `bob`."""
    command = ["node", "provider.mjs", str(port), key_id, "ann", "bob"]
    with subprocess.Popen(
        command,
        cwd=package,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        printed = []
        for line in process.stdout:
            if line == "ready\n":
                break
            printed.append(line)
        else:
            pytest.fail("".join(printed))
        try:
            yield
        finally:
            process.terminate()


def token(issuer: str, client: str, audience: str = AUDIENCE) -> str:
    """Return an access token of a client, as a JWT."""
    body = urlencode({"grant_type": "client_credentials", "resource": audience})
    credentials = b64encode(f"{client}:secret".encode()).decode()
    request = urllib.request.Request(  # noqa: S310
        f"{issuer}/token", body.encode(), {"Authorization": f"Basic {credentials}"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        issued: str = json.load(response)["access_token"]
    return issued


def get(served: Served, path: str, bearer: str) -> Response:
    """Send a request with a token."""
    return served.request("GET", path, Authorization=f"Bearer {bearer}")


@pytest.mark.parametrize(
    "variant", VARIANTS if THOROUGH else ["async-postgresql", "sync-sqlite-soft"]
)
def test_tokens_of_a_real_provider(
    variant: str,
    package: Path,
    render: Render,
    environment: Environment,
    tmp_path: Path,
) -> None:
    project = render(auth="oidc", resources=RESOURCES, **VARIANTS[variant])
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

        with provider(package, port, "first"):
            ann, bob = token(issuer, "ann"), token(issuer, "bob")
            # The account is created by one of the first requests, which only read.
            with ThreadPoolExecutor(8) as pool:
                responses = list(pool.map(lambda _: get(served, "/notes", ann), range(8)))
            assert {response.status for response in responses} == {200}
            assert served.database.sql("SELECT issuer, subject FROM accounts") == [[issuer, "ann"]]

            authorization = {"Authorization": f"Bearer {ann}"}
            note = served.request("POST", "/notes", {"text": "mine"}, **authorization)
            assert note.status == 201
            assert get(served, note.headers["location"], ann).status == 200
            assert get(served, note.headers["location"], bob).status == 404
            assert get(served, "/notes", FORGED).status == 401
            other = token(issuer, "ann", "https://other.example.com")
            assert get(served, "/notes", other).status == 401

        # The provider is down: its keys are still known.
        account = get(served, "/accounts/me", ann)
        assert account.status == 200
        assert get(served, "/notes", FORGED).status == 401

        with provider(package, port, "second"):
            assert get(served, "/accounts/me", token(issuer, "ann")).json == account.json
            assert get(served, "/accounts/me", ann).status == 401
            log = served.log.read_text(encoding="utf-8")
            assert "Keys of the identity provider not fetched" in log
            assert ann not in log
