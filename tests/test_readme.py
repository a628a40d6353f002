"""Every command of the READMEs, as they stand there."""

import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pexpect
import pytest

from conftest import ROOT, Render, git, run
from test_variants import VARIANTS

ELSEWHERE = {
    "docker compose up --build": "needs a Docker engine; compose.yaml has tests of its own",
    "cp .env.example .env": "goes with Docker",
    "psql": "the secret of a real role; the tests of the pools write such a file",
}


def commands(readme: Path) -> list[str]:
    """Return the lines of all shell blocks."""
    text = readme.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


# What each question can be told by, and what takes its default: in a text of several lines, Enter
# alone would be one more line.
QUESTIONS = [
    ("Project name", "\r"),
    ("Short name", "\r"),
    ("One sentence", "\r"),
    ("Async or sync", "\r"),
    ("Which database", "\r"),
    ("PgBouncer between", "\r"),
    ("Soft delete", "\r"),
    ("Finish with", "\x1b\r"),
    ("Minimum Python", "\r"),
    ("CI provider", "\r"),
]


def answer(command: str, cwd: Path, *questions: tuple[str, str]) -> None:
    """Run a command at a terminal, and answer its questions."""
    child = pexpect.spawn("sh", ["-c", command], cwd=str(cwd), encoding="utf-8", timeout=120)
    for text, keys in questions:
        child.expect_exact(text)
        child.send(keys)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before


def is_ready() -> bool:
    """Ask a server that has started, which listens a moment after it has said so."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(
                "http://127.0.0.1:8000/health/ready", timeout=10
            ) as response:
                return bool(response.status == 200)
        except URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.05)
    return False


def serve(command: str, cwd: Path) -> None:
    """Start the server, ask whether it is ready, and stop it as Ctrl-C does."""
    with subprocess.Popen(
        ["sh", "-c", f"exec {command}"],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if "Application startup complete" in line:
                    break
            else:
                pytest.fail("".join(lines))
            assert is_ready()
        finally:
            os.killpg(process.pid, signal.SIGINT)
            rest = process.stdout.read()
    assert process.returncode in {0, -signal.SIGINT, 130}, rest
    assert "Traceback" not in rest


@pytest.fixture
def checkout(template: Path) -> Iterator[Path]:
    """Give a fresh checkout of this repository.

    It is not below pytest's folder, which every other run of pytest closes to the user that the
    PostgreSQL of `dev.py` runs as.
    """
    with tempfile.TemporaryDirectory(prefix="checkout-", ignore_cleanup_errors=True) as folder:
        git(Path(folder), "clone", "--quiet", str(template), "checkout")
        yield Path(folder) / "checkout"


def test_the_commands_of_this_repository(checkout: Path, rendered: Render) -> None:
    render_it, test_it, serve_it = commands(ROOT / "README.md")
    answer(render_it, checkout, *QUESTIONS)
    project = checkout.parent / "my-backend"
    expected = rendered()
    for path in sorted(expected.rglob("*.py")):
        made = project / path.relative_to(expected)
        assert made.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    run(["sh", "-c", test_it], checkout, PYTEST_ADDOPTS="--collect-only --quiet")
    serve(serve_it.partition("&& ")[2], project)


def test_the_commands_of_a_project(render: Render) -> None:
    project = render(mode="sync", database="sqlite", soft_delete=True)
    git(project, "init", "--quiet")
    env = {"DATABASE_URL": f"sqlite:///{project / 'app.db'}"}
    run(["uv", "run", "alembic", "upgrade", "head"], project, **env)
    for command in commands(project / "README.md"):
        # The other test serves: only one can have the port.
        if command.startswith(tuple(ELSEWHERE)) or command.endswith("dev.py"):
            continue
        git(project, "add", "--all")
        git(project, "commit", "--quiet", "--allow-empty", "--message", command)
        if command.startswith("uvx copier update"):
            asked = [QUESTIONS[7]] if "--ask resources" in command else QUESTIONS
            answer(command, project, *(q for q in asked if q[0] != "PgBouncer between"))
            continue
        run(["sh", "-c", command], project, **env, PYTEST_ADDOPTS="--collect-only --quiet")


def test_every_command_of_a_project_is_tried(rendered: Render) -> None:
    tried = set(commands(rendered(mode="sync", database="sqlite", soft_delete=True) / "README.md"))
    tried.add("uv run python -m app.db.budget")  # The suite of the pools runs it.
    for answers in VARIANTS.values():
        for command in commands(rendered(**answers) / "README.md"):
            assert command in tried or command.startswith(tuple(ELSEWHERE)), command
