"""Load, faults and restarts on real servers, and whether the load test detects a deadlock."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import Environment, Render
from projects import DATA, run_suite

POOLED: dict[str, Any] = {"pgbouncer": True}
SESSION: dict[str, Any] = {**POOLED, "pgbouncer_pool_mode": "session"}

# All pairs of a mode, a database with its pooler, and soft delete, which sets the session class.
PROJECTS: dict[str, dict[str, Any]] = {
    "async-sqlite": {"mode": "async", "database": "sqlite"},
    "sync-sqlite-soft": {"mode": "sync", "database": "sqlite", "soft_delete": True},
    "async-postgresql-soft": {"mode": "async", "soft_delete": True},
    "sync-postgresql": {"mode": "sync"},
    "async-pgbouncer": {"mode": "async", **POOLED},
    "sync-pgbouncer-soft": {"mode": "sync", **POOLED, "soft_delete": True},
    "async-session-soft": {"mode": "async", **SESSION, "soft_delete": True},
    "sync-session": {"mode": "sync", **SESSION},
}


def add_pool_tests(project: Path) -> Path:
    """Copy the tests of the pools into a project."""
    shutil.copytree(DATA / "pools", project / "tests" / "pools")
    return project


@pytest.mark.parametrize("answers", PROJECTS.values(), ids=PROJECTS)
def test_a_project_survives_load_and_faults(
    answers: dict[str, Any], render: Render, environment: Environment
) -> None:
    project = add_pool_tests(render(resources="", **answers))
    run_suite(project, environment(project), "tests/pools")


def test_the_load_test_detects_a_deadlock(
    render: Render, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its slots a sync project deadlocks, like any with FastAPI's usual dependency."""
    project = add_pool_tests(render(mode="sync", resources=""))
    session = project / "app" / "db" / "session.py"
    text = session.read_text(encoding="utf-8")
    usual = text.replace(", _slot: SlotDep", "")
    assert usual != text
    session.write_text(usual, encoding="utf-8")
    # With the slots the whole test takes a few seconds.
    monkeypatch.setenv("HANGS", "8")
    with pytest.raises(pytest.fail.Exception, match="TimeoutError"):
        run_suite(project, environment(project), "tests/pools/test_load.py", "-k", "clients")
