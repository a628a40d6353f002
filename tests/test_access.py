"""Access, attacked with the source in hand: no account sees or changes what is not its to see."""

import shutil

import pytest

from conftest import Environment, Render
from projects import DATA, run_suite
from variants import THOROUGH, VARIANTS

SUITE = DATA / "access"
RESOURCES = (SUITE / "resources.yml").read_text(encoding="utf-8")
# Every mode, every database, and with and without soft delete; all variants on request.
ATTACKED = ["async-postgresql-soft", "sync-sqlite"]


@pytest.mark.parametrize("variant", VARIANTS if THOROUGH else ATTACKED)
def test_nothing_leaks(variant: str, render: Render, environment: Environment) -> None:
    project = render(resources=RESOURCES, auth="tokens", **VARIANTS[variant])
    shutil.copytree(SUITE, project / "tests" / "leaks")
    run_suite(project, environment(project), "tests/leaks")
