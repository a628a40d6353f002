"""Concurrent requests, in each mode, on each database, with and without soft delete."""

import shutil

import pytest

from conftest import Environment, Render
from projects import DATA, run_suite
from variants import DIRECT, OPEN, PAIRED, THOROUGH

SUITE = DATA / "races"


@pytest.mark.parametrize("variant", DIRECT if THOROUGH else PAIRED)
def test_concurrent_requests(variant: str, render: Render, environment: Environment) -> None:
    resources = (SUITE / "resources.yml").read_text(encoding="utf-8")
    project = render(resources=resources, **OPEN[variant])
    shutil.copy2(SUITE / "test_races.py", project / "tests")
    run_suite(project, environment(project), "tests/test_races.py")
