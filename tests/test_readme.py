"""Every command of the documents is run as it is written."""

import ast
import html
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from conftest import Environment, Render
from processes import wait_until_ready
from projects import ROOT, commit_working_tree, git, run
from serving import database_urls, requests
from serving import serve as serve_project
from terminal import QUESTIONS, answer
from updating import append, commit, conflicts, update
from variants import VARIANTS

README = (ROOT / "README.md").read_text(encoding="utf-8")
# The tables of the example, and a file of answers.
YAML = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)

# Commands that are not run here, with the reason.
ELSEWHERE = {
    "docker compose": "needs a Docker engine; compose.yaml has tests of its own",
    "cp .env.example .env": "goes with Docker",
    "psql": "needs the role of a real server; the tests of the pools do the same",
    "alembic upgrade head": "runs in the image, whose steps are tested in test_docker.py",
    "kubectl": "needs a cluster; the manifests have tests of their own",
    "pg_dump": "comes with a server of the same version",
    "uv audit": "needs the network",
    "uv run dev.py serve": "the same as without a command, which is run",
    "curl": "goes to a server, which another test runs",
    "TOKEN=": "the same",
    "uv run dev.py migrate -x owner=": "names an account; test_owners.py runs it",
    "uv run dev.py run python -m app.account": "the same; test_accounts.py runs it",
    "python -m app.account": "needs an account of a provider; test_oidc.py runs it",
}


def commands(*documents: Path) -> list[str]:
    """Return the lines of all shell blocks, without comments."""
    texts = [document.read_text(encoding="utf-8") for document in documents]
    blocks = [
        b for t in texts for b in re.findall(r"^ *```sh\n(.*?)```", t, re.MULTILINE | re.DOTALL)
    ]
    lines = [line.partition("  # ")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def documents(project: Path) -> list[Path]:
    """Return the documents of a project, the README first."""
    return [*sorted(project.glob("*.md"), reverse=True), *sorted(project.glob("docs/*.md"))]


def serve(command: str, cwd: Path) -> None:
    """Start the server, ask whether it is ready, and stop it as Ctrl-C does."""
    with subprocess.Popen(
        ["sh", "-c", f"exec {command}"],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if "Application startup complete" in line:
                    break
            else:
                pytest.fail("".join(lines))
            wait_until_ready("127.0.0.1:8000", process)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            rest = process.stdout.read()
    assert process.returncode in {0, -signal.SIGINT, 130}, rest
    assert "Traceback" not in rest
    # Of the bytecode that the server has written.
    assert "watchfiles" not in "".join(lines) + rest


@pytest.fixture
def checkout() -> Iterator[Path]:
    """Return a fresh checkout of this repository.

    It is outside pytest's folder, which every other run of pytest closes to the user that the
    PostgreSQL of `dev.py` runs as.
    """
    with tempfile.TemporaryDirectory(prefix="checkout-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder) / "checkout"
        checkout.mkdir()
        yield commit_working_tree(checkout, "v0.1.0")


def test_the_commands_of_this_repository(checkout: Path, rendered: Render) -> None:
    render_it, serve_it, from_file, test_it = commands(ROOT / "README.md")
    answer(render_it, checkout, *QUESTIONS)
    project = checkout.parent / "my-backend"
    expected = rendered()
    for path in sorted(expected.rglob("*.py")):
        made = project / path.relative_to(expected)
        assert made.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    _, answers = YAML
    (checkout.parent / "answers.yml").write_text(answers, encoding="utf-8")
    run(["sh", "-c", from_file], checkout)
    recorded = (checkout.parent / "library" / ".copier-answers.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(answers.rstrip()).items() <= yaml.safe_load(recorded).items()
    run(["sh", "-c", test_it], checkout, PYTEST_ADDOPTS="--collect-only --quiet")
    serve(serve_it.partition("&& ")[2], project)


def test_a_project_copied_by_the_command_can_be_updated(checkout: Path) -> None:
    # With tags: test_messages.py.
    git(checkout, "tag", "--delete", "v0.1.0")
    render_it, *_ = commands(ROOT / "README.md")
    answer(render_it, checkout, *QUESTIONS)
    project = commit(checkout.parent / "my-backend")
    append(checkout, "template/app/__init__.py.jinja", "\nRELEASE = 2\n")
    commit(checkout)
    run(["uvx", "copier", "update", "--defaults"], project)
    assert "RELEASE = 2" in (project / "app" / "__init__.py").read_text(encoding="utf-8")
    assert not conflicts(project)


def test_the_picture_shows_the_questions_as_they_are() -> None:
    picture = (ROOT / "docs" / "questionnaire.svg").read_text(encoding="utf-8")
    shown = squeezed(html.unescape(re.sub("<[^>]*>", "", picture)))
    copier_yml = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    helps = [each["help"] for each in copier_yml.values() if "help" in each]
    for text, _keys in QUESTIONS:
        (asked,) = [each for each in helps if text in each] or [text]
        assert squeezed(asked) in shown, "draw it again: see CONTRIBUTING.md"


def squeezed(text: str) -> str:
    """Return a text without spaces: a terminal breaks lines anywhere."""
    return re.sub(r"\s", "", text)


def test_the_table_of_questions_has_their_choices() -> None:
    table = README.partition("## Questions")[2].partition("##")[0]
    copier_yml = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    for name, text in re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE):
        question = copier_yml[name]
        assert text.startswith("yes or no") == (question["type"] == "bool"), name
        for choice in question.get("choices", {}).values():
            assert f"`{choice}`" in text, name


def test_the_diff_of_an_update_is_real(render: Render) -> None:
    resources, _ = YAML
    (shown,) = re.findall(r"```diff\n(.*?)```", README, re.DOTALL)
    (line,) = re.findall(r"`(  \S.*?)` to `post`", README)
    project = commit(render(resources=resources))
    update(project, resources=resources.replace("comment:", f"{line}\ncomment:"))
    diff = git(project, "diff", "--unified=1", "--", "app")
    lines = [line.rstrip() for line in diff.splitlines()]
    made = [line for line in lines if not line.startswith(("diff", "index"))]
    assert made == shown.splitlines()


def test_the_figures_of_speed_are_those_of_the_record() -> None:
    read = "".join(re.findall(r"\nThe same routes(.+?)\n\n", README, re.DOTALL))
    figures = [float(each) for each in re.findall(r"\d\.\d", read)]
    record = (ROOT / "benchmarks" / "results.md").read_text(encoding="utf-8")
    rows = {
        work: (float(in_async), float(in_sync))
        for work, in_async, in_sync in re.findall(
            r"\| hand-written / ours: ([^|]+) \|[^|]+\| \**([\d.]+)[^|]+\| \**([\d.]+)", record
        )
    }
    works = ("read one + parent", "read one + 20 nested", "list 20", "create", "update")
    measured = [rows[work][mode] for mode in (0, 1) for work in works]
    assert figures == pytest.approx(measured, abs=0.051)


def test_each_claim_about_another_template_has_a_source() -> None:
    table, sources = README.partition("## Other templates")[2].split("\n[f0]: ")
    rows = [row.strip("| ").split(" | ") for row in table.splitlines() if row.startswith("| ")]
    claims = [claim for row in rows for claim in row[2:]]
    assert claims
    for claim in claims:
        assert claim == "—" or re.fullmatch(r"\[.+\]\[\w+\]", claim), claim
    named = set(re.findall(r"\]\[(\w+)\]", table))
    pinned = r"^\[(\w+)\]: https://github\.com/[\w/-]+/[0-9a-f]{40}"
    assert named == set(re.findall(pinned, f"[f0]: {sources}", re.MULTILINE))


VARIANTS_RUN = {
    "sqlite": {"mode": "sync", "database": "sqlite", "soft_delete": True},
    "postgresql": {"mode": "async", "database": "postgresql", "auth": "tokens"},
}
# Commands that are the same in every variant, and slow: one of them runs these.
WITHOUT_DATABASE = ("uvx", "uv run pre-commit", "uv run dev.py check")
# What commands ask, beside the questions of Copier.
ASKED = {
    "uv run dev.py erase": [("[y/N]", "y\r")],
    "uv run python -m app.account create admin@example.com": [
        ("Password:", "correct horse battery\r"),
        ("Again:", "correct horse battery\r"),
    ],
}
# Every page, and every part of it.
DOCUMENTED: dict[str, dict[str, Any]] = {
    **VARIANTS,
    "tokens": {"auth": "tokens", "soft_delete": True, "kubernetes": True},
    "oidc": {"auth": "oidc", "soft_delete": True, "kubernetes": True},
}


@pytest.mark.parametrize("variant", VARIANTS_RUN)
def test_the_commands_of_a_project(variant: str, checkout: Path, rendered: Render) -> None:
    answers = VARIANTS_RUN[variant]
    project = shutil.copytree(rendered(**answers), checkout.parent / "project")
    git(project, "init", "--quiet")
    run(["uv", "sync", "--quiet"], project)
    python = project / ".venv" / "bin" / "python"
    with database_urls(project, python) as (url, _pooled):
        for command in dict.fromkeys(commands(*documents(project))):
            # The other test serves: only one can have the port.
            if command.startswith(tuple(ELSEWHERE)) or command.endswith("dev.py"):
                continue
            git(project, "add", "--all")
            git(project, "commit", "--quiet", "--allow-empty", "--message", command)
            if command.startswith(WITHOUT_DATABASE) and answers["database"] != "sqlite":
                continue
            if command.startswith("uvx copier update"):
                answer(command, project, *asked_by(command))
            elif command.startswith(("uv run python -m app", "uv run alembic")):
                run(["uv", "run", "alembic", "upgrade", "head"], project, DATABASE_URL=url)
                answer(command, project, *ASKED.get(command, []), DATABASE_URL=url)
            elif command in ASKED:
                answer(command, project, *ASKED[command])
            elif command.startswith("uv run dev.py run"):
                run(["sh", "-c", f"uv run dev.py migrate && {command}"], project)
            else:
                run(["sh", "-c", command], project, PYTEST_ADDOPTS="--collect-only -q")


def test_the_commands_name_another_answers_file(template: Path, tmp_path: Path) -> None:
    project, name = tmp_path / "project", ".api-answers.yml"
    data = {"database": "sqlite"}
    copier.run_copy(str(template), project, data=data, answers_file=name, defaults=True, quiet=True)
    commit(project)
    shown = commands(*documents(project))
    updates = [*dict.fromkeys(c for c in shown if c.startswith(("uvx copier", "sed ")))]
    assert len(updates) == 5
    for command in updates:
        answer(command, project, *asked_by(command))
    assert name in (project / "AGENTS.md").read_text(encoding="utf-8")


def asked_by(command: str) -> list[tuple[str, str]]:
    """Return the questions that an update of an SQLite project asks."""
    if "check-update" in command or "--defaults" in command or command.startswith("sed "):
        return []
    if "--ask resources" in command:
        return [question for question in QUESTIONS if question[0] == "Finish with"]
    unasked = {"PgBouncer between", "Kubernetes manifests"}
    return [question for question in QUESTIONS if question[0] not in unasked]


def test_every_command_of_a_project_is_run(rendered: Render) -> None:
    run_here = {
        command
        for answers in VARIANTS_RUN.values()
        for command in commands(*documents(rendered(**answers)))
    }
    for answers in DOCUMENTED.values():
        for command in commands(*documents(rendered(**answers))):
            assert command in run_here or command.startswith(tuple(ELSEWHERE)), command


def test_the_requests_of_the_page_on_access(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(auth="tokens")
    with serve_project(project, environment(project), tmp_path, OPEN_SIGN_UP="true") as served:
        run(["sh", "-ec", requests(project / "docs" / "access.md", served)], project)
        assert served.database.sql("SELECT email FROM accounts") == [["ada@example.com"]]
        # The last request has revoked the token that the others use.
        assert served.database.sql("SELECT id FROM tokens") == []


def test_the_backup_of_sqlite(render: Render, tmp_path: Path) -> None:
    project = render(database="sqlite")
    (command,) = (c for c in commands(project / "docs" / "migrations.md") if "backup" in c)
    command = command.removeprefix("docker compose exec app ").replace("/data/", f"{tmp_path}/")
    with closing(sqlite3.connect(tmp_path / "app.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE users (id)")
        database.commit()
        database.execute("INSERT INTO users VALUES (1)")
        database.commit()
        run(["sh", "-c", command], tmp_path)
    with closing(sqlite3.connect(tmp_path / "before.db")) as copy:
        assert copy.execute("SELECT id FROM users").fetchall() == [(1,)]
    with pytest.raises(pytest.fail.Exception, match="unable to open database file"):
        run(["sh", "-c", command.replace("app.db", "missing.db")], tmp_path)
    assert not (tmp_path / "missing.db").exists()


@pytest.mark.parametrize("variant", DOCUMENTED)
def test_every_kind_of_problem_is_documented(variant: str, rendered: Render) -> None:
    project = rendered(**DOCUMENTED[variant])
    text = (project / "docs" / "errors.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `/problems/([\w-]+)` \| (\d+) \|", text, re.MULTILINE)
    module = ast.parse((project / "app" / "errors.py").read_text(encoding="utf-8"))
    kinds = next(
        ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "KINDS" and node.value
    )
    assert documented == sorted(documented, key=lambda row: row[1])
    assert {(kind, str(status)) for kind, (status, _title) in kinds.items()} == set(documented)


@pytest.mark.parametrize("variant", DOCUMENTED)
def test_links_resolve(variant: str, rendered: Render) -> None:
    project = rendered(**DOCUMENTED[variant])
    for document in documents(project):
        text = document.read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (document.parent / link).exists(), f"{document.name}: {link}"
        for path in re.findall(r"`((?:app|migrations|tests|docs)/[\w/.]*)`", text):
            made = "bookmark" in path or f"Create `{path}`" in text
            assert made or (project / path).exists(), f"{document.name}: {path}"


def test_the_readme_depends_on_no_answer_but_accounts(rendered: Render) -> None:
    texts = {
        (answers.get("auth", "none") == "none", (rendered(**answers) / "README.md").read_text())
        for answers in DOCUMENTED.values()
    }
    assert sorted(is_open for is_open, _text in texts) == [False, True]
    for is_open, text in texts:
        assert ("**All routes are public.**" in text) == is_open
