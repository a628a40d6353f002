"""Accounts on a live database: every row gets an owner, and loses it on request only."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import Environment, OpenDatabase, Render
from databases import Database
from projects import check, run
from updating import commit, conflicts, unguarded, update
from variants import THOROUGH

PLAIN = """\
author:
  name: str(40) unique
note:
  title: str(40) unique
  author: ref(author) on_delete=cascade
tag:
  name: str(40) unique
"""
NOTE = "note:\n  title"
SHARED_TAGS = PLAIN + "  _access: shared\n"
PUBLIC_TAGS = PLAIN + "  _access: public\n"
ROWS = (
    "INSERT INTO authors (name) VALUES ('Ann'), ('Ben')",
    "INSERT INTO notes (title, author_id) VALUES ('One', 1), ('Two', 2)",
    "INSERT INTO tags (name) VALUES ('new')",
)
OWNED = "SELECT 'author', owner_id FROM authors UNION ALL SELECT 'note', owner_id FROM notes"
NEW_ACCOUNT = {
    "tokens": "INSERT INTO accounts (email) VALUES ('{0}@example.com')",
    "oidc": "INSERT INTO accounts (issuer, subject) VALUES ('http://localhost:9', '{0}')",
}
ACCOUNTS = {
    "tokens": "SELECT email, is_active, password_hash IS NULL FROM accounts",
    "oidc": "SELECT subject, is_active, issuer = 'http://localhost:9' FROM accounts",
}
DELETED = "UPDATE notes SET deleted_at = '2026-01-02 03:04:05.000006+00:00' WHERE id = 2"

ADOPTIONS: list[dict[str, Any]] = [
    {"auth": "tokens", "mode": "sync", "database": "sqlite", "soft_delete": True},
    {"auth": "oidc", "mode": "async", "database": "postgresql"},
    {"auth": "tokens", "mode": "sync", "database": "postgresql", "pgbouncer": True},
    {"auth": "oidc", "mode": "async", "database": "sqlite"},
]


def name(answers: dict[str, Any]) -> str:
    """Return the name of a test with these answers."""
    return "-".join(str(value) for value in answers.values())


def switch(database: Database, fresh: Path) -> str:
    """Give a project the files of a fresh copy, as updates do, and write a revision."""
    versions = database.project / "migrations" / "versions"
    shutil.copytree(versions, fresh / "migrations" / "versions", dirs_exist_ok=True)
    database.project = fresh
    return database.write_revision("Switch")


def refused(database: Database, words: str, *args: str) -> None:
    """Expect Alembic to fail with a message."""
    with pytest.raises(pytest.fail.Exception, match=words):
        database.alembic(*args)


@pytest.mark.parametrize("answers", ADOPTIONS if THOROUGH else ADOPTIONS[:2], ids=name)
def test_rows_get_an_owner_and_lose_it_on_request_only(
    answers: dict[str, Any],
    render: Render,
    environment: Environment,
    open_database: OpenDatabase,
) -> None:
    auth, kind, soft_delete = answers["auth"], answers["database"], "soft_delete" in answers
    before = {**answers, "auth": "none", "resources": PLAIN}
    project = commit(render(**before))
    database = open_database(project, kind)
    database.alembic("upgrade", "head")
    database.sql(*ROWS, *([DELETED] if soft_delete else []))

    fresh = render("fresh", **{**answers, "resources": SHARED_TAGS})
    if soft_delete or THOROUGH:
        update(project, auth=auth, resources=SHARED_TAGS)
        assert not conflicts(project)
        assert unguarded(project) == unguarded(commit(fresh))
        revision = database.write_revision("Add accounts")
    else:
        revision = switch(database, fresh)
    assert "-x owner=" in revision.partition("def downgrade")[0]
    assert "drop-owners" in revision.partition("def downgrade")[2]
    owner = "Ann@Example.com" if auth == "tokens" else "248289761001"
    missing = r"rows \(2 in authors, 2 in notes\) have no owner; run this with `-x owner="
    refused(database, missing, "upgrade", "head")
    refused(database, missing, "-x", "owner=", "upgrade", "head")
    assert database.sql("SELECT name FROM tags") == [["new"]]
    database.alembic("-x", f"owner={owner}", "upgrade", "head")
    database.alembic("check")
    assert database.sql(ACCOUNTS[auth]) in [[[owner.lower(), 1, 1]], [[owner.lower(), True, True]]]
    assert sorted(database.sql(OWNED)) == [["author", 1]] * 2 + [["note", 1]] * 2
    if soft_delete:
        assert database.sql("SELECT id FROM notes WHERE deleted_at IS NOT NULL") == [[2]]

    # Rows never lose their owner silently.
    unwilling = r"without owner_id, rows \(2 in authors, 2 in notes\) would belong to nobody"
    refused(database, unwilling, "downgrade", "-1")
    database.alembic("-x", "drop-owners=yes", "downgrade", "-1")
    assert database.sql("SELECT title FROM notes ORDER BY id") == [["One"], ["Two"]]
    database.alembic("-x", f"owner={owner}", "upgrade", "head")
    if soft_delete:
        check(project, environment(project))

    # Two owners may each have a value that, without owners, only one row may have.
    database.sql(
        NEW_ACCOUNT[auth].format("other"),
        "INSERT INTO authors (name, owner_id) VALUES ('Ann', 2)",
    )
    revision = switch(database, render("off", **before))
    assert "drop-owners" in revision.partition("def downgrade")[0]
    refused(database, r"3 in authors, 2 in notes\) would belong to nobody", "upgrade", "head")
    willing = ("-x", "drop-owners=yes", "upgrade", "head")
    refused(database, r"rows in authors \(2\) must be changed or deleted first", *willing)
    database.sql("UPDATE authors SET name = 'Other' WHERE owner_id = 2")
    database.alembic(*willing)
    database.alembic("check")
    assert len(database.sql("SELECT name FROM authors")) == 3


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_access_changes_with_the_rows_there(
    kind: str, render: Render, open_database: OpenDatabase
) -> None:
    answers = {"auth": "tokens", "mode": "sync", "database": kind}
    database = open_database(render(**answers, resources=PLAIN), kind)
    database.alembic("upgrade", "head")
    for who in ("ann", "ben"):
        database.sql(NEW_ACCOUNT["tokens"].format(who))
    database.sql("INSERT INTO tags (name, owner_id) VALUES ('a', 1), ('b', 1), ('a', 2)")

    revision = switch(database, render("public", **answers, resources=PUBLIC_TAGS))
    assert "drop-owners" not in revision
    refused(database, r"rows in tags \(2\) must be changed or deleted first", "upgrade", "head")
    database.sql("UPDATE tags SET name = 'c' WHERE owner_id = 2")
    database.alembic("upgrade", "head")
    database.alembic("check")
    database.alembic("downgrade", "-1")
    database.alembic("upgrade", "head")

    switch(database, render("shared", **answers, resources=SHARED_TAGS))
    refused(database, r"\(3 in tags\) would belong to nobody", "upgrade", "head")
    database.alembic("-x", "drop-owners=yes", "upgrade", "head")
    database.alembic("check")
    refused(database, r"\(3 in tags\) have no owner", "downgrade", "-1")
    database.alembic("-x", "owner=ben@example.com", "downgrade", "-1")
    assert database.sql("SELECT DISTINCT owner_id FROM tags") == [[2]]
    database.alembic("-x", "drop-owners=yes", "upgrade", "head")

    again = render("again", **answers, resources=PLAIN + "more:\n  name: str(9) unique\n")
    assert "-x owner=" in switch(database, again)
    refused(database, r"\(3 in tags\) have no owner", "upgrade", "head")
    database.alembic("-x", "owner=ann@example.com", "upgrade", "head")
    database.alembic("check")
    assert database.sql("SELECT name, owner_id FROM tags ORDER BY name") == [
        ["a", 1],
        ["b", 1],
        ["c", 1],
    ]
    assert database.sql("SELECT count(*) FROM accounts") == [[2]]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_accounts_move_to_a_provider_and_back_and_lose_no_row(
    kind: str, render: Render, open_database: OpenDatabase
) -> None:
    answers = {"mode": "sync", "database": kind, "resources": PLAIN}
    database = open_database(render(auth="tokens", **answers), kind)
    database.alembic("upgrade", "head")
    database.sql(NEW_ACCOUNT["tokens"].format("ann"))
    database.sql("INSERT INTO authors (name, owner_id) VALUES ('Ann', 1)")

    revision = switch(database, render("oidc", auth="oidc", **answers))
    assert "DATA LOSS: accounts.password_hash" in revision
    refused(database, r"rows in accounts \(1\) must be changed or deleted first", "upgrade", "head")
    follow(database, "issuer = ..., subject = ...", "issuer = 'http://localhost:9', subject = 'a'")
    database.alembic("upgrade", "head")
    database.alembic("check")
    who = "SELECT issuer, subject, email FROM accounts JOIN authors ON owner_id = accounts.id"
    assert database.sql(who) == [["http://localhost:9", "a", "ann@example.com"]]
    database.sql("UPDATE accounts SET email = 'Ann@Example.com'")

    revision = switch(database, render("tokens", auth="tokens", **answers))
    assert "DATA LOSS: accounts.subject" in revision
    assert "renamed" not in revision
    refused(database, r"rows in accounts \(1\) must be changed or deleted first", "upgrade", "head")
    follow(database, "email = lower(email)", "email = lower(email)")
    database.alembic("upgrade", "head")
    database.alembic("check")
    who = "SELECT email FROM accounts JOIN authors ON owner_id = accounts.id"
    assert database.sql(who) == [["ann@example.com"]]


def follow(database: Database, old: str, new: str) -> None:
    """Follow the first note with this text in the newest revision: make it code."""
    versions = (database.project / "migrations" / "versions").glob("*.py")
    newest = max(versions, key=lambda path: path.stat().st_mtime_ns)
    text = newest.read_text(encoding="utf-8")
    line = re.search(rf"(?m)^ *# +(op\.execute\(.*{re.escape(old)}.*)$", text)
    assert line
    code = line[1].replace(old, new).replace("email = ...", "email = 'ann@example.com'")
    newest.write_text(text.replace(line[0], f"    {code}", 1), encoding="utf-8")


def test_the_owner_is_given_to_the_development_command(
    render: Render, open_database: OpenDatabase
) -> None:
    answers: dict[str, Any] = {"mode": "sync", "database": "sqlite"}
    database = open_database(render(**answers, resources=PLAIN), "sqlite")
    database.alembic("upgrade", "head")
    database.sql(*ROWS)
    switch(database, render("fresh", **answers, auth="tokens", resources=PLAIN))
    migrate = [str(database.python), "dev.py", "migrate"]
    with pytest.raises(pytest.fail.Exception, match=r"FAILED: rows .* have no owner") as failure:
        run(migrate, database.project, DATABASE_URL=database.url)
    assert "Traceback" not in str(failure.value)
    run([*migrate, "-x", "owner=a@b.example"], database.project, DATABASE_URL=database.url)
    assert database.sql("SELECT DISTINCT owner_id FROM tags") == [[1]]
