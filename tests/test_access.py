"""Access control under attack: no account can see or change what it must not."""

import shutil
import sys
from itertools import product
from pathlib import Path

import pytest

from conftest import Environment, Render
from projects import DATA, run, run_suite
from serving import Served, serve, sign_in
from updating import edit
from variants import OPEN, THOROUGH

SUITE = DATA / "access"
RESOURCES = (SUITE / "resources.yml").read_text(encoding="utf-8")
# Both modes, both databases and both ways to sign in; all variants under the thorough switch.
ATTACKED = (
    [*product(OPEN, ("tokens", "oidc"))]
    if THOROUGH
    else [("async-postgresql-soft", "tokens"), ("sync-sqlite", "oidc")]
)


@pytest.mark.parametrize(("variant", "auth"), ATTACKED)
def test_nothing_leaks(variant: str, auth: str, render: Render, environment: Environment) -> None:
    project = render(resources=RESOURCES, **{**OPEN[variant], "auth": auth})
    if auth == "oidc" and "sqlite" in variant:
        # The names of the tables are qualified then.
        schema = ("sa.MetaData(", 'sa.MetaData(schema="main", ')
        edit(project, "app/db/base.py", schema)
    shutil.copytree(SUITE, project / "tests" / "leaks")
    if auth == "oidc":
        (project / "tests" / "leaks" / "test_tokens.py").unlink()
    run_suite(project, environment(project), "tests/leaks")


def test_schemathesis_finds_nothing_of_another_account(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(resources=RESOURCES, **{**OPEN["sync-sqlite-soft"], "auth": "tokens"})
    hooks = str(DATA / "access_hooks.py")
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", "--no-color"]
    command += [
        "--checks=not_a_server_error,nothing_of_others",
        "--exclude-path-regex=^/(accounts|tokens)",
    ]
    command += ["--max-examples=100"] if THOROUGH else ["--max-examples=5", "--phases=fuzzing"]
    with serve(project, environment(project), tmp_path, OPEN_SIGN_UP="true") as served:
        mine, other = (
            {"Authorization": f"Bearer {sign_in(served, f'{who}@example.org')}"}
            for who in ("mine", "other")
        )
        folder = create(served, other, "/folders", name="their secret folder")
        note = {"title": "their secret", "slug": "their secret", "folder_id": folder}
        create(served, other, "/notes", **note)
        deleted = create(served, other, "/notes", **note | {"slug": "their secret, deleted"})
        assert served.request("DELETE", f"/notes/{deleted}", None, **other).status == 204
        before = served.database.sql("SELECT * FROM notes WHERE owner_id = 2 ORDER BY id")
        command += ["--generation-deterministic", f"--header=Authorization:{mine['Authorization']}"]
        run([*command, f"{served.url}/openapi.json"], tmp_path, SCHEMATHESIS_HOOKS=hooks)
        assert served.database.sql("SELECT * FROM notes WHERE owner_id = 2 ORDER BY id") == before
        assert served.request("GET", "/notes", None, **mine).status == 200


def create(served: Served, headers: dict[str, str], path: str, **body: object) -> int:
    """Create a row; return its id."""
    created = served.request("POST", path, body, **headers)
    assert created.status == 201
    key: int = created.json["id"]
    return key
