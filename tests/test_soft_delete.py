"""Soft delete does what it says, on models made for the purpose, in each mode and database."""

import shutil
from pathlib import Path

import pytest

from conftest import Environment, Render
from projects import run

SUITE = Path(__file__).parent / "data" / "soft_delete"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("mode", ["async", "sync"])
def test_soft_delete_passes_its_own_suite(
    mode: str, database: str, render: Render, environment: Environment
) -> None:
    project = render(mode=mode, database=database, soft_delete=True, resources="")
    shutil.copytree(SUITE, project / "tests" / "soft_delete")
    python = environment(project)
    run([str(python), "-m", "pytest", "-q", "tests/soft_delete"], project)
