"""The API contract of served projects: schemathesis, typed clients, cursors and query plans."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from conftest import Environment, Render, once
from projects import DATA, run, run_suite
from serving import Served, serve, sign_in
from variants import OPEN, PAIRED, THOROUGH

RESOURCES = (DATA / "contract" / "resources.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("variant", OPEN if THOROUGH else PAIRED)
def test_lists_are_complete_and_served_by_indexes(
    variant: str, render: Render, environment: Environment
) -> None:
    project = render(resources=RESOURCES, **OPEN[variant])
    shutil.copytree(DATA / "contract", project / "tests" / "contract")
    run_suite(project, environment(project), "tests/contract")


@pytest.fixture
def api(render: Render, environment: Environment, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that serves a variant."""

    def start(variant: str, **answers: Any) -> Any:
        project = render(**{**OPEN[variant], **answers})
        return serve(project, environment(project), tmp_path, OPEN_SIGN_UP="true")

    return start


def schemathesis(served: Served, folder: Path, *options: str) -> None:
    """Send requests of all kinds, and compare the responses with the schema."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", "--no-color"]
    # The hooks wrap these checks.
    own = "positive_data_acceptance,negative_data_rejection,use_after_free"
    command += ["--checks=all", f"--exclude-checks={own}"]
    if THOROUGH:
        command += ["--max-examples=100", "--continue-on-failure"]
    else:
        command += ["--max-examples=5", "--generation-deterministic"]
    hooks = str(DATA / "schemathesis_hooks.py")
    run([*command, *options, f"{served.url}/openapi.json"], folder, SCHEMATHESIS_HOOKS=hooks)


# The remaining variant is tested with a token.
WITHOUT_TOKEN = [name for name in PAIRED if name != "async-sqlite-soft"]


@pytest.mark.parametrize("variant", OPEN if THOROUGH else WITHOUT_TOKEN)
def test_schemathesis_finds_nothing_unexplained(
    variant: str, api: Callable[..., Any], tmp_path: Path
) -> None:
    with api(variant, resources=RESOURCES) as served:
        schemathesis(served, tmp_path)


@pytest.mark.parametrize("variant", OPEN if THOROUGH else ["async-sqlite-soft"])
def test_schemathesis_with_a_token_finds_nothing_unexplained(
    variant: str, api: Callable[..., Any], tmp_path: Path
) -> None:
    resources = RESOURCES.replace("author:\n", "author:\n  _access: public\n")
    with api(variant, auth="tokens", resources=resources) as served:
        token = sign_in(served, "ann@example.com")
        # Neither the account nor the token may go away meanwhile.
        ours = "--exclude-path-regex=^/(accounts|tokens)"
        schemathesis(served, tmp_path, f"--header=Authorization: Bearer {token}", ours)


def typed_clients(served: Served, folder: Path, token: str) -> None:
    """Generate both clients, type-check them strictly, and run them."""
    schema = f"{served.url}/openapi.json"

    tools = Path(sys.executable).parent
    python = folder / "python"
    python.mkdir()
    for name in ("main.py", "mypy.ini"):
        shutil.copy2(DATA / "clients" / name, python)
    run(
        [
            str(tools / "openapi-python-client"),
            "generate",
            f"--url={schema}",
            "--meta=none",
            f"--output-path={python / 'client'}",
            "--fail-on-warning",
        ],
        python,
        PATH=f"{tools}:{os.environ['PATH']}",
    )
    run([str(tools / "mypy"), "main.py", "client"], python)
    run([sys.executable, "main.py", served.url, token], python)

    with once("node") as (node, is_new):
        if is_new:
            node.mkdir()
            shutil.copy2(DATA / "clients" / "package.json", node)
            run(["npm", "install", "--silent", "--no-audit", "--no-fund"], node)
    script = folder / "typescript"
    script.mkdir()
    (script / "node_modules").symlink_to(node / "node_modules")
    for name in ("main.ts", "package.json"):
        shutil.copy2(DATA / "clients" / name, script)
    tools = node / "node_modules" / ".bin"
    run([str(tools / "openapi-typescript"), schema, "--output", "api.ts"], script)
    options = "--strict --noUncheckedIndexedAccess --target es2022 --module nodenext --types node"
    run([str(tools / "tsc"), *options.split(), "main.ts"], script)
    run(["node", "main.js", served.url, token], script)


@pytest.mark.parametrize("variant", OPEN if THOROUGH else ["async-postgresql"])
def test_typed_clients_create_list_update_and_delete(
    variant: str, api: Callable[..., Any], tmp_path: Path
) -> None:
    with api(variant, resources=RESOURCES) as served:
        typed_clients(served, tmp_path, "none")


@pytest.mark.parametrize("variant", OPEN if THOROUGH else ["sync-sqlite-soft"])
def test_typed_clients_send_a_token(variant: str, api: Callable[..., Any], tmp_path: Path) -> None:
    with api(variant, auth="tokens", resources=RESOURCES) as served:
        typed_clients(served, tmp_path, sign_in(served, "ann@example.com"))


def test_the_schema_says_which_operations_need_a_token(api: Callable[..., Any]) -> None:
    tables = """
note: {text: text}
tag: {_access: shared, name: str(50)}
article: {_access: public, text: text}
"""
    with api("sync-sqlite", auth="tokens", resources=tables) as served:
        document = served.request("GET", "/openapi.json").json
    token: list[dict[str, Any]] = [{"token": []}]
    open_ = {("/accounts", "post"), ("/tokens", "post")}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            expected: list[dict[str, Any]] | None = token
            if path.startswith("/health") or (path, method) in open_:
                expected = None
            elif path.startswith("/articles") and method == "get":
                expected = [*token, {}]
            assert operation.get("security") == expected, (method, path)


def test_cascades_are_followed(api: Callable[..., Any]) -> None:
    tables = """
author: {name: str(50)}
entry: {author: ref(author) on_delete=cascade as=entries, code: str(10) unique}
summary: {entry: ref(entry) on_delete=cascade unique as=summary}
printing: {summary: ref(summary)}
"""
    with api("sync-sqlite-soft", resources=tables) as served:

        def create(path: str, **body: Any) -> int:
            response = served.request("POST", path, body)
            assert response.status == 201, response.json
            return int(response.json["id"])

        author = create("/authors", name="Ann")
        entries = [create("/entries", author_id=author, code=str(n)) for n in range(102)]
        summary = create("/summaries", entry_id=entries[0])
        # A deleted row neither hides the live one nor is left out of the URL of the others.
        assert served.request("DELETE", f"/summaries/{summary}").status == 204
        summary = create("/summaries", entry_id=entries[0])
        assert served.request("DELETE", f"/entries/{entries[101]}").status == 204
        query = "?include_deleted=true"
        shown = served.request("GET", f"/entries/{entries[0]}{query}").json
        assert shown["summary"]["id"] == summary
        following = served.request("GET", f"/authors/{author}{query}").json["entries_next"]
        rows = served.request("GET", following).json["items"]
        assert [row["id"] for row in rows] == entries[100:]

        # A row that a cascade reaches can block a deletion or a restore: the 409 is documented.
        deletion = served.request("DELETE", f"/authors/{author}")
        assert deletion.status == 204
        create("/entries", author_id=create("/authors", name="Bob"), code="7")
        assert served.request("POST", f"/authors/{author}/restore").status == 409
        other = create("/entries", author_id=create("/authors", name="Cid"), code="x")
        create("/printings", summary_id=create("/summaries", entry_id=other))
        assert served.request("DELETE", f"/entries/{other}").status == 409
        paths = served.request("GET", "/openapi.json").json["paths"]
        conflicts = {
            operation["operationId"]: re.findall(r"/problems/([\w-]+)", given["description"])
            for operations in paths.values()
            for operation in operations.values()
            if (given := operation["responses"].get("409"))
        }
        assert conflicts == {
            "delete_author": ["still-referenced"],
            "restore_author": ["already-exists"],
            "create_entry": ["already-exists"],
            "update_entry": ["already-exists"],
            "delete_entry": ["still-referenced"],
            "restore_entry": ["already-exists", "parent-deleted"],
            "create_summary": ["already-exists"],
            "update_summary": ["already-exists"],
            "delete_summary": ["still-referenced"],
            "restore_summary": ["already-exists", "parent-deleted"],
            "restore_printing": ["parent-deleted"],
        }


def test_options_of_the_whole_server_are_not_found(api: Callable[..., Any]) -> None:
    with api("sync-sqlite") as served:
        address = served.url.removeprefix("http://")
        with closing(HTTPConnection(address, timeout=10)) as connection:
            connection.request("OPTIONS", "*")
            assert connection.getresponse().status == 404
