"""Owners in revisions: existing rows get one, and none is dropped by accident.

Revisions call the first two functions. Keep this file: old revisions import it.
"""

import logging
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from alembic import context, op
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.util import CommandError

from migrations.rendering import Note, render_note

logger = logging.getLogger("alembic.ownership")

# The owner column, and the table that it references.
_OWNER, _OWNERS = "owner_id", "accounts"


def give_rows_an_owner(column: str, tables: list[str], target: str, keys: list[str]) -> None:
    """Set this column of these tables, where it is NULL, to the row of `target` named by options.

    `alembic -x owner=VALUE` is the value of the last key, which identifies that row together with
    the other keys; they default to what env.py configures. The row is created if it does not exist.
    Raises CommandError if there are rows without an owner, and an option is missing.
    """
    connection = op.get_bind()
    missing = {table: sa.column(column).is_(None) for table in tables}
    found = _count(connection, missing)
    if not found:
        return
    given = context.get_x_argument(as_dictionary=True)
    owner_key = keys[-1]
    name = given.get("owner", "").strip()
    values = {key: given.get(key) or op.get_context().opts.get(key) for key in keys[:-1]}
    if not name or not all(values.values()):
        options = [f"-x {key}={key.upper()}" for key in values if not values[key]]
        words = " ".join([*options, f"-x owner={owner_key.upper()}"])
        msg = f"rows ({found}) have no owner; run this with `{words}`: `dev.py migrate {words}`"
        raise CommandError(msg)
    if owner_key == "email":
        name = name.lower()
        if "@" not in name:
            msg = f"{name!r} is not an e-mail address"
            raise CommandError(msg)
    values[owner_key] = name
    owners = sa.table(target, sa.column("id"), *map(sa.column, keys))
    wanted = sa.select(owners.c.id).filter_by(**values)
    owner = connection.scalar(wanted)
    if owner is None:
        connection.execute(sa.insert(owners).values(values))
        owner = connection.scalar(wanted)
        logger.info("Created %s in %s", name, target)
    for table_name, where in missing.items():
        table = sa.table(table_name, sa.column(column))
        connection.execute(sa.update(table).where(where).values({column: owner}))
    logger.info("Set the owner of rows (%s) to %s", found, name)


def leave_no_owned_rows(column: str, tables: list[str]) -> None:
    """Check that these tables have no rows, so that this column can be dropped.

    Raises CommandError if they have, unless run with `alembic -x drop-owners=yes`.
    """
    found = _count(op.get_bind(), {name: sa.true() for name in tables})
    if found and context.get_x_argument(as_dictionary=True).get("drop-owners") != "yes":
        msg = (
            f"without {column} rows ({found}) would belong to nobody, and more people could see or"
            " change them; to let this happen, run this with `-x drop-owners=yes`, as in"
            " `dev.py migrate -x drop-owners=yes`"
        )
        raise CommandError(msg)


def _count(connection: sa.Connection, tables: Mapping[str, sa.ColumnElement[bool]]) -> str:
    """Return how many rows of each table meet its condition, such as "2 in books"."""
    counts = {
        name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name)).where(where))
        for name, where in tables.items()
    }
    return ", ".join(f"{count} in {name}" for name, count in counts.items() if count)


class OwnersCheck(Note):
    """A call that fails if dropping a column would leave rows without an owner."""

    def __init__(self, column: str, tables: Iterable[str]) -> None:
        """Store the column and the tables that lose it."""
        super().__init__(
            f"Without {column} rows belong to nobody, and more people can see or change them. Fails"
            " if there are any, unless run with `-x drop-owners=yes`:"
            " `alembic -x drop-owners=yes upgrade head` (or downgrade)."
        )
        self.column = column
        self.tables = sorted(tables)


def loses_owner(change: ops.ModifyTableOps, op: ops.MigrateOperation) -> bool:
    """Whether this drops the owner column."""
    constraints = [op.to_constraint() for op in change.ops if isinstance(op, ops.DropConstraintOp)]
    return isinstance(op, ops.DropColumnOp) and any(
        isinstance(key, sa.ForeignKeyConstraint)
        and key.column_keys == [op.column_name] == [_OWNER]
        and key.elements[0].target_fullname == f"{_OWNERS}.id"
        for key in constraints
    )


def owners_check(changes: list[ops.ModifyTableOps]) -> list[OwnersCheck]:
    """Check for rows before the owner column is dropped."""
    tables = [
        change.table_name for change in changes if any(loses_owner(change, op) for op in change.ops)
    ]
    return [OwnersCheck(_OWNER, tables)] if tables else []


@renderers.dispatch_for(OwnersCheck)
def _render_owners_check(context: AutogenContext, op: OwnersCheck) -> list[str]:
    context.imports.add("from migrations.ownership import leave_no_owned_rows")
    return [*render_note(context, op), f"leave_no_owned_rows({op.column!r}, {op.tables!r})"]
