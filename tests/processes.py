"""A project served by its own command, as the image does."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import pytest

from projects import run


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until_ready(address: str, process: subprocess.Popen[str]) -> None:
    """Poll the readiness probe until it succeeds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with suppress(ConnectionError), closing(HTTPConnection(address, timeout=10)) as connection:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == HTTPStatus.OK:
                return
        time.sleep(0.05)
    process.kill()
    pytest.fail(process.communicate()[0], pytrace=False)


@contextmanager
def served(
    project: Path, command: list[str], **env: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Migrate the database and serve; yield the URL and the process."""
    port = free_port()
    python = command[0]
    run([python, "-m", "alembic", "upgrade", "head"], project, **env)
    with subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, **env, "HOST": "127.0.0.1", "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(f"127.0.0.1:{port}", process)
            yield url, process
        finally:
            process.terminate()
            process.communicate()
