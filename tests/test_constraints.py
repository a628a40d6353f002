"""Constraints that are added to a model by hand, on each database and in each mode."""

import shutil
from pathlib import Path

import pytest

from conftest import Environment, Render
from databases import Database
from projects import DATA, run_suite
from variants import OPEN, PAIRED

SUITE = DATA / "constraints"
INVITATION = "        # Your own indexes go below this line.\n"
CHECKS = """\
        sa.CheckConstraint("starts < ends", name="starts_first"),
        sa.CheckConstraint("status <> 'room'", name="status_known"),
        sa.CheckConstraint("status <> 'team' OR team_id IS NOT NULL", name="team_given"),
"""
# Alembic does not see these.
EXCLUDE = (
    "sa.dialects.postgresql.ExcludeConstraint("
    '("room", "="), ("starts", "="), name="ex_bookings", using="btree"),'
)
EXCLUDED = (
    'op.create_exclude_constraint("ex_bookings", "bookings", ("room", "="), ("starts", "="),'
    ' using="btree")'
)


def replace(path: Path, old: str, new: str) -> None:
    """Replace the first occurrence of a text in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("variant", PAIRED)
def test_violations_are_problems(variant: str, render: Render, environment: Environment) -> None:
    project = render(
        resources=(SUITE / "resources.yml").read_text(encoding="utf-8"), **OPEN[variant]
    )
    shutil.copy2(SUITE / "test_constraints.py", project / "tests")
    python = environment(project)
    model = project / "app" / "db" / "models" / "booking.py"
    replace(model, INVITATION, INVITATION + CHECKS)
    Database(project, python, "").write_revision("Constraints")
    if "postgresql" in variant:
        replace(model, INVITATION, f"{INVITATION}        {EXCLUDE}\n")
        (revision,) = (project / "migrations" / "versions").glob("*_constraints.py")
        replace(revision, "    # ### end", f"    {EXCLUDED}\n    # ### end")
    absent = [
        # Soft deletion keeps references.
        *(["deletion"] if "soft" in variant else []),
        *(["exclusion"] if "sqlite" in variant else []),
        # Elsewhere a failed statement ends the transaction, or does not reach the database.
        *(["survives"] if variant != "sync-sqlite" else []),
    ]
    options = ["-k", f"not ({' or '.join(absent)})"] if absent else []
    run_suite(project, python, "tests/test_constraints.py", "tests/test_migrations.py", *options)
