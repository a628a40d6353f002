"""What the pools of a rendered project keep to, and what its load test is worth."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Render, run

PROCESSES = Path(__file__).parent / "data" / "pools" / "test_processes.py"


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_all_processes_together_keep_to_the_budget(
    mode: str, render: Render, environment: Callable[[Path], Path]
) -> None:
    project = render(mode=mode)
    shutil.copy2(PROCESSES, project / "tests" / "pools")
    run([str(environment(project)), "-m", "pytest", "-q", "tests/pools/test_processes.py"], project)


def test_the_load_test_finds_the_usual_sync_dependency(
    render: Render, environment: Callable[[Path], Path]
) -> None:
    """Without its slots a sync project stands still: FastAPI's usual `yield` dependency."""
    project = render(mode="sync")
    session = project / "app" / "db" / "session.py"
    text = session.read_text(encoding="utf-8")
    usual = text.replace(", _slot: SlotDep", "")
    assert usual != text
    session.write_text(usual, encoding="utf-8")
    # No need to wait for long: with the slots all of it takes a few seconds.
    servers = project / "tests" / "pools" / "servers.py"
    text = servers.read_text(encoding="utf-8")
    servers.write_text(text.replace("HANGS = 40", "HANGS = 8"), encoding="utf-8")

    result = subprocess.run(
        [str(environment(project)), "-m", "pytest", "-q", "tests/pools/test_load.py"],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "TimeoutError" in result.stdout
