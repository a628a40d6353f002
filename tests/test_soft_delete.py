"""Soft delete on test models in each mode and database, and the way back from it."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from conftest import Environment, Render
from databases import Database, postgres
from projects import run
from updating import commit, update
from variants import THOROUGH

SUITE = Path(__file__).parent / "data" / "soft_delete"


BOTH = [("async", "postgresql"), ("sync", "sqlite")]
MIXED = [("async", "sqlite"), ("sync", "postgresql")]


@pytest.mark.parametrize(("mode", "database"), BOTH + MIXED * THOROUGH)
def test_soft_delete_passes_its_own_suite(
    mode: str, database: str, render: Render, environment: Environment
) -> None:
    project = render(mode=mode, database=database, soft_delete=True, resources="")
    shutil.copytree(SUITE, project / "tests" / "soft_delete")
    python = environment(project)
    run([str(python), "-m", "pytest", "-q", "tests/soft_delete"], project)


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
    from migrations.hidden_rows import leave_no_hidden_rows

    leave_no_hidden_rows("deleted_at", ["members", "teams"])
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_referenced_hidden_rows_are_named(
    kind: str, render: Render, environment: Environment
) -> None:
    project = render(mode="sync", database=kind, soft_delete=True, resources=RESOURCES)
    python = environment(project)
    server = (
        postgres(project, python)
        if kind == "postgresql"
        else nullcontext(f"sqlite:///{project / 'project.db'}")
    )
    with server as url:
        database = Database(project, python, url)
        database.alembic("upgrade", "head")
        database.sql(
            "INSERT INTO teams (name) VALUES ('one'), ('two')",
            "INSERT INTO members (team_id) VALUES (1), (2), (2)",
            "UPDATE teams SET deleted_at = CURRENT_TIMESTAMP WHERE id = 2",
            "UPDATE members SET deleted_at = CURRENT_TIMESTAMP WHERE id = 2",
        )
        revision = project / "migrations" / "versions" / "0002_drop.py"
        revision.write_text(DROP, encoding="utf-8")
        with pytest.raises(pytest.fail.Exception, match="would become visible"):
            database.alembic("upgrade", "head")
        with pytest.raises(pytest.fail.Exception, match="members 3 references teams 2;"):
            database.alembic("-x", "delete-hidden=yes", "upgrade", "head")
        database.sql("DELETE FROM members WHERE id = 3")
        database.alembic("-x", "delete-hidden=yes", "upgrade", "head")
        assert database.sql("SELECT id, team_id FROM members") == [[1, 1]]


def test_other_columns_do_not_hide_rows(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    resources = RESOURCES + "  archived_at: datetime optional\n  removed_on: date optional\n"
    project = commit(render(mode="sync", database="sqlite", resources=resources))
    database = Database(project, environment(project), f"sqlite:///{tmp_path / 'project.db'}")
    update(project, resources=RESOURCES)
    revision = database.write_revision("Keep all rows")
    assert "drop_column" in revision
    assert "hidden" not in revision
