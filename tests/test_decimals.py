"""A decimal comes back from SQLite as it was given, or is refused."""

import shutil

from conftest import Environment, Render
from projects import DATA, run_suite
from variants import domain

SUITE = DATA / "decimals" / "test_decimals.py"


def test_sqlite_does_not_change_decimals(render: Render, environment: Environment) -> None:
    project = render(mode="sync", database="sqlite", resources=domain("93-wide-decimals"))
    shutil.copy2(SUITE, project / "tests")
    run_suite(project, environment(project), "tests/test_decimals.py")
