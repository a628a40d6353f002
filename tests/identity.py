"""A real OpenID provider: the npm package oidc-provider."""

import json
import shutil
import subprocess
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from conftest import once
from projects import DATA, run

AUDIENCE = "https://api.example.com"


@contextmanager
def provider(port: int, key_id: str, *clients: str) -> Iterator[str]:
    """Run a provider with a new key; yield its issuer. Each client is a subject of tokens."""
    with once("oidc-provider") as (folder, is_new):
        if is_new:
            shutil.copytree(DATA / "oidc", folder)
            run(["npm", "install", "--silent", "--no-audit", "--no-fund"], folder)
    with subprocess.Popen(
        ["node", "provider.mjs", str(port), key_id, *clients],
        cwd=folder,
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
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


def sign_in(issuer: str, client: str, audience: str = AUDIENCE) -> str:
    """Return an access token of a client, as a JWT."""
    body = urlencode({"grant_type": "client_credentials", "resource": audience})
    credentials = b64encode(f"{client}:secret".encode()).decode()
    request = urllib.request.Request(  # noqa: S310
        f"{issuer}/token", body.encode(), {"Authorization": f"Basic {credentials}"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        issued: str = json.load(response)["access_token"]
    return issued
