"""Soft delete on test models in each mode and database, and the way back from it."""

import json
import shutil

import pytest

from conftest import Environment, OpenDatabase, Render
from projects import DATA, run, run_suite
from updating import commit, update
from variants import THOROUGH

SUITE = DATA / "soft_delete"
BOTH = [("async", "postgresql"), ("sync", "sqlite")]
MIXED = [("async", "sqlite"), ("sync", "postgresql")]


@pytest.mark.parametrize(("mode", "database"), BOTH + MIXED * THOROUGH)
def test_soft_delete_passes_its_own_suite(
    mode: str, database: str, render: Render, environment: Environment
) -> None:
    project = render(mode=mode, database=database, soft_delete=True, resources="")
    shutil.copytree(SUITE, project / "tests" / "soft_delete")
    run_suite(project, environment(project), "tests/soft_delete")


RESOURCES = """\
team:
  name: str(40)
member:
  team: ref(team)
"""
DROP = """\
revision = "0002"
down_revision = "0001"


def upgrade():
    from migrations.checks import refuse_drop

    refuse_drop("deleted_at", ["members", "teams"], "delete-hidden", "would become visible")
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_referenced_hidden_rows_are_named(
    kind: str, render: Render, open_database: OpenDatabase
) -> None:
    project = render(mode="sync", database=kind, soft_delete=True, resources=RESOURCES)
    database = open_database(project, kind)
    database.alembic("upgrade", "head")
    database.sql(
        "INSERT INTO teams (name) VALUES ('one'), ('two')",
        "INSERT INTO members (team_id) VALUES (1), (2), (2)",
        "UPDATE teams SET deleted_at = CURRENT_TIMESTAMP WHERE id = 2",
        "UPDATE members SET deleted_at = CURRENT_TIMESTAMP WHERE id = 2",
    )
    revision = project / "migrations" / "versions" / "0002_drop.py"
    revision.write_text(DROP, encoding="utf-8")
    refusal = r"without deleted_at, rows \(1 in members, 1 in teams\) would become visible"
    with pytest.raises(pytest.fail.Exception, match=refusal):
        database.alembic("upgrade", "head")
    with pytest.raises(pytest.fail.Exception, match="members 3 references teams 2;"):
        database.alembic("-x", "delete-hidden=yes", "upgrade", "head")
    database.sql("DELETE FROM members WHERE id = 3")
    database.alembic("-x", "delete-hidden=yes", "upgrade", "head")
    assert database.sql("SELECT id, team_id FROM members") == [[1, 1]]


def test_purge_logs_as_the_application_does(render: Render, open_database: OpenDatabase) -> None:
    project = render(database="sqlite", soft_delete=True, resources=RESOURCES)
    database = open_database(project, "sqlite")
    database.alembic("upgrade", "head")
    command = [str(database.python), "-m", "app.db.purge"]
    line = json.loads(run(command, project, DATABASE_URL=database.url))
    assert (line["level"], line["logger"]) == ("INFO", "app.db.purge")
    assert line["message"].startswith("Purged 0 rows")


def test_first_revision_guards_its_columns_and_no_others(
    render: Render, open_database: OpenDatabase
) -> None:
    resources = RESOURCES + "  archived_at: datetime optional\n  removed_on: date optional\n"
    answers = {"mode": "sync", "database": "sqlite"}
    project = commit(render(**answers, soft_delete=True, auth="tokens", resources=resources))
    database = open_database(project, "sqlite")
    update(project, soft_delete=False, auth="none", resources=RESOURCES)
    revision = " ".join(database.write_revision("Switch off").partition("def downgrade")[0].split())
    assert 'drop_column("archived_at")' in revision
    assert 'refuse_drop("deleted_at", ["members", "teams"], "delete-hidden"' in revision
    assert 'refuse_drop( "owner_id", ["members", "teams"], "drop-owners"' in revision
    assert revision.count("refuse_drop(") == 2
