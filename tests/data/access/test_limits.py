"""What app/db/scope.py says that it does not see; the guard of the tests sees some of it."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from app.db.models import Folder, Note, Tag
from sqlalchemy import orm, select

from .conftest import World

NOTES: Any = Note.__table__

SEEN_BY_THE_GUARD: dict[str, Callable[[orm.Session], Any]] = {
    "connection": lambda session: session.connection().execute(select(NOTES)),
    "table": lambda session: session.execute(select(Tag.name, NOTES.c.title).join(NOTES)),
    "table_of_its_own": lambda session: session.execute(
        select(Tag.name).where(Tag.id.in_(select(NOTES.c.tag_id).where(Tag.id > 0)))
    ),
    "literal_column": lambda session: session.execute(
        select(Tag.name, sa.literal_column("(SELECT max(title) FROM notes)"))
    ),
    "class_to_itself": lambda session: session.execute(
        select(Folder.name).where(Folder.children.any(Folder.name == "their child"))
    ),
}


@pytest.mark.parametrize("name", SEEN_BY_THE_GUARD)
def test_guard_refuses(name: str, world: World) -> None:
    with pytest.raises(AssertionError, match="SELECT"):
        SEEN_BY_THE_GUARD[name](world.mine)


def test_operators_are_not_read(world: World) -> None:
    world.populate()
    everything = Note.id.op("> 0 OR 1 =", precedence=20, is_comparison=True)(1)
    assert "their note" in world.mine.scalars(select(Note.title).where(everything)).all()


def test_object_made_to_look_loaded_is_believed(world: World) -> None:
    theirs = world.populate()
    mine = world.mine.info["scope"].account_id
    note = Note(id=theirs.note, title="x", slug="x", owner_id=mine)
    orm.make_transient_to_detached(note)
    world.mine.add(note)
    note.title = "y"
    world.mine.flush()
    assert "y" in str(world.snapshot()["notes"])


def test_what_an_unscoped_statement_loads_stays_in_the_session(world: World) -> None:
    theirs = world.populate()
    everything = select(Note).execution_options(unscoped=True)
    loaded = world.mine.scalars(everything).all()
    assert len(loaded) == 2
    assert world.mine.get(Note, theirs.note) is not None
    world.mine.expunge_all()
    assert world.mine.get(Note, theirs.note) is None
