"""The development commands of a project when something fails."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from conftest import Environment, Render
from projects import run

# Says so when it runs, and ends with its standard input.
WAIT = ["python", "-c", "print('ready', flush=True); input()"]


@pytest.fixture
def project(request: pytest.FixtureRequest, rendered: Render) -> Iterator[Path]:
    """Yield a project in a folder that the user of its PostgreSQL can read."""
    answers = getattr(request, "param", {})
    with tempfile.TemporaryDirectory(prefix="dev-", ignore_cleanup_errors=True) as folder:
        yield shutil.copytree(rendered(**answers), Path(folder) / "project")


def attempt(python: Path, project: Path, *words: str, **env: str) -> str:
    """Run a command that fails; return what it prints, which is no traceback."""
    result = subprocess.run(
        [str(python), "dev.py", *words],
        cwd=project,
        env={**os.environ, **env},
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    return result.stdout + result.stderr


@contextmanager
def waiting(python: Path, project: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program on the local database until it is told to end."""
    command = [str(python), "dev.py", "run", str(python), *WAIT[1:]]
    with subprocess.Popen(
        command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        yield process


def erase(python: Path, project: Path) -> None:
    """Delete the local database, which nothing uses."""
    assert "Deleted" in run([str(python), "dev.py", "erase", "--yes"], project)
    assert not (project / ".dev").exists()


@contextmanager
def at_a_terminal(python: Path, project: Path, *words: str) -> Iterator[pexpect.spawn]:
    """Run a command at a terminal until it ends."""
    child = pexpect.spawn(
        str(python),
        ["dev.py", *words],
        cwd=str(project),
        encoding="utf-8",
        timeout=60,
        # Shells make background jobs ignore Ctrl-C, and child processes inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    yield child
    child.expect(pexpect.EOF)
    child.close()


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_unreachable_database_is_named(mode: str, render: Render, environment: Environment) -> None:
    project = render(mode=mode)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://user:secret@127.0.0.1:{closed.getsockname()[1]}/name"
        printed = attempt(environment(project), project, "migrate", DATABASE_URL=url)
    assert printed.startswith("FAILED: cannot connect to the database 127.0.0.1/name: ")
    assert "secret" not in printed


@pytest.mark.parametrize("project", [{"pgbouncer": True}], indirect=True)
def test_local_database_replaces_all_others(project: Path, environment: Environment) -> None:
    names = ("MIGRATIONS_DATABASE_URL", "READ_DATABASE_URL")
    others = dict.fromkeys(names, "postgresql://user:secret@production/name")
    python = str(environment(project))
    run([python, "dev.py", "migrate"], project, **others)
    printed = run([python, "dev.py", "run", "env"], project, **others)
    urls = re.findall(r"^(?:\w+_)?DATABASE_URL=(.*)", printed, re.MULTILINE)
    assert len(urls) == 3
    assert f"Local database: {urls[0]}\n" in printed
    assert len(set(urls)) == 1
    erase(Path(python), project)


def test_only_the_env_file_of_the_project_is_read(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(database="sqlite")
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///other.db\n", encoding="utf-8")
    for url, migrated in ((None, ".dev/app.db"), (f"sqlite:///{project}/own.db", "own.db")):
        if url:
            (project / ".env").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
        run([str(environment(project)), str(project / "dev.py"), "migrate"], tmp_path)
        assert (project / migrated).exists()
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("auth", ["none", "oidc"])
def test_env_file_in_another_encoding_is_named(
    auth: str, render: Render, environment: Environment
) -> None:
    project = render(database="sqlite", auth=auth)
    (project / ".env").write_text("DATABASE_URL=sqlite:///app.db\n", encoding="utf-16")
    printed = attempt(environment(project), project, "migrate")
    assert printed == "FAILED: .env is not UTF-8; save it in that encoding\n"


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_shell_refuses_an_invalid_url(
    database: str, render: Render, environment: Environment
) -> None:
    project = render(database=database)
    for url in ("garbage", "mysql://user:secret@host/name"):
        printed = attempt(environment(project), project, "shell", DATABASE_URL=url)
        assert "DATABASE_URL is not a" in printed
        assert "secret" not in printed


def test_port_in_use_is_named(render: Render, environment: Environment) -> None:
    project = render(database="sqlite")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        printed = attempt(environment(project), project, "--port", port)
    assert printed == f"FAILED: port {port} is in use; choose another one with --port\n"


def test_mistakes_in_arguments_are_named(render: Render, environment: Environment) -> None:
    project = render(database="sqlite", soft_delete=True)
    python = environment(project)
    printed = attempt(python, project, "--port", "65536")
    assert printed == "FAILED: the port must be from 0 to 65535, not 65536\n"
    printed = attempt(python, project, "run", "no-such-program", "--help")
    assert printed == "FAILED: cannot find the program no-such-program\n"
    for command, mistake in (
        (["dev.py", "run"], "the following arguments are required: program"),
        (["-m", "app", "--port", "80"], "unrecognized arguments: --port 80"),
        (["-m", "app.db.purge", "all"], "unrecognized arguments: all"),
    ):
        refused = subprocess.run(
            [str(python), *command], cwd=project, check=False, capture_output=True, text=True
        )
        assert refused.returncode == 2
        assert mistake in refused.stderr


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_purge_without_its_database_prints_no_traceback(
    mode: str, render: Render, environment: Environment
) -> None:
    project = render(mode=mode, soft_delete=True)
    result = subprocess.run(
        [str(environment(project)), "-m", "app.db.purge"],
        cwd=project,
        env={**os.environ, "DATABASE_URL": "postgresql://user:secret@127.0.0.1:1/name"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "Connect" in result.stderr or "connection" in result.stderr
    assert "secret" not in result.stderr


def test_folder_with_a_space_is_refused(render: Render, environment: Environment) -> None:
    project = render("with space")
    printed = attempt(environment(project), project, "migrate")
    assert "because of a space" in printed
    assert "move the project, or set DATABASE_URL" in printed


def test_last_revision_is_undone(render: Render, environment: Environment) -> None:
    project = render(database="sqlite")
    python = str(environment(project))
    run([python, "dev.py", "migrate"], project)
    run([python, "dev.py", "downgrade"], project)
    current = run(
        [python, "dev.py", "run", str(Path(python).with_name("alembic")), "current"], project
    )
    assert "0001" not in current
    printed = attempt(Path(python), project, "migrate", "of_another_branch")
    assert "It is on another branch" in printed


def test_local_database_ends_with_its_terminal(project: Path, environment: Environment) -> None:
    python = environment(project)
    with waiting(python, project) as process:
        assert "in use" in attempt(python, project, "erase", "--yes")
        process.send_signal(signal.SIGHUP)
        process.wait()
    assert not (project / ".dev" / "postgres" / "postmaster.pid").exists()
    erase(python, project)


def test_local_database_of_a_killed_command_can_be_erased(
    project: Path, environment: Environment
) -> None:
    python = environment(project)
    with waiting(python, project) as process:
        process.kill()
        process.wait()
    assert (project / ".dev" / "postgres" / "postmaster.pid").exists()
    erase(python, project)


def test_ctrl_c_is_for_the_program(render: Render, environment: Environment) -> None:
    project = render(database="sqlite")
    python = environment(project)
    # Slower than `subprocess.call` allows.
    program = "import time\ntry: print('ready'); input()\nfinally: time.sleep(0.5); print('done')"
    with at_a_terminal(python, project, "run", str(python), "-c", program) as child:
        child.expect_exact("ready")
        child.send("\x03")
        child.expect_exact("done")
    assert child.exitstatus == 130


def test_ctrl_c_cancels_a_query(project: Path, environment: Environment) -> None:
    python = environment(project)
    with at_a_terminal(python, project, "shell") as child:
        child.sendline(r"\pset pager off \\ \echo ready \\ SELECT pg_sleep(60);")
        child.expect("ready\r\n")
        child.send("\x03")
        child.expect_exact("canceling statement due to user request")
        child.sendline("SELECT 'slept' || 'well' FROM pg_sleep(0.5);")
        child.expect_exact("sleptwell")
        child.sendline(r"\q")
    assert child.exitstatus == 0
    erase(python, project)


def test_no_answer_erases_nothing(render: Render, environment: Environment) -> None:
    project = render(database="sqlite")
    python = environment(project)
    run([str(python), "dev.py", "migrate"], project)
    with at_a_terminal(python, project, "erase") as child:
        child.expect_exact("[y/N]")
        child.send("\x04")
    assert child.exitstatus == 1
    assert "Traceback" not in child.before
    assert (project / ".dev").exists()


def test_programs_run_in_the_folder_of_the_project(
    project: Path, environment: Environment, tmp_path: Path
) -> None:
    python = str(environment(project))
    command = [python, str(project / "dev.py"), "run", python, "-m", "app.db.budget"]
    printed = run(command, tmp_path, READ_DATABASE_URL="postgresql://production/name")
    assert "PostgreSQL: 11 of 90 connections: ok" in printed
    # The local database replaces it, and is not counted twice.
    assert "replica" not in printed
    erase(Path(python), project)


def test_example_rows_belong_to_an_account_of_the_provider(
    render: Render, environment: Environment
) -> None:
    project = render(database="sqlite", auth="oidc")
    python = str(environment(project))
    printed = run([python, "dev.py", "seed", "--subject", "me"], project)
    assert "Added example rows for the account me of http://localhost:9" in printed
