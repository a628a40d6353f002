"""Connections to a real PostgreSQL, through a real PgBouncer too, in every mode."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Render
from projects import run

DATA = Path(__file__).parent / "data" / "engine"


@pytest.mark.parametrize("pgbouncer", [False, True])
@pytest.mark.parametrize("mode", ["async", "sync"])
def test_connections(
    mode: str, render: Render, environment: Callable[[Path], Path], *, pgbouncer: bool
) -> None:
    answers: dict[str, Any] = {"mode": mode, "pgbouncer": pgbouncer}
    project = render(**answers)
    for file in DATA.glob("*.py"):
        shutil.copy2(file, project / "tests")
    run(
        [
            str(environment(project)),
            "-m",
            "pytest",
            "-q",
            "tests/test_engine.py",
            "tests/test_budget.py",
        ],
        project,
    )
