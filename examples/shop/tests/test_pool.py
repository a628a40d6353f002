"""PgBouncer's configuration, checked with a real PgBouncer."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from tests.pgbouncer import ROOT, PgBouncer, find_program, run_pgbouncer


@pytest.fixture
def pgbouncer(database_url: str) -> Iterator[PgBouncer]:
    """Run PgBouncer for a role that has the settings of role.sql."""
    program = find_program()
    if program is None:
        pytest.skip("pgbouncer is not installed")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute((ROOT / "pgbouncer" / "role.sql").read_bytes())
        try:
            with run_pgbouncer(program, database_url) as pgbouncer:
                yield pgbouncer
        finally:
            connection.execute("ALTER ROLE CURRENT_USER RESET ALL")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement_timeout", "15s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "30s"),
    ],
)
def test_role_timeouts_apply_through_pgbouncer(
    pgbouncer: PgBouncer,
    name: str,
    value: str,
) -> None:
    with psycopg.connect(pgbouncer.url, autocommit=True) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row == (value,)


def test_migrations_through_pgbouncer_are_refused(
    pgbouncer: PgBouncer,
    alembic_config: Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIGRATIONS_DATABASE_URL", pgbouncer.url)
    with pytest.raises(CommandError, match="MIGRATIONS_DATABASE_URL"):
        command.upgrade(alembic_config, "head")
