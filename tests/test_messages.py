"""What Copier says before and after it works: the steps that apply, and no others."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conftest import Render
from macros import load_macros
from projects import git
from updating import append, commit, files

RESOURCES = """\
author:
  name: str(120)
  mood: enum(good, bad)
note:
  title: str(100)
  author: ref(author) as=notes
"""


def copier(*args: str | Path, refused: bool = False) -> str:
    """Run Copier as a person does, without trust; return what it says."""
    result = subprocess.run(
        ["copier", *args],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert bool(result.returncode) is refused, result.stderr
    return result.stderr


def say(project: Path, **answers: Any) -> str:
    """Update a project to other answers; return what is said after it, and commit."""
    data = [f"--data={name}={value}" for name, value in answers.items()]
    output = copier("update", "--defaults", "--vcs-ref=:current:", *data, project)
    commit(project)
    return " ".join(output.partition("Updated. Next:")[2].split())


def test_after_a_copy_come_the_first_steps(template: Path, tmp_path: Path) -> None:
    output = copier("copy", "--defaults", template, tmp_path / "a b")
    steps = output.partition("Next:")[2]
    assert f"1. cd '{tmp_path / 'a b'}'" in steps
    assert "2. git init" in steps
    assert "3. pip install uv && uv run dev.py" in steps
    assert "4. uv run pytest" in steps


def test_a_repository_is_not_made_twice(template: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    steps = copier("copy", "--defaults", template, tmp_path).partition("Next:")[2]
    assert "git init" not in steps
    assert "2. pip install uv" in steps


def test_before_an_update_comes_the_way_back(render: Render) -> None:
    project = commit(render())
    before = files(project)
    append(project, "README.md", "More.\n")
    commit(project)
    output = copier(
        "update", "--defaults", "--vcs-ref=:current:", "--data=soft_delete=true", project
    )
    assert "git reset --hard && git clean --force -d" in output.partition("Updated.")[0]
    git(project, "reset", "--quiet", "--hard")
    git(project, "clean", "--quiet", "--force", "-d")
    assert files(project) == {**before, "README.md": before["README.md"] + "More.\n"}


def test_after_an_update_come_the_steps_for_what_changed(render: Render) -> None:
    project = commit(render(resources=RESOURCES))

    steps = say(project)
    assert "1. See what changed" in steps
    assert "git diff --check" in steps
    assert "2. Run the checks, then commit" in steps
    assert "uv sync" not in steps
    assert "dev.py revision" not in steps

    steps = say(project, soft_delete=True)
    assert 'uv run dev.py revision "Keep deleted rows"' in steps
    assert "uv sync" not in steps

    steps = say(project, soft_delete=False)
    assert 'uv run dev.py revision "Delete rows for good"' in steps

    steps = say(project, pgbouncer=True)
    assert "uv sync" in steps
    assert "MIGRATIONS_DATABASE_URL to that of PostgreSQL itself" in steps
    assert "dev.py revision" not in steps

    steps = say(project, pgbouncer_default_pool_size=7)
    assert "pgbouncer/pgbouncer.ini" in steps
    assert "uv sync" not in steps

    steps = say(project, pgbouncer=False)
    assert "MIGRATIONS_DATABASE_URL is not read any more" in steps

    steps = say(project, mode="sync")
    assert "take `async` and `await` out" in steps

    steps = say(project, database="sqlite")
    assert "Set DATABASE_URL to sqlite:///" in steps
    assert "rm migrations/versions/*.py" in steps

    steps = say(project, resources=RESOURCES.replace("title", "# The title.\n  title"))
    assert "dev.py revision" not in steps

    steps = say(project, resources=RESOURCES + "tag:\n  name: str(50)\n")
    assert 'uv run dev.py revision "What changed"' in steps


def test_a_release_tells_its_own_steps() -> None:
    releases = load_macros("releases")
    history = [
        {"version": "0.1.0", "steps": ["never"]},
        {"version": "0.2.0", "steps": ["first"]},
        {"version": "0.10.0", "steps": ["second"]},
        {"version": "1.0.0", "steps": ["third"]},
    ]
    assert releases.steps_between("v0.1.0", "v0.10.0", history) == '["first", "second"]'
    assert releases.steps_between("v0.2.0-3-g1a2b3c4", "v1.0.0", history) == '["second", "third"]'
    assert releases.steps_between("v1.0.0", "v1.0.0", history) == "[]"
    assert releases.steps_between("1a2b3c4", "v1.0.0", history) == "[]"


# --- What an update would delete ---


@pytest.mark.parametrize("soft_delete", [False, True])
def test_a_resource_that_is_gone_is_noticed_before_anything_is_deleted(
    *, soft_delete: bool, render: Render
) -> None:
    project = commit(render(resources=RESOURCES, soft_delete=soft_delete))
    before = files(project)
    data = "--data=resources=" + RESOURCES.partition("note:")[0]
    command = ["update", "--defaults", "--vcs-ref=:current:", data]

    output = copier(*command, project, refused=True)
    assert "to let go of them add --data delete_files=author,note, or else put back" in output
    assert files(project) == before

    output = copier(*command, "--data=delete_files=author", project, refused=True)
    assert files(project) == before

    copier(*command, "--data=delete_files=author,note", project)
    gone = before.keys() - files(project).keys()
    assert "app/db/models/note.py" in gone
    assert {path for path in gone if path in output} == gone


def test_a_renamed_resource_is_noticed(render: Render) -> None:
    project = commit(render(resources=RESOURCES))
    data = "--data=resources=" + RESOURCES.replace("note:", "memo:")
    output = copier("update", "--defaults", "--vcs-ref=:current:", data, project, refused=True)
    assert "app/db/models/note.py" in output
    assert git(project, "status", "--porcelain") == ""


def test_a_file_of_one_field_is_noticed(render: Render) -> None:
    project = commit(render(resources=RESOURCES))
    data = "--data=resources=" + RESOURCES.replace("  mood: enum(good, bad)\n", "")
    output = copier("update", "--defaults", "--vcs-ref=:current:", data, project, refused=True)
    assert "app/enums/author.py would be deleted" in output


def test_what_was_deleted_by_hand_is_not_asked_for(render: Render) -> None:
    project = commit(render(resources=RESOURCES))
    for path in [path for path in files(project) if "note" in path]:
        (project / path).unlink()
    (project / "app/schemas/details/author.py").unlink()
    commit(project)
    data = "--data=resources=" + RESOURCES.partition("note:")[0]
    copier("update", "--defaults", "--vcs-ref=:current:", data, project)


def test_a_folder_with_brackets_is_looked_into(render: Render) -> None:
    project = render("[x]*", resources=RESOURCES)
    commit(project)
    data = "--data=resources=" + RESOURCES.partition("note:")[0]
    output = copier("update", "--defaults", "--vcs-ref=:current:", data, project, refused=True)
    assert "app/db/models/note.py" in output
