"""The worked examples of the documents are followed to the letter."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import Render
from projects import run
from updating import edit
from variants import OPEN, THOROUGH

STEP = re.compile(
    r"(?P<verb>Create|Append to|Add to the imports of|Add to `(?P<name>\w+)` in"
    r"|Insert above `(?P<above>\w+)` in) `(?P<path>[\w/.]+)`[^`]*?:\n\n"
    r"```(?:python|text)\n(?P<code>.*?)```"
    r"|```sh\n(?P<command>.*?)\n```",
    re.DOTALL,
)
# A line that invites additions.
INVITATION = r"# .* below this line\.\n"


def added(text: str, step: re.Match[str]) -> str:
    """Return a file's text after a step of the document."""
    code = step["code"]
    if step["verb"] == "Create":
        assert not text
        return code
    if step["verb"] == "Append to":
        return f"{text}\n\n{code}"
    if step["above"]:
        function = text.index(f"def {step['above']}(")
        place = text.rindex("@router", 0, function)
        return f"{text[:place]}{code}\n\n{text[place:]}"
    if step["name"]:
        block = re.search(rf"^(class )?{step['name']}\b", text, re.MULTILINE)
        assert block, step[0]
        indent = code[: len(code) - len(code.lstrip())]
        invitation = re.compile(f"^{indent}{INVITATION}", re.MULTILINE).search(text, block.end())
        assert invitation, step[0]
        return text[: invitation.end()] + code + text[invitation.end() :]
    invitation = re.search(rf"^# isort: split\n{INVITATION}", text, re.MULTILINE)
    *_, last = re.finditer(r"^from .*\n", text, re.MULTILINE)
    place = (invitation or last).end()
    return text[:place] + code + text[place:]


def steps(document: Path) -> Iterator[re.Match[str]]:
    """Yield the steps of the worked examples."""
    text = document.read_text(encoding="utf-8")
    start = text.index("## Add a table by hand")
    yield from STEP.finditer(text, start, text.index("## Rename a table"))


def with_unit_of_work(project: Path, resource: str) -> str:
    """Return the CRUD module of a resource with the functions of docs/architecture.md."""
    text = (project / "app" / "crud" / f"{resource}.py").read_text(encoding="utf-8")
    document = (project / "docs" / "architecture.md").read_text(encoding="utf-8")
    document = document.replace("Post", resource.title())
    for function in re.findall(
        r"^(?:async )?def (?:create|update)\(.*?return row\n", document, re.DOTALL | re.MULTILINE
    ):
        head = function[: function.index("(")]
        text = re.sub(rf"^{head}\(.*?\n(?=\n\n)", function, text, flags=re.DOTALL | re.MULTILINE)
    imports = (
        "from app.db import models, soft_delete\n"
        "from app.db.errors import NotFoundError, PreconditionFailedError\n"
    )
    return text.replace("from app.db import models\n", imports)


# Tests of guards.
ROLES = """
from typing import Any
from app.crud import account

{async_}def test_only_moderators_use_topics(client: Any, session: Any) -> None:
    body = {{"name": "News"}}
    for expected in ([403, 403], [200, 201]):
        listed = {await_}client.get("/topics")
        created = {await_}client.post("/topics", json=body)
        assert [listed.status_code, created.status_code] == expected
        ({await_}account.get(session)).is_moderator = True
        {await_}session.flush()
"""
REQUIRE_USER = """
from fastapi import Depends, HTTPException

def require_user(request: Request) -> None:
    if "x-user" not in request.headers:
        raise HTTPException(401)

"""
USERS = """
from typing import Any

{async_}def test_only_users_use_posts(client: Any, session: Any) -> None:
    for headers, expected in (({{}}, [401, 401]), ({{"X-User": "Ann"}}, [200, 422])):
        listed = {await_}client.get("/posts", headers=headers)
        created = {await_}client.post("/posts", json={{}}, headers=headers)
        assert [listed.status_code, created.status_code] == expected
"""


def guard(project: Path, auth: str) -> str:
    """Guard the routes of a resource as the documents say; return a test of it."""
    docs = project / "docs"
    if auth == "none":
        text = (docs / "architecture.md").read_text(encoding="utf-8")
        (new,) = re.findall(r"^router = APIRouter\(.*?^\)\n", text, re.DOTALL | re.MULTILINE)
        old = new.replace("    dependencies=[Depends(require_user)],\n", "")
        edit(project, "app/routers/posts.py", (old, REQUIRE_USER + new))
        return USERS
    text = (docs / "growing.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```diff\n(.*?)```", text, re.DOTALL)
    signs: dict[str, list[str]] = {"-": [], "+": []}
    for line in block.splitlines():
        signs[line[0]].append(f"{line[1:]}\n")
    edit(project, "app/routers/topics.py", *((line, "") for line in signs["-"]))
    edit(project, "app/routers/topics.py", ("from app.crud", f"{''.join(signs['+'])}from app.crud"))
    return ROLES


# Each has another text.
READ: list[tuple[str, str]] = [
    ("async-postgresql-soft", "tokens"),
    ("sync-sqlite", "none"),
    *([("sync-sqlite-soft", "oidc")] if THOROUGH else []),
]


@pytest.mark.parametrize(("variant", "auth"), READ)
def test_the_worked_examples(
    variant: str, auth: str, render: Render, environment: Callable[[Path], Path]
) -> None:
    project = render(**{**OPEN[variant], "auth": auth})
    tools = environment(project).parent
    found = list(steps(project / "docs" / "growing.md"))
    text = (project / "docs" / "growing.md").read_text(encoding="utf-8")
    assert len([step for step in found if step["path"]]) == len(
        re.findall("```(python|text)\n", text)
    )
    for step in found:
        if step["command"]:
            command = step["command"].replace("uv run ", f"{tools}/python ")
            env = {"PATH": f"{tools}:/usr/bin:/bin"}
            if command.endswith("dev.py test"):
                command += " -q -k 'bookmark or migrations'"
            run(["sh", "-c", command], project, **env)
            continue
        file = project / step["path"]
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(added(text, step), encoding="utf-8")
    resource = "post" if auth == "none" else "note"
    text = with_unit_of_work(project, resource)
    (project / "app" / "crud" / f"{resource}.py").write_text(text, encoding="utf-8")
    run([str(tools / "python"), "dev.py", "check", "--fix"], project)
    run([str(tools / "python"), "dev.py", "check"], project)
    # The unit of work takes more statements.
    tests = f"(bookmark or migrations or {resource}) and not needless"
    run([str(tools / "python"), "dev.py", "test", "-q", "-k", tests], project)
    words = ("async ", "await ") if OPEN[variant]["mode"] == "async" else ("", "")
    test = guard(project, auth).format(async_=words[0], await_=words[1])
    (project / "tests" / "test_guard.py").write_text(test, encoding="utf-8")
    run([str(tools / "python"), "dev.py", "test", "-q", "tests/test_guard.py"], project)
