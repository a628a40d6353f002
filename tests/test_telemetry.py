"""What a project exports and logs."""

import shutil
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import pytest

from conftest import Environment, Render
from projects import DATA, run, run_suite
from serving import serve


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_traces_and_metrics_reach_a_collector(
    mode: str, render: Render, environment: Environment
) -> None:
    project = render(mode=mode)
    shutil.copy2(DATA / "telemetry" / "test_telemetry.py", project / "tests")
    # Outside pytest's folder: other pytest runs make it unreadable for PostgreSQL's user.
    packages = environment(project).parents[2] / f"telemetry-{mode}"
    command = ["uv", "run", "--quiet", "--extra", "telemetry", "pytest", "-q"]
    run([*command, "tests/test_telemetry.py"], project, UV_PROJECT_ENVIRONMENT=str(packages))


def test_a_websocket_request_is_logged_by_its_route(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(database="sqlite", resources="user:\n  name: str(100)\n")
    with serve(project, environment(project), tmp_path) as served:
        address = served.url.removeprefix("http://")
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
        }
        with closing(HTTPConnection(address, timeout=30)) as connection:
            connection.request("GET", "/users/4711?token=secret", headers=headers)
            assert connection.getresponse().status == HTTPStatus.NOT_FOUND
    log = served.log.read_text(encoding="utf-8")
    assert "GET /users/{key} 404" in log
    assert "4711" not in log
    assert "secret" not in log


def test_the_log_of_the_whole_suite_contains_no_values(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(
        database="sqlite", resources="user:\n  email: email unique\n  name: str(100)\n"
    )
    shutil.copy2(DATA / "telemetry" / "log_to_file.py", project)
    log = tmp_path / "log"
    log.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOG_FILE", str(log))
        run_suite(project, environment(project), "-p", "log_to_file", "tests")
    text = log.read_text(encoding="utf-8")
    assert text.count('"logger": "app.request"') > 50
    assert "@example" not in text
