"""How much of a collection is loaded along with its owner."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, aliased, selectinload
from sqlalchemy.sql.base import ExecutableOption

NESTED_LIMIT = 100


def first_of(collection: InstrumentedAttribute[Any], owner_id: int) -> ExecutableOption:
    """Load the first rows of one owner's collection, at most NESTED_LIMIT, by one more statement.

    `collection` is the attribute of a one-to-many relationship, such as `User.posts`; the rest of
    the rows is found page by page in the list that is filtered by the owner.
    """
    (key,) = collection.property.remote_side
    child = collection.property.mapper.class_
    row = aliased(child)
    first = (
        select(row.id).where(getattr(row, key.key) == owner_id).order_by(row.id).limit(NESTED_LIMIT)
    )
    return selectinload(collection.and_(child.id.in_(first)))
