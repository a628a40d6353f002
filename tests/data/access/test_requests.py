"""Requests about private rows of another account, and about no row, look the same."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from app.db.models import Account, Article, Comment, Folder, Note, Tag
from app.db.scope import Scope, enter
from tests.conftest import Statements

from .conftest import SOFT, Client, World

NOWHERE = 2**40
ETAG = '"1"'
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "if_match": {"headers": {"If-Match": ETAG}},
    "any_match": {"headers": {"If-Match": "*"}},
}
BODIES: dict[str, dict[str, Any]] = {
    "empty": {},
    "title": {"title": "x"},
    "slug_of_theirs": {"slug": "their note"},
    "slug_of_mine": {"slug": "own note"},
    "missing_reference": {"folder_id": NOWHERE},
    "wrong": {"title": ""},
    "unknown": {"owner_id": 1},
}


def requests() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return requests about a note, by name: method, path and options."""
    found: dict[str, tuple[str, str, dict[str, Any]]] = {
        "get": ("GET", "/notes/{}", {}),
        "head": ("HEAD", "/notes/{}", {}),
        "put": ("PUT", "/notes/{}", {}),
        "get_deleted": ("GET", "/notes/{}?include_deleted=true", {}),
        "list_by_folder": ("GET", "/notes?folder_id={}&total=true", {}),
        "list_by_tags": ("GET", "/notes?folder_id={}&folder_id=1&total=true", {}),
        "head_list": ("HEAD", "/notes?folder_id={}", {}),
        "children": ("GET", "/folders?parent_id={}&total=true", {}),
        "post_in": ("POST", "/notes", {"json": {"title": "x", "slug": "x", "folder_id": "{}"}}),
        "post_in_taken": (
            "POST",
            "/notes",
            {"json": {"title": "x", "slug": "own note", "folder_id": "{}"}},
        ),
        "post_child": ("POST", "/folders", {"json": {"name": "x", "parent_id": "{}"}}),
        "restore": ("POST", "/notes/{}/restore", {}),
        "restore_if_match": ("POST", "/notes/{}/restore", OPTIONS["if_match"]),
        "move_to": ("PATCH", "/notes/{own}", {"json": {"folder_id": "{}"}}),
        "move_to_if_match": (
            "PATCH",
            "/notes/{own}",
            {"json": {"folder_id": "{}"}, **OPTIONS["if_match"]},
        ),
        "move_folder": ("PATCH", "/folders/{own_child}", {"json": {"parent_id": "{}"}}),
    }
    for name, options in OPTIONS.items():
        found[f"delete_{name}"] = ("DELETE", "/notes/{}", options)
        for body, json in BODIES.items():
            found[f"patch_{body}_{name}"] = ("PATCH", "/notes/{}", {"json": json, **options})
    return found


REQUESTS = requests()


@pytest.mark.parametrize("name", REQUESTS)
def test_row_of_another_is_like_no_row(name: str, world: World, me: Client) -> None:
    theirs = world.populate()
    method, url, options = REQUESTS[name]
    is_note = url.startswith("/notes/{}")
    key = theirs.note if is_note else theirs.folder

    def see(key: int) -> Any:
        target = url.format(key, own=world.own.note, own_child=world.own.child)
        given = dict(options)
        if "json" in given:
            given["json"] = {k: key if v == "{}" else v for k, v in given["json"].items()}
        return me.see(method, target, **given)

    before = world.snapshot()
    assert see(key) == see(NOWHERE)
    world.mine.expire_all()
    assert world.snapshot() == before


LISTS = [
    "/notes",
    "/notes?total=true",
    "/notes?slug=their%20note&total=true",
    "/notes?slug[gt]=t&total=true",
    "/notes?slug[gte]=their%20note&total=true",
    "/notes?slug[lt]=z&total=true",
    "/notes?tag_id[null]=false&total=true",
    "/notes?article_id[null]=false&total=true",
    "/notes?created_at[gt]=2000-01-01T00:00:00Z&total=true",
    "/notes?sort=-slug&limit=1",
    "/notes?sort=-created_at&limit=1&total=true",
    "/notes?sort=-id&limit=1",
    "/notes?offset=1",
    "/folders?total=true",
    "/folders?name=their%20folder&total=true",
    "/folders?sort=-name&limit=2",
    "/folders?parent_id[null]=true&total=true",
    "/tags",
    "/tags/{tag}",
    "/articles/{article}",
    "/folders/{folder}",
    "/notes/{note}",
]


DELETED = [f"{url}{'&' if '?' in url else '?'}include_deleted=true" for url in LISTS]


@pytest.mark.parametrize("url", LISTS + DELETED if SOFT else LISTS)
def test_private_rows_of_others_change_no_response(url: str, world: World, me: Client) -> None:
    own = world.own
    target = url.format(tag=world.tag, article=own.article, folder=own.folder, note=own.note)
    before = me.see("GET", target)
    theirs = world.populate()
    # What is public shows.
    for row in (Comment, theirs.comment), (Article, theirs.article):
        world.system.execute(
            sa.delete(row[0]).where(row[0].id == row[1]),
            execution_options={"hard_delete": True, "synchronize_session": False},
        )
    assert before[0] == 200
    assert me.see("GET", target) == before


def test_values_of_others_are_free(world: World, me: Client) -> None:
    world.populate()
    body = {"title": "x", "slug": "their note", "folder_id": world.own.folder}
    created = me.send("POST", "/notes", json=body)
    assert created.status_code == 201
    assert me.send("POST", "/folders", json={"name": "their folder"}).status_code == 201
    again = me.send("POST", "/notes", json=body)
    assert again.status_code == 409
    assert "owner" not in again.text
    changed = me.send("PATCH", f"/folders/{world.own.child}", json={"name": "their child"})
    assert changed.status_code == 200


def test_cursor_of_another_shows_own_rows(world: World, me: Client, them: Client) -> None:
    world.populate()
    for url in ("/notes?sort=slug&limit=1", "/folders?sort=name&limit=1", "/folders?limit=1"):
        page = them.send("GET", url).json()
        cursor = page["next_cursor"]
        if cursor is None:
            continue
        seen = me.send("GET", f"{url}&cursor={cursor}").json()
        assert "their" not in str(seen["items"])


def test_public_row_is_like_that_for_every_version(world: World, me: Client) -> None:
    theirs = world.populate()
    url = f"/articles/{theirs.article}"
    for headers in ({}, {"If-Match": ETAG}, {"If-Match": me.send("GET", url).headers["etag"]}):
        for method, body in (("PATCH", {"title": "x"}), ("PATCH", {}), ("DELETE", None)):
            response = me.send(method, url, json=body, headers=headers)
            assert response.status_code == 403
    assert me.send("GET", url).json()["title"] == "their article"


def test_cascade_reaches_rows_of_others(world: World, me: Client, them: Client) -> None:
    theirs = world.populate()
    world.mine.expunge_all()
    assert me.send("DELETE", f"/articles/{world.own.article}").status_code == 204
    for url in (f"/comments/{theirs.comment}", f"/notes/{theirs.note}"):
        assert them.send("GET", url).status_code == 404
        # Its article is not theirs to see either, and the note's is optional.
        deleted = them.send("GET", f"{url}?include_deleted=true").status_code
        assert deleted == (200 if SOFT and "notes" in url else 404)
    if not SOFT:
        return
    assert me.send("GET", f"/comments/{theirs.comment}?include_deleted=true").status_code == 404
    refused = them.send("POST", f"/comments/{theirs.comment}/restore")
    assert refused.status_code == 409
    assert them.send("POST", f"/articles/{world.own.article}/restore").status_code == 404
    assert me.send("POST", f"/articles/{world.own.article}/restore").status_code == 200
    for url in (f"/comments/{theirs.comment}", f"/notes/{theirs.note}"):
        assert them.send("GET", url).status_code == 200
    assert me.send("GET", f"/notes/{theirs.note}").status_code == 404


if SOFT:

    def test_row_deleted_by_another_stays_deleted(world: World, me: Client, them: Client) -> None:
        theirs = world.populate()
        article = world.own.article
        assert them.send("DELETE", f"/comments/{theirs.comment}").status_code == 204
        assert me.send("DELETE", f"/articles/{article}").status_code == 204
        assert me.send("POST", f"/articles/{article}/restore").status_code == 200
        assert them.send("GET", f"/comments/{theirs.comment}").status_code == 404
        shown = me.send("GET", f"/articles/{article}?include_deleted=true").json()
        assert [each["text"] for each in shown["comments"]] == ["own comment"]

    @pytest.mark.parametrize("url", ["/articles", "/comments"])
    def test_deleted_public_rows_are_hidden_in_either_order(
        url: str, world: World, me: Client, them: Client, nobody: Client
    ) -> None:
        theirs = world.populate()
        key = theirs.article if url == "/articles" else theirs.comment
        assert them.send("DELETE", f"{url}/{key}").status_code == 204
        for client in (them, me, nobody, me, them):
            for suffix in ("", "?include_deleted=true", "", "?include_deleted=true"):
                expected = client is them and suffix != ""
                listed = client.send("GET", f"{url}{suffix}").json()["items"]
                assert any(each["id"] == key for each in listed) == expected
                status = client.send("GET", f"{url}/{key}{suffix}").status_code
                assert status == (200 if expected else 404)

    def test_deleted_private_row_of_another_is_like_no_row(
        world: World, me: Client, them: Client
    ) -> None:
        theirs = world.populate()
        assert them.send("DELETE", f"/notes/{theirs.note}").status_code == 204
        for method, suffix in (
            ("GET", "?include_deleted=true"),
            ("POST", "/restore"),
            ("DELETE", ""),
            ("PATCH", ""),
        ):
            body = {"json": {"title": "x"}} if method == "PATCH" else {}
            seen = [
                me.see(method, f"/notes/{key}{suffix}", **body) for key in (theirs.note, NOWHERE)
            ]
            assert seen[0] == seen[1]


def test_deleting_an_account_deletes_its_rows(
    world: World, me: Client, them: Client, statements: Statements
) -> None:
    theirs = world.populate()
    if SOFT:
        assert me.send("DELETE", f"/notes/{world.own.note}").status_code == 204
    with statements.counted() as sent:
        assert me.send("DELETE", "/accounts/me").status_code == 204
    # Only references of a table to itself are cleared: a CHECK may require the others.
    assert {table for each in sent for table in re.findall(r"^UPDATE (\S+)", each)} <= {
        "folders",
        "main.folders",
    }
    world.mine.expunge_all()
    connection = world.system.connection()
    mine = world.mine.info["scope"].account_id
    for model in (Folder, Note, Article, Comment):
        table: Any = model.__table__
        rows = sa.select(table.c.id).where(table.c.owner_id == mine)
        assert connection.execute(rows.execution_options(unscoped=True)).all() == []
    # They were about an article of mine.
    assert them.send("GET", f"/comments/{theirs.comment}").status_code == 404
    assert them.send("GET", f"/notes/{theirs.note}").status_code == 404
    assert them.send("GET", f"/folders/{theirs.folder}").status_code == 200
    assert them.send("GET", f"/articles/{theirs.article}").status_code == 200
    assert them.send("GET", "/accounts/me").status_code == 200
    again = me.send("GET", "/notes")
    if hasattr(Account, "password_hash"):
        assert again.status_code == 401
    else:
        # The provider's token is still valid: the next request with it creates a new account.
        assert again.json()["items"] == []


def test_anonymous_client_reads_public_rows_only(world: World, nobody: Client) -> None:
    theirs = world.populate()
    for url in (f"/articles/{world.own.article}", "/articles", "/comments", "/comments?total=true"):
        text = nobody.send("GET", url).text
        for word in ("note", "folder", "tag"):
            assert f"own {word}" not in text
            assert f"their {word}" not in text
    assert nobody.send("GET", f"/articles/{theirs.article}").json()["notes"] == []


def test_log_names_no_row(world: World, me: Client, caplog: pytest.LogCaptureFixture) -> None:
    theirs = world.populate()
    with caplog.at_level("DEBUG", logger="app"):
        for key in (theirs.note, NOWHERE):
            me.send("GET", f"/notes/{key}")
            me.send("PATCH", f"/notes/{key}", json={"title": "secret"})
    assert "secret" not in caplog.text
    lines = [line.partition(" in ")[0] for line in caplog.messages if "/notes" in line]
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


def test_job_works_for_all(world: World) -> None:
    world.populate()
    titles = set(world.system.scalars(sa.select(Note.title)))
    assert titles == {"own note", "their note"}
    assert world.system.scalar(sa.select(sa.func.count()).select_from(Tag)) == 1
    enter(world.system, Scope.system())
    changed = sa.update(Note).values(title="x").returning(Note.id)
    assert len(world.system.scalars(changed).all()) == 2


def test_white_space_after_a_token_is_ignored(me: Client) -> None:
    # Some servers pass it on.
    token = me.client.headers["Authorization"]
    assert me.send("GET", "/folders", headers={"Authorization": f"{token} "}).status_code == 200
