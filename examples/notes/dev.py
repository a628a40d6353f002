"""Development commands.

Unless DATABASE_URL is set, in the environment or in .env, they use the file .dev/app.db.
"""

import argparse
import importlib
import os
import pkgutil
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
import uvicorn
from alembic import command
from alembic.config import Config
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from dotenv import dotenv_values

from app.logs import log_config

ROOT = Path(__file__).parent
DATA = ROOT / ".dev"
# Characters of a path that have a meaning in URLs or in alembic.ini.
_UNSUPPORTED = re.compile(r"[%?#]")
CONFIG = Config(ROOT / "alembic.ini")


@contextmanager
def temporary_database() -> Iterator[str]:
    """Yield the URL of a temporary database file."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield f"sqlite:///{Path(folder) / 'temporary.db'}"


def read_env_file() -> dict[str, str | None]:
    """Return the variables of `.env`."""
    try:
        return dotenv_values(ROOT / ".env")
    except UnicodeDecodeError:
        msg = ".env is not UTF-8; save it in that encoding"
        raise CommandError(msg) from None


@contextmanager
def development_database() -> Iterator[str]:
    """Use the configured database, or else the local one; yield its URL."""
    configured = os.environ.get("DATABASE_URL") or read_env_file().get("DATABASE_URL")
    if configured:
        os.environ["DATABASE_URL"] = configured
        yield configured
        return
    if _UNSUPPORTED.search(str(DATA)):
        msg = (
            f"cannot keep a database in {DATA}, because of a %, ? or #;"
            " move the project, or set DATABASE_URL"
        )
        raise CommandError(msg)
    DATA.mkdir(exist_ok=True)
    url = f"sqlite:///{DATA / 'app.db'}"
    os.environ["DATABASE_URL"] = url
    print(f"Local database: {DATA / 'app.db'}", flush=True)
    yield url


def serve(arguments: argparse.Namespace) -> int:
    """Migrate the database, then serve and reload on changes."""
    if not 0 <= arguments.port <= 65535:
        msg = f"the port must be from 0 to 65535, not {arguments.port}"
        raise CommandError(msg)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", arguments.port)) == 0:
            msg = f"port {arguments.port} is in use; choose another one with --port"
            raise CommandError(msg)
    os.environ.setdefault("DOCS_ENABLED", "true")
    with development_database():
        command.upgrade(CONFIG, "head")
        uvicorn.run(
            "app.main:create_app",
            factory=True,
            port=arguments.port,
            log_config=log_config("text"),
            access_log=False,
            # As in app/__main__.py.
            ws="none",
            reload=True,
            reload_dirs=[str(ROOT / "app")],
        )
    return 0


def call(command: list[str]) -> int:
    """Run a program that handles Ctrl-C itself; return its exit status."""
    # A handler, because the program would inherit SIG_IGN.
    previous = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.call(command)
    finally:
        signal.signal(signal.SIGINT, previous)
    # Report a signal as shells do.
    return code if code >= 0 else 128 - code


def test(arguments: argparse.Namespace) -> int:
    """Run the tests."""
    return call([sys.executable, "-m", "pytest", *arguments.rest])


def check(arguments: argparse.Namespace) -> int:
    """Check format, lint and types."""
    fix = arguments.fix
    commands = [
        ["ruff", "check", "--fix"] if fix else ["ruff", "check"],
        ["ruff", "format"] if fix else ["ruff", "format", "--check"],
        ["mypy"],
    ]
    codes = [subprocess.call([sys.executable, "-m", *words]) for words in commands]
    return int(any(codes))


def revision(arguments: argparse.Namespace) -> int:
    """Upgrade a temporary database to head and autogenerate the next revision."""

    def skip_empty(
        _context: MigrationContext, _head: object, scripts: list[MigrationScript]
    ) -> None:
        if scripts[0].upgrade_ops and scripts[0].upgrade_ops.is_empty():
            scripts.clear()
            print("No changes detected.")

    with temporary_database() as url:
        os.environ["DATABASE_URL"] = url
        command.upgrade(CONFIG, "head")
        command.revision(
            CONFIG, arguments.message, autogenerate=True, process_revision_directives=skip_empty
        )
    return 0


def migrate(arguments: argparse.Namespace) -> int:
    """Upgrade the database."""
    CONFIG.cmd_opts = arguments
    with development_database():
        command.upgrade(CONFIG, arguments.revision)
    return 0


def downgrade(arguments: argparse.Namespace) -> int:
    """Revert migrations of the database."""
    CONFIG.cmd_opts = arguments
    with development_database():
        command.downgrade(CONFIG, arguments.revision)
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Run a program in the project's folder, with DATABASE_URL set; for example `alembic check`."""
    if shutil.which(arguments.program) is None:
        msg = f"cannot find the program {arguments.program}"
        raise CommandError(msg)
    with development_database():
        return call([arguments.program, *arguments.options])


def shell(_arguments: argparse.Namespace) -> int:
    """Open a database shell."""
    from app.settings import load_settings

    with development_database():
        program = ["sqlite3"] if shutil.which("sqlite3") else ["uvx", "litecli"]
        return call([*program, str(load_settings().sqlalchemy_url.database)])


def seed(_arguments: argparse.Namespace) -> int:
    """Migrate the database and add example rows, unless it has rows."""
    from app.db.engine import build_engine
    from app.db.models import Base
    from app.db.session import build_session_factory
    from app.settings import load_settings
    from tests import factories

    def add_rows() -> bool:
        engine = build_engine(load_settings())
        try:
            with build_session_factory(engine)() as session, session.begin():
                for table in Base.metadata.tables.values():
                    if session.scalar(sa.select(sa.exists().select_from(table))):
                        return False
                for module in pkgutil.iter_modules(factories.__path__, "tests.factories."):
                    importlib.import_module(module.name).make(session)
        finally:
            engine.dispose()
        return True

    with development_database():
        command.upgrade(CONFIG, "head")
        added = add_rows()
    print("Added example rows." if added else "The database already has rows; nothing was added.")
    return 0 if added else 1


def erase(arguments: argparse.Namespace) -> int:
    """Delete the local database."""
    if not DATA.exists():
        print("There is no local database.")
        return 0
    try:
        confirmed = arguments.yes or input(f"Delete {DATA}? [y/N] ").lower() == "y"
    except EOFError:
        print()
        confirmed = False
    if not confirmed:
        return 1
    shutil.rmtree(DATA)
    print(f"Deleted {DATA}.")
    return 0


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(function=serve)
    parser.add_argument("--port", type=int, default=8000, help="port to serve on, 8000 by default")
    commands = parser.add_subparsers(metavar="command")

    def add(function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(function.__name__, help=text, description=function.__doc__)
        added.set_defaults(function=function)
        return added

    added = add(serve, "serve and reload on changes; the default")
    added.add_argument("--port", type=int, default=argparse.SUPPRESS)
    add(test, "run the tests; further arguments are passed to pytest")
    added = add(check, "check format, lint and types")
    added.add_argument("--fix", action="store_true", help="fix what can be fixed automatically")
    added = add(revision, "generate a migration from the models")
    added.add_argument("message", help='for example "add tags"')
    for each, text, target in (
        (migrate, "upgrade the database", "head"),
        (downgrade, "revert the last migration, or all after a given one", "-1"),
    ):
        added = add(each, text)
        added.add_argument("revision", nargs="?", default=target)
        added.add_argument(
            "-x", action="append", metavar="NAME=VALUE", help="an option that a revision asks for"
        )
    added = add(run, "run a program with DATABASE_URL set")
    added.add_argument("program")
    added.add_argument("options", nargs=argparse.REMAINDER, metavar="...")
    add(shell, "open a database shell")
    add(seed, "add example rows to an empty database")
    added = add(erase, "delete the local database")
    added.add_argument("--yes", action="store_true", help="do not ask")
    arguments, rest = parser.parse_known_args()
    if rest and arguments.function is not test:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    return arguments


def main() -> int:
    """Run the command line."""
    arguments = parse()
    os.chdir(ROOT)
    # A terminal that is closed ends the command as Ctrl-C does: the local server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        code: int = arguments.function(arguments)
    except CommandError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        if "Can't locate revision" in str(error):
            hint = "It is on another branch: switch back, or start over: `uv run dev.py erase`."
            print(hint, file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    return code


if __name__ == "__main__":
    sys.exit(main())
