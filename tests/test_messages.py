"""What Copier says before and after its work: the steps that apply, and no others."""

import json
import re
from contextlib import chdir, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier.__main__ import CopierApp
from jinja2_ansible_filters.core_filters import FilterModule

from conftest import Render
from macros import SETTINGS, Renderer, environment, load_macros
from projects import ROOT, git, run
from updating import append, commit, files, update

MESSAGES = load_macros("messages")
PREVIOUS = load_macros("previous")

RESOURCES = """\
author:
  name: str(120)
  mood: enum(good, bad)
note:
  title: str(100)
  author: ref(author) as=notes
"""
SHARED = "tag: {name: str(50), _access: shared}"
PUBLIC = "tag: {name: str(50), _access: public}"
NOTE = "\nnote: {title: str(50)}"
AUTHOR = RESOURCES.partition("note:")[0]
BEFORE = {
    "_commit": "v0.1.0",
    "mode": "async",
    "database": "postgresql",
    "pgbouncer": False,
    "soft_delete": False,
    "python_version": "3.11",
    "resources": RESOURCES,
}
POOLED = {
    **BEFORE,
    "pgbouncer": True,
    "pgbouncer_pool_mode": "transaction",
    "pgbouncer_default_pool_size": 20,
    "pgbouncer_max_client_conn": 1000,
}


def conf(folder: Path | str = ".") -> dict[str, Any]:
    """Return what Copier tells the macros about itself."""
    return {"dst_path": str(folder), "sep": "/", "answers_file": ".copier-answers.yml"}


def message(name: str, folder: Path | str = ".", **context: Any) -> str:
    """Return what Copier prints."""
    template = environment().from_string(SETTINGS[f"_message_{name}"])
    return template.render(**{"_copier_conf": conf(folder), "doomed": [], **context})


def run_copier(*args: str | Path, cwd: Path = ROOT, refused: bool = False) -> str:
    """Run Copier as a person does, without trust; return what it prints."""
    printed = StringIO()
    with chdir(cwd), redirect_stderr(printed):
        try:
            _, status = CopierApp.run(["copier", *map(str, args)], exit=False)
        except ValueError as error:
            printed.write(str(error))
            status = 1
    assert bool(status) is refused, printed.getvalue()
    return printed.getvalue()


def steps(before: dict[str, Any], **changes: Any) -> str:
    """Return the steps after an update that changes these answers, on one line."""
    text = MESSAGES.update_steps(conf(), before, {**before, **changes})
    assert all(len(line) <= 77 for line in text.splitlines()), text
    return " ".join(text.split())


# --- Copy ---


def test_the_first_steps_follow_a_copy(tmp_path: Path) -> None:
    text = message("after_copy", tmp_path / "a b")
    assert f"1. cd '{tmp_path / 'a b'}'" in text
    assert "2. git init" in text
    assert "Omit `git init` in a repository" in text
    assert "3. pip install uv && uv run dev.py" in text
    assert "4. uv run pytest" in text


def test_a_repository_is_not_created_twice(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    text = message("after_copy", tmp_path)
    assert "git init" not in text
    assert "2. pip install uv" in text


def test_a_worktree_is_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    assert "git init" not in message("after_copy", tmp_path)


def test_a_copy_into_this_folder_says_so() -> None:
    text = message("after_copy")
    assert "Your project is in this folder. Next:" in text
    assert "cd " not in text


def test_a_copy_over_a_project_recommends_an_update(tmp_path: Path) -> None:
    assert "A few questions" in message("before_copy", tmp_path)
    (tmp_path / ".copier-answers.yml").touch()
    assert "use `copier update`" in message("before_copy", tmp_path)


def test_messages_fit_eighty_columns() -> None:
    everything = [
        message("before_copy"),
        message("after_copy"),
        message("before_update"),
        message("after_update", last_time=BEFORE, _copier_answers={**BEFORE, "mode": "sync"}),
    ]
    assert [line for text in everything for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("tag", ["v0.1.0", ""])
def test_a_project_copied_from_a_relative_path_is_updated(
    tag: str, template: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(template), "checkout")
    checkout = tmp_path / "checkout"
    # These files would only slow the test down.
    git(checkout, "rm", "-r", "--quiet", *(f"template/{name}" for name in ["app", "docs", "tests"]))
    git(checkout, "commit", "--quiet", "--message", "Less")
    git(checkout, "tag", "--delete", "v0.1.0")
    if tag:
        git(checkout, "tag", tag)
    run_copier("copy", "--defaults", ".", "../my-backend", cwd=checkout)
    project = commit(tmp_path / "my-backend")
    append(checkout, "template/.dockerignore", "new\n")
    commit(checkout)
    if tag:
        git(checkout, "tag", "v0.2.0")
    run_copier("update", "--defaults", cwd=project)
    assert "new\n" in (project / ".dockerignore").read_text(encoding="utf-8")


def test_other_template_paths_are_unchanged() -> None:
    source = load_macros("answers").source
    for path in ["/srv/t", "~/t", "gh:owner/t", "https://host/t.git", "git@host:t", "C:\\t"]:
        assert source(path) == path
    assert source("../t") == str(Path.cwd().parent / "t")


# --- Update ---

STEPS = {
    "nothing": (BEFORE, {}, ["See what changed", "Run the checks"], ["uv sync", "revision", "Dep"]),
    "soft delete": (
        BEFORE,
        {"soft_delete": True},
        ["read with `VisibleSessionDep` now. Correct", 'revision "Keep deleted rows"'],
        ["uv sync"],
    ),
    "no soft delete": (
        {**BEFORE, "soft_delete": True},
        {"soft_delete": False},
        ["read with `ReadSessionDep` now. Correct", 'revision "Delete rows permanently"'],
        ["uv sync"],
    ),
    "pgbouncer": (
        BEFORE,
        POOLED,
        ["uv sync", "MIGRATIONS_DATABASE_URL to that of PostgreSQL itself"],
        ["revision"],
    ),
    "pool size": (
        POOLED,
        {"pgbouncer_default_pool_size": 7},
        ["deploy pgbouncer/pgbouncer.ini"],
        ["uv sync"],
    ),
    "no pgbouncer": (POOLED, BEFORE, ["MIGRATIONS_DATABASE_URL is no longer used"], []),
    "sync": (BEFORE, {"mode": "sync"}, ["Remove `async` and `await`", "uv sync"], ["revision"]),
    "async": ({**BEFORE, "mode": "sync"}, {"mode": "async"}, ["Add `async` and `await`"], []),
    "python": (BEFORE, {"python_version": "3.13"}, ["uv sync"], ["revision"]),
    "sqlite": (
        BEFORE,
        {"database": "sqlite"},
        ["Set DATABASE_URL to sqlite:///", "rm migrations/versions/*.py"],
        ["copy the data"],
    ),
    "postgresql": (
        {**BEFORE, "database": "sqlite"},
        {"database": "postgresql"},
        ["Set DATABASE_URL to postgresql://", "copy the data"],
        [],
    ),
    "a comment": (
        BEFORE,
        {"resources": RESOURCES.replace("title", "# The title.\n  title")},
        [],
        ["revision"],
    ),
    "a table": (
        BEFORE,
        {"resources": RESOURCES + "tag: {name: str(50)}"},
        ['revision "Describe the change"'],
        ["Enums allow"],
    ),
    "a sort": (
        BEFORE,
        {"resources": RESOURCES + "  _index: [created_at]"},
        ['revision "Describe the change"'],
        [],
    ),
    "an added choice": (
        BEFORE,
        {"resources": RESOURCES.replace("good, bad", "good, bad, mixed")},
        ["dev.py revision"],
        ["Enums allow"],
    ),
    "a removed choice": (
        BEFORE,
        {"resources": RESOURCES.replace("good, bad", "good, mixed")},
        ["dev.py revision", "Enums allow fewer values", "authors.mood: no longer bad"],
        [],
    ),
    "tokens": (
        BEFORE,
        {"auth": "tokens"},
        [
            "uv sync",
            "See docs/access.md",
            'revision "Add accounts"',
            "dev.py migrate -x owner=EMAIL",
            "Set its password: uv run dev.py run python -m app.account password EMAIL",
        ],
        ["OIDC", "More people"],
    ),
    "oidc": (
        BEFORE,
        {"auth": "oidc"},
        ["Set OIDC_ISSUER and OIDC_AUDIENCE", "dev.py migrate -x owner=SUBJECT"],
        ["password"],
    ),
    "other accounts": (
        {**BEFORE, "auth": "tokens"},
        {"auth": "oidc"},
        [
            "Set OIDC_ISSUER",
            "uv sync",
            "Accounts stay: see the notes in the revision.",
            'revision "Describe the change"',
        ],
        ["docs/access.md", "owner"],
    ),
    "accounts for shared rows": (
        {**BEFORE, "resources": SHARED},
        {"auth": "tokens"},
        ['revision "Add accounts" uv run dev.py migrate'],
        ["owner="],
    ),
    "no accounts": (
        {**BEFORE, "auth": "tokens"},
        {"auth": "none"},
        [
            "can read the rows of these tables: authors notes",
            'revision "Remove accounts"',
            "dev.py migrate -x drop-owners=yes",
        ],
        ["docs/access.md", "EMAIL"],
    ),
    "an access": (
        {**BEFORE, "auth": "tokens", "resources": SHARED + NOTE},
        {"resources": PUBLIC + NOTE},
        [
            "these tables: tags The tables",
            'revision "Describe the change"',
            "-x owner=EMAIL",
        ],
        ["password"],
    ),
    "less access": (
        {**BEFORE, "auth": "oidc", "resources": PUBLIC},
        {"resources": "tag: {name: str(50)}"},
        ["Fewer people than before", "unless the ref is optional: tags", "dev.py migrate"],
        ["owner", "More people"],
    ),
    "nobody's rows": (
        {**BEFORE, "auth": "oidc", "resources": PUBLIC},
        {"resources": SHARED},
        ["dev.py migrate -x drop-owners=yes"],
        ["More people"],
    ),
    "a new table": (
        {**BEFORE, "auth": "oidc", "resources": SHARED},
        {"resources": SHARED + NOTE},
        ["dev.py migrate"],
        ["More people"],
    ),
    "a text that becomes a choice": (
        BEFORE,
        {"resources": RESOURCES.replace("str(120)", "enum(Ann, Bob)")},
        ["authors.name: only Ann, Bob"],
        ["mood"],
    ),
}


@pytest.mark.parametrize(("before", "changes", "told", "untold"), STEPS.values(), ids=STEPS)
def test_the_steps_for_what_changed(
    before: dict[str, Any], changes: dict[str, Any], told: list[str], untold: list[str]
) -> None:
    text = steps(before, **changes)
    assert [words for words in told if words not in text] == []
    assert [words for words in untold if words in text] == []


def test_an_answer_missing_from_the_file_is_no_change() -> None:
    for name in BEFORE.keys() - {"_commit"}:
        before = {key: value for key, value in BEFORE.items() if key != name}
        unchanged = MESSAGES.update_steps(conf(), BEFORE, BEFORE)
        assert MESSAGES.update_steps(conf(), before, BEFORE) == unchanged, name


def test_checks_after_an_update_are_those_of_ci(rendered: Render) -> None:
    ci = (rendered() / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert f"commit: {' && '.join(re.findall('uv run dev.py .*', ci))}" in steps(BEFORE)


def test_release_steps_are_shown() -> None:
    releases = load_macros("releases")
    history = [
        {"version": "0.1.0", "steps": ["never"]},
        {"version": "0.2.0", "steps": ["first"]},
        {"version": "0.10.0", "steps": ["second"]},
        {"version": "1.0.0", "steps": ["third"]},
    ]
    for before, after, expected in [
        ("v0.1.0", "v0.10.0", ["first", "second"]),
        ("v0.2.0-3-g1a2b3c4", "v1.0.0", ["second", "third"]),
        ("v1.0.0", "v1.0.0", []),
        ("1a2b3c4", "v1.0.0", []),
    ]:
        assert releases.steps_between(before, after, history).split() == expected


def test_an_update_names_its_undo_and_what_it_did_not_reach(render: Render) -> None:
    project = commit(render("team/project", resources=RESOURCES))
    git(project, "mv", "app/crud/note.py", "app/notes.py")
    commit(project)
    # A repository of several projects, with uncommitted work elsewhere.
    (project / ".git").rename(project.parent / ".git")
    commit(project.parent)
    before = files(project)
    (project.parent / "elsewhere.txt").write_text("Work", encoding="utf-8")

    options = ["--defaults", "--vcs-ref=:current:", "--data=soft_delete=true"]
    output = run_copier("update", *options, project)
    before_it, _, after_it = output.partition("Updated.")
    undo = "git checkout HEAD -- . && git clean --force -d ."
    assert undo in before_it
    assert "app/crud/note.py" in after_it
    assert 'uv run dev.py revision "Keep deleted rows"' in after_it
    assert files(project) != before

    run(["sh", "-c", undo], project)
    assert files(project) == before
    assert (project.parent / "elsewhere.txt").exists()


# --- What an update would delete ---


def test_the_files_of_a_resource_are_those_that_are_rendered() -> None:
    known = PREVIOUS.files(RESOURCES)
    rendered = [path for path, _ in Renderer().render({"resources": RESOURCES})]
    of_resources = {path for path in rendered if "author" in path or "note" in path}
    assert of_resources == {path for paths in json.loads(known).values() for path in paths}


DOOMED = {
    "a removed resource": (
        AUTHOR,
        {"author": ["app/schemas/details/author.py"], "note": ["app/db/models/note.py"]},
    ),
    "a renamed resource": (RESOURCES.replace("note:", "memo:"), {"note": ["app/crud/note.py"]}),
    "a renamed table": (
        RESOURCES.replace("note:", "note:\n  _plural: memos"),
        {"note": ["app/routers/notes.py", "tests/routers/test_notes.py"]},
    ),
    "an enum": (
        RESOURCES.replace("  mood: enum(good, bad)\n", ""),
        {"author": ["app/enums/author.py"]},
    ),
    "nothing": (RESOURCES + "tag: {name: text}", {}),
}


@pytest.mark.parametrize("folder", ["project", "[x]*"])
@pytest.mark.parametrize(("text", "expected"), DOOMED.values(), ids=DOOMED)
def test_deleted_files_are_noticed(
    text: str, expected: dict[str, list[str]], folder: str, tmp_path: Path
) -> None:
    project = tmp_path / folder
    for paths in json.loads(PREVIOUS.files(RESOURCES)).values():
        for path in paths:
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).touch()
    doomed = json.loads(PREVIOUS.doomed(conf(project), BEFORE, text))
    assert {each["name"] for each in doomed} == set(expected)
    for each in doomed:
        assert set(expected[each["name"]]) <= set(each["files"])
        for path in each["files"]:
            (project / path).unlink()
    # What was deleted by hand needs no question.
    assert PREVIOUS.doomed(conf(project), BEFORE, text) == "[]"


def test_a_removed_resource_is_deleted_only_when_named(render: Render) -> None:
    project = commit(render(resources=RESOURCES))
    before = files(project)
    command = ["update", "--defaults", "--vcs-ref=:current:", f"--data=resources={AUTHOR}"]

    output = run_copier(*command, project, refused=True)
    assert "add --data delete_files=author,note to delete app/schemas/details/author.py" in output
    assert files(project) == before

    run_copier(*command, "--data=delete_files=author,note", project)
    gone = before.keys() - files(project).keys()
    assert "app/db/models/note.py" in gone
    assert {path for path in gone if path in output} == gone

    # Copier deletes nothing in a copy over a project: the message says what is left to do.
    commit(project)
    again = ["recopy", "--defaults", "--overwrite", "--vcs-ref=:current:"]
    text = "memo:\n  text: text"
    output = run_copier(*again, f"--data=resources={text}", "--data=delete_files=author", project)
    command = re.search(r"git rm (?:.*\\\n)*.*", output)
    assert command
    git(project, *command[0].replace("\\\n", " ").split()[1:], "-q")
    assert not [path for path in files(project) if "author" in path]


# --- Answers that do not go together ---

TAKEN = "account: {name: str(50)}"
MISMATCHES = {
    "auth goes": ({"auth": "tokens", "resources": SHARED}, ["auth=none"], "tag._access: needs"),
    "auth comes": ({"resources": TAKEN}, ["auth=oidc"], '"account" is taken by auth'),
    "a word comes": ({"resources": RESOURCES}, [f"resources={SHARED}"], "tag._access: needs"),
    "a name comes": (
        {"auth": "tokens", "resources": RESOURCES},
        [f"resources={RESOURCES}{TAKEN}"],
        '"account" is taken by auth',
    ),
    "an excuse": ({"resources": TAKEN}, ["auth=oidc", "mismatch=fine"], "is taken by auth"),
}


@pytest.mark.parametrize(("answers", "data", "words"), MISMATCHES.values(), ids=MISMATCHES)
def test_answers_that_do_not_go_together_stop_the_run_and_change_nothing(
    answers: dict[str, str], data: list[str], words: str, render: Render, template: Path
) -> None:
    project = commit(render(**answers))
    before = files(project)
    options = ["--defaults", *(f"--data={each}" for each in data)]
    for command in (
        ["update", "--vcs-ref=:current:", *options, project],
        ["update", "--vcs-ref=:current:", "--skip-answered", *options, project],
        ["recopy", "--vcs-ref=:current:", "--overwrite", *options, project],
        ["copy", "--overwrite", *options, template, project],
    ):
        assert words in run_copier(*command, refused=True)
        assert files(project) == before
        assert git(project, "status", "--porcelain") == ""

    asked = {**answers, **dict(each.split("=", 1) for each in data)}
    options = [f"--data={name}={answer}" for name, answer in asked.items()]
    fresh = project.parent / "fresh"
    assert words in run_copier("copy", "--defaults", *options, template, fresh, refused=True)
    assert not fresh.exists()


def test_tables_stay_when_auth_changes_their_default(render: Render) -> None:
    project = commit(render())
    tables = yaml.safe_load((project / ".copier-answers.yml").read_text("utf-8"))["resources"]
    update(project, auth="tokens")
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text("utf-8"))
    assert answers["auth"] == "tokens"
    assert answers["resources"] == tables


@pytest.mark.filterwarnings("ignore::copier.errors.MissingFileWarning")
def test_messages_work_without_fileglob(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters = FilterModule().filters()
    del filters["fileglob"]
    monkeypatch.setattr(FilterModule, "filters", lambda _: dict(filters))
    project = tmp_path / "project"
    answers = {"resources": RESOURCES, "ci": "none"}
    copier.run_copy(str(template), project, data=answers, defaults=True, quiet=True)
    commit(project)
    with pytest.raises(ValueError, match="add --data delete_files=author,note"):
        update(project, resources=AUTHOR)
    update(project, resources=AUTHOR, delete_files="author, note")
    assert not (project / "app/db/models/note.py").exists()
