"""Tokens belong to their account alone."""

import datetime as dt

from app.db.models import Token

from .conftest import Client, World


def test_token_of_another_is_like_no_token(world: World, me: Client) -> None:
    other = world.others.info["scope"].account_id
    token = Token(account_id=other, digest="x", expires_at=dt.datetime.now(dt.UTC))
    world.others.add(token)
    world.others.flush()
    assert me.see("DELETE", f"/tokens/{token.id}") == me.see("DELETE", f"/tokens/{2**40}")
    world.others.refresh(token)


def test_tokens_of_others_are_not_listed(world: World, me: Client, them: Client) -> None:
    mine = {each["id"] for each in me.send("GET", "/tokens").json()}
    theirs = {each["id"] for each in them.send("GET", "/tokens").json()}
    assert mine
    assert theirs
    assert not mine & theirs
    assert world.own
