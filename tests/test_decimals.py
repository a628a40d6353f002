"""A decimal comes back from SQLite as it was given, or is refused."""

import shutil
from pathlib import Path

from conftest import Environment, Render
from projects import run
from variants import domain

SUITE = Path(__file__).parent / "data" / "decimals" / "test_decimals.py"


def test_sqlite_changes_no_number(render: Render, environment: Environment) -> None:
    project = render(mode="sync", database="sqlite", resources=domain("93-wide-decimals"))
    shutil.copy2(SUITE, project / "tests")
    run([str(environment(project)), "-m", "pytest", "-q", "tests/test_decimals.py"], project)
