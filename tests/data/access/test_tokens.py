"""Tokens of another account cannot be seen, revoked or written."""

import contextlib
import datetime as dt

import sqlalchemy as sa
from app.db.models import Note, Token
from app.db.scope import ScopeError

from .conftest import Client, World


def test_token_of_another_is_like_no_token(world: World, me: Client) -> None:
    other = world.others.info["scope"].account_id
    token = Token(account_id=other, digest="x", expires_at=dt.datetime.now(dt.UTC))
    world.others.add(token)
    world.others.flush()
    assert me.see("DELETE", f"/tokens/{token.id}") == me.see("DELETE", f"/tokens/{2**40}")
    world.others.refresh(token)


def test_tokens_of_others_are_not_listed(me: Client, them: Client) -> None:
    mine = {each["id"] for each in me.send("GET", "/tokens").json()}
    theirs = {each["id"] for each in them.send("GET", "/tokens").json()}
    assert mine
    assert theirs
    assert not mine & theirs


def test_rows_of_others_are_not_copied_into_tokens(world: World) -> None:
    world.populate()
    copied = sa.insert(Token).from_select(
        ["account_id", "digest", "expires_at"],
        sa.select(Note.owner_id, Note.title, Note.created_at),
    )
    with contextlib.suppress(ScopeError), world.mine.begin_nested():
        world.mine.execute(copied)
    tokens = sa.select(Token.digest).execution_options(unscoped=True)
    assert "their" not in str(world.system.connection().execute(tokens).all())
