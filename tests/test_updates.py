"""An edited project adopts new releases and new answers, and keeps every edit."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import copier
import pytest

from conftest import Environment, Render
from databases import Database, postgres
from projects import ROOT, check_code, git, questions, run, run_suite
from updating import (
    RESOURCES,
    append,
    commit,
    conflicts,
    edit,
    files,
    invite,
    released,
    unguarded,
    update,
)

# The newest is the tree as it is, tagged or not.
CURRENT, *OLDER = (f"v{version}" for version in released())
NEXT = "v999.0.0"


def change_template(template: Path) -> None:
    """Change a template as a release might: a little in each kind of file."""
    app = template / "template" / "app"
    crud = next((app / "crud").glob("*yield*"))
    router = next((app / "routers").glob("*yield*"))
    project = template / "template" / "pyproject.toml.jinja"
    setting = '    banner: str = Field(default="", description="Text of the banner")\n\n'
    for path, old, new in [
        (crud, "CRUD functions for", "The CRUD functions for"),
        (crud, "Update the fields set in `data`.", "Update only the fields set in `data`."),
        (router, "Omitted fields are unchanged.", "Omitted fields keep their values."),
        (
            app / "main.py.jinja",
            "    app.state.settings = settings\n",
            "    app.state.settings = settings\n    app.state.release = 2\n",
        ),
        (app / "settings.py.jinja", "    pool_size: int", f"{setting}    pool_size: int"),
        (
            template / "template" / "docs" / "settings.md.jinja",
            "| `POOL_SIZE` |",
            "| `BANNER` | `` | Text of the banner |\n| `POOL_SIZE` |",
        ),
        (project, '"alembic>=1.20"', '"alembic>=1.20.1"'),
        (project, '    "pydantic[', '    "anyio>=4",\n    "pydantic['),
    ]:
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{path.name} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    (app / "version.py").write_text('"""The version."""\n', encoding="utf-8")


@pytest.fixture(scope="session")
def releases(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with every release, the current state and a made-up next one."""
    folder = tmp_path_factory.mktemp("releases") / "template"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for tag in reversed(OLDER):
        for path in folder.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        git(ROOT, "archive", f"--output={folder / 'archive.tar'}", tag)
        shutil.unpack_archive(folder / "archive.tar", folder, "tar")
        (folder / "archive.tar").unlink()
        commit(folder, tag)
        git(folder, "tag", tag)
    shutil.copytree(template, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    commit(folder, CURRENT)
    git(folder, "tag", CURRENT)
    change_template(folder)
    commit(folder, NEXT)
    git(folder, "tag", NEXT)
    return folder


def start(releases: Path, tag: str, folder: Path, **answers: Any) -> Path:
    """Make a project from a release."""
    copier.run_copy(str(releases), folder, data=answers, defaults=True, quiet=True, vcs_ref=tag)
    return commit(folder, "Start")


# What people do to a project: the file, the place and the text. A number is a comment that invites
# the owner's own lines, a text is what stands before, and an empty text is the end of the file.
EDITS: list[tuple[str, int | str, str]] = [
    # A column by hand, and the fields of the schemas.
    ("app/db/models/author.py", 1, "    motto: Mapped[str | None]\n"),
    ("app/schemas/author.py", 0, "    motto: str | None = None\n"),
    ("app/schemas/author.py", 1, "    motto: str | None = None\n"),
    ("app/schemas/author.py", 2, "    motto: str | None\n"),
    # The same in a resource whose fields and references change.
    ("app/db/models/note.py", 0, '        sa.Index("ix_notes_mood", "mood"),\n'),
    ("app/db/models/note.py", 1, "    stars: Mapped[int | None]\n"),
    ("app/schemas/note.py", 0, "    stars: int | None = None\n"),
    ("app/schemas/note.py", 1, "    stars: int | None = None\n"),
    ("app/schemas/note.py", 2, "    stars: int | None\n"),
    # A function at the end of each crud file.
    (
        "app/crud/author.py",
        "",
        "\n\ndef greet(author: models.Author) -> str:\n    return author.name\n",
    ),
    (
        "app/crud/note.py",
        "",
        "\n\ndef shout(note: models.Note) -> str:\n    return note.title.upper()\n",
    ),
    # A route, a changed one, and the first import.
    (
        "app/routers/authors.py",
        "",
        '\n\n@router.get("/{key}/motto")\nasync def motto(key: Id) -> Id:\n    ...\n',
    ),
    ("app/routers/notes.py", '    """Create a new note."""\n', '    print("a note comes")\n'),
    ("app/routers/notes.py", '"""Routes of notes."""\n\n', "import logging\n"),
    # A middleware, an error's handler, a service.
    (
        "app/main.py",
        "from fastapi import FastAPI\n",
        "from fastapi.middleware.gzip import GZipMiddleware\n",
    ),
    ("app/main.py", 0, "    app.add_middleware(GZipMiddleware)\n"),
    ("app/errors.py", -1, "    LookupError: lambda _request, error: print(error),\n"),
    ("compose.yaml", 0, "  mail:\n    image: mailpit\n"),
    # A dependency, a tool, a setting.
    ("pyproject.toml", 0, '    "mako>=1.3",\n'),
    ("pyproject.toml", 1, '    "certifi>=2024",\n'),
    (
        "docs/settings.md",
        "| `MAX_OVERFLOW` | `0` | Extra connections per process under load, closed after use |\n",
        "| `MOTTO` | `` | Ours |\n",
    ),
    ("app/settings.py", 0, '    motto: str = Field(default="", description="Ours")\n'),
    # Tests.
    ("tests/routers/test_notes.py", "", "\n\ndef test_of_our_own() -> None:\n    assert True\n"),
    # The shared lists.
    ("app/db/models/__init__.py", 0, "from app.db.models.shelf import Shelf\n"),
    ("app/db/models/__init__.py", 1, '    "Shelf",\n'),
    ("app/routers/__init__.py", 0, "from app.routers import shelves\n"),
    ("app/routers/__init__.py", 1, "    shelves.router,\n"),
]
ADDED = {
    "app/db/models/shelf.py": '''\
"""The shelves table."""

from sqlalchemy.orm import Mapped

from app.db.base import Base


class Shelf(Base):
    """A shelf."""

    __tablename__ = "shelves"

    label: Mapped[str]
''',
    "app/routers/shelves.py": '''\
"""Shelves."""

from fastapi import APIRouter

router = APIRouter(prefix="/shelves")
''',
    "tests/test_shelves.py": """\
from app.db import models


def test_shelves_have_labels() -> None:
    assert models.Shelf(label="A").label == "A"
""",
    "migrations/versions/0002_shelves.py": '''\
"""Mottos and shelves."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("authors", sa.Column("motto", sa.Text()))
    op.add_column("notes", sa.Column("stars", sa.Integer()))
    op.create_index("ix_notes_mood", "notes", ["mood"])
    op.create_table(
        "shelves",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        *(
            sa.Column(
                name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
            )
            for name in ("created_at", "updated_at")
        ),
    )


def downgrade() -> None:
    op.drop_table("shelves")
    op.drop_index("ix_notes_mood")
    op.drop_column("notes", "stars")
    op.drop_column("authors", "motto")
''',
}
README = "# Our library\n\nRewritten from the first line to the last.\n"
INITIAL = "Initial tables"


def make_edits(project: Path, edits: list[tuple[str, int | str, str]]) -> None:
    """Add texts to files, each at its place."""
    for path, place, text in edits:
        if isinstance(place, int):
            invite(project, path, place, text)
        elif place:
            edit(project, path, (place, place + text))
        else:
            append(project, path, text)


def work_on(project: Path) -> None:
    """Edit a project as people do."""
    make_edits(project, EDITS)
    for path, text in ADDED.items():
        (project / path).write_text(text, encoding="utf-8")
    (project / "README.md").write_text(README, encoding="utf-8")
    edit(project, "migrations/versions/0001_initial.py", (INITIAL, f"Our first: {INITIAL}"))
    commit(project, "Work")


def lost(project: Path) -> list[str]:
    """Return the edits that are not in the project any more."""
    now = files(project)
    gone = [f"{path}: {text!r}" for path, _place, text in EDITS if text not in now.get(path, "")]
    gone += [path for path, text in ADDED.items() if now.get(path) != text]
    if "Our first: " not in now["migrations/versions/0001_initial.py"]:
        gone.append("the edited revision")
    if now["README.md"] != README:
        gone.append("the rewritten README")
    return gone


@pytest.mark.parametrize(("before", "after"), [*((tag, CURRENT) for tag in OLDER), (CURRENT, NEXT)])
def test_a_release_gives_what_a_fresh_copy_of_it_gives(
    before: str, after: str, releases: Path, tmp_path: Path
) -> None:
    project = start(releases, before, tmp_path / "project", resources=RESOURCES)
    update(project, to=after)
    fresh = start(releases, after, tmp_path / "fresh", resources=RESOURCES)
    assert unguarded(project) == unguarded(fresh)


@pytest.mark.parametrize(("before", "after"), [*((tag, CURRENT) for tag in OLDER), (CURRENT, NEXT)])
def test_a_release_leaves_every_edit_in_place(
    before: str, after: str, releases: Path, tmp_path: Path
) -> None:
    project = start(releases, before, tmp_path / "project", resources=RESOURCES)
    work_on(project)
    update(project, to=after)
    assert not conflicts(project)
    assert not lost(project)
    assert git(project, "diff", "--check") == ""


def test_a_rewritten_readme_survives_every_change_of_answers(
    releases: Path, tmp_path: Path
) -> None:
    project = start(releases, CURRENT, tmp_path / "project", resources=RESOURCES)
    (project / "README.md").write_text(README, encoding="utf-8")
    commit(project, "Rewrite the README")
    changed: set[str] = set()
    for answers in EVERY_ANSWER:
        update(project, to=CURRENT, **answers)
        assert not conflicts(project), answers
        commit(project)
        changed |= answers.keys()
    update(project, to=NEXT)
    assert not conflicts(project)
    assert (project / "README.md").read_text(encoding="utf-8") == README
    assert changed == questions() - {"project_slug", "delete_files", "mismatch"}


def git_check(project: Path) -> list[str]:
    """Return where `git diff --check` finds markers of a conflict."""
    try:
        output = git(project, "diff", "--check")
    except subprocess.CalledProcessError as found:
        output = found.stdout
    return [line for line in output.splitlines() if "conflict marker" in line]


def test_a_deleted_resource_does_not_come_back(releases: Path, tmp_path: Path) -> None:
    project = start(releases, CURRENT, tmp_path / "project")
    parts = [path for path in files(project) if re.search(r"\borders?\.py$", path)]
    for path in parts:
        (project / path).unlink()
    edit(
        project,
        "app/routers/__init__.py",
        ("    orders,\n", ""),
        ("    orders.router,\n", ""),
    )
    commit(project, "No orders")
    update(project, to=NEXT)
    assert not conflicts(project)
    assert not [path for path in parts if (project / path).exists()]
    assert "orders" not in (project / "app/routers/__init__.py").read_text(encoding="utf-8")


def test_a_replaced_initial_revision_does_not_come_back(render: Render) -> None:
    project = render()
    versions = project / "migrations" / "versions"
    # As the docs say of a change of the database.
    (versions / "0001_initial.py").rename(versions / "5f2c_initial_tables.py")
    commit(project)
    current = copier.VcsRef.CURRENT
    copier.run_recopy(project, defaults=True, overwrite=True, quiet=True, vcs_ref=current)
    assert [path.name for path in versions.iterdir()] == ["5f2c_initial_tables.py"]
    assert git(project, "status", "--porcelain") == ""


# In the second, `an event` becomes `a meeting`.
@pytest.mark.parametrize(("old", "new"), [("note", "memo"), ("event", "meeting")])
def test_a_renamed_resource_keeps_what_was_written_in_it(
    old: str, new: str, render: Render
) -> None:
    resources = RESOURCES.replace("note", old)
    project = commit(render(resources=resources))
    path = f"app/crud/{old}.py"
    edit(project, path, ("Update the fields set in `data`.", "Update in secret."))
    append(project, path, "\n\ndef shout() -> None:\n    ...\n")
    commit(project, "Work")
    # As the README says: first by hand, and then in the answers.
    for path, text in files(project).items():
        if not path.startswith(("migrations/", ".copier")):
            renamed = re.sub(rf"{old}(?!s)", new, path)
            (project / path).unlink()
            changed = re.sub(rf"{old.title()}(?!s)", new.title(), text)
            (project / renamed).write_text(re.sub(rf"{old}(?!s)", new, changed), "utf-8")
    commit(project, "Rename")
    update(project, resources=resources.replace(f"{old}:", f"{new}:\n  _plural: {old}s"))
    assert conflicts(project) == [f"app/crud/{new}.py"]
    text = (project / f"app/crud/{new}.py").read_text(encoding="utf-8")
    assert "Update in secret." in text
    assert "def shout()" in text
    assert not [path for path in files(project) if re.search(rf"{old}\b", path)]


# Answers whose change touches no line that people usually edit.
QUIET: dict[str, dict[str, Any]] = {
    "soft_delete": {"soft_delete": True},
    "pgbouncer": {"pgbouncer": True},
    "kubernetes": {"kubernetes": True},
    "texts": {"ci": "none", "python_version": "3.13", "project_name": "Night Library"},
    "resources": {"resources": RESOURCES + "tag:\n  name: str(50) unique\n"},
}


# Answers that change every question that can be changed, step by step.
EVERY_ANSWER: list[dict[str, Any]] = [
    {
        "project_name": "Night Library",
        "project_description": "Books that are lent by night.",
        "ci": "none",
        "python_version": "3.13",
    },
    {"soft_delete": True, "resources": RESOURCES + "tag:\n  name: str(50) unique\n"},
    {
        "pgbouncer": True,
        "pgbouncer_pool_mode": "session",
        "pgbouncer_default_pool_size": 7,
        "pgbouncer_max_client_conn": 321,
        "kubernetes": True,
    },
    {"mode": "sync", "database": "sqlite"},
    {"auth": "tokens"},
]

# What the answers add to an edited resource: each changes other lines of its files.
GROWTH = {
    "a field": "  pages: int default=1\n",
    "a field with an import": "  printed: date optional\n",
    "an enum": "  size: enum(big, small) default=big\n",
    "an index": "  _index: [mood, title]\n",
    "a sort order": "  shelf: str(20) default=A index\n",
    "a reference": "  editor: ref(author) optional\n",
    "a collection": "  reader: ref(author) optional as=readings\n",
}


def test_growing_resources_do_not_touch_what_was_written_by_hand(render: Render) -> None:
    project = commit(render(resources=RESOURCES))
    work_on(project)
    resources = RESOURCES
    for name, line in GROWTH.items():
        resources += line
        update(project, resources=resources)
        assert not conflicts(project), name
        assert not lost(project), name
        commit(project)


# A table by hand, and more of the others, as code that passes its checks.
BY_HAND: list[tuple[str, int | str, str]] = [
    ("app/db/models/__init__.py", 0, "from app.db.models.shelf import Shelf\n"),
    ("app/db/models/__init__.py", 1, '    "Shelf",\n'),
    ("app/routers/__init__.py", 0, "from app.routers import shelves\n"),
    ("app/routers/__init__.py", 1, "    shelves.router,\n"),
    ("tests/test_contract.py", 0, "from tests.factories import shelf as shelf_factory\n"),
    ("tests/test_contract.py", 1, '    "/shelves": shelf_factory,\n'),
    (
        "app/db/models/author.py",
        2,
        """\
    edited: Mapped[list["Note"]] = relationship(
        foreign_keys="Note.editor_id", back_populates="editor", lazy="raise"
    )
""",
    ),
    ("app/db/models/note.py", 0, '        sa.Index("ix_notes_stars", "stars", "id"),\n'),
    (
        "app/db/models/note.py",
        1,
        """\
    stars: Mapped[int | None]
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("authors.id"))
""",
    ),
    (
        "app/db/models/note.py",
        2,
        """\
    editor: Mapped["Author | None"] = relationship(
        foreign_keys=[editor_id], back_populates="edited", lazy="raise"
    )
""",
    ),
    ("app/schemas/note.py", 0, "    stars: int | None = None\n"),
    ("app/schemas/note.py", 1, "    stars: int | None = None\n"),
    ("app/schemas/note.py", 2, "    stars: int | None\n"),
    ("app/schemas/note.py", 3, "    stars: list[int] | None = None\n"),
    ("tests/factories/note.py", 0, '        "stars": 3,\n'),
    # Without references so far.
    ("app/db/models/tag.py", "mapped_column", ", relationship"),
    (
        "app/db/models/tag.py",
        1,
        '    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tags.id"))\n',
    ),
    (
        "app/db/models/tag.py",
        2,
        """\
    parent: Mapped["Tag | None"] = relationship(
        foreign_keys=[parent_id], remote_side="Tag.id", lazy="raise"
    )
""",
    ),
    # With nothing but a reference.
    ("app/db/models/loan.py", 1, '    days: Mapped[int] = mapped_column(server_default="7")\n'),
    ("tests/factories/loan.py", 0, '        "days": 14,\n'),
    ("app/schemas/loan.py", 0, "    days: int = 7\n"),
]


def test_code_below_the_lines_that_invite_it_survives_growth(
    render: Render, environment: Environment
) -> None:
    tag, loan = "tag:\n  name: str(50) unique\n", "loan:\n  note: ref(note)\n"
    project = commit(render(database="sqlite", resources=RESOURCES + tag + loan))
    python = environment(project)
    make_edits(project, BY_HAND)
    for path in ("app/db/models/shelf.py", "app/routers/shelves.py"):
        (project / path).write_text(ADDED[path], encoding="utf-8")
    (project / "tests" / "factories" / "shelf.py").write_text("", encoding="utf-8")
    ruff = str(python.parent / "ruff")
    run([ruff, "check", "--fix", "--quiet", "."], project)
    run([ruff, "format", "--quiet", "."], project)
    database = Database(project, python, "")
    assert database.write_revision("By hand")
    commit(project, "Work")

    grown = RESOURCES + "  pages: int default=1 index\n"
    grown += tag + "  author: ref(author) optional as=tags\n"
    grown += loan + "  until: date optional index\n" + "quote: {words: text}\n"
    update(project, resources=grown)
    assert not conflicts(project)
    now = files(project)
    assert [text for path, _place, text in BY_HAND if text not in now[path]] == []
    assert database.write_revision("Grown")
    check_code(project, python)
    run_suite(project, python, "tests/test_migrations.py")


@pytest.mark.parametrize("question", QUIET)
def test_a_changed_answer_leaves_every_edit_in_place(question: str, render: Render) -> None:
    project = commit(render(resources=RESOURCES))
    work_on(project)
    update(project, **QUIET[question])
    assert not conflicts(project)
    assert not lost(project)


def test_changes_on_both_sides_of_a_line_lose_nothing(render: Render) -> None:
    """An edit next to a line that an answer changes may conflict, but is never lost."""
    project = commit(render(resources=RESOURCES))
    work_on(project)
    update(project, mode="sync", database="sqlite", soft_delete=True)
    assert not lost(project)
    assert {line.partition(":")[0] for line in git_check(project)} == set(conflicts(project))


def test_weeks_of_work_on_a_living_database_lose_nothing(
    releases: Path, environment: Environment, tmp_path: Path
) -> None:
    project = start(releases, CURRENT, tmp_path / "project", resources=RESOURCES)
    work_on(project)
    python = environment(project)
    with postgres(project, python) as url:
        database = Database(project, python, url)
        database.alembic("upgrade", "head")
        database.sql(
            "INSERT INTO authors (name, email, motto) VALUES ('Ann', 'ann@example.com', 'Read.')",
            "INSERT INTO notes (title, author_id) VALUES ('One', 1), ('Two', 1)",
            "INSERT INTO shelves (label) VALUES ('A')",
        )
        rows = """SELECT authors.name, email, motto, title, mood, label FROM notes
            JOIN authors ON authors.id = author_id CROSS JOIN shelves ORDER BY notes.id"""
        before = database.sql(rows)
        assert len(before) == 2

        # Three resources come, and a reference to one of them.
        grown = RESOURCES + "  city: ref(city) optional\ntag:\n  name: str(50) unique\n"
        grown += "city:\n  name: str(80)\nvisit:\n  city: ref(city)\n  on: date\n"
        commit(update(project, resources=grown))
        assert database.write_revision("Tags, cities and visits")
        commit(project)
        database.alembic("upgrade", "head")

        # Two options change.
        commit(update(project, soft_delete=True, pgbouncer=True))
        database.python = environment(project)
        assert database.write_revision("Keep deleted rows")
        commit(project)
        database.alembic("upgrade", "head")

        # The template changes.
        update(project, to=NEXT)
        assert not conflicts(project)
        assert not lost(project)
        database.python = environment(project)
        database.alembic("check")
        assert database.sql(rows) == before
        run_suite(project, database.python)
