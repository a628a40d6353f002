"""Columns that are dropped only with an option of `alembic -x`, while rows have a value in them.

A revision that adds such columns records them in `guards`: for each the option, and what would
happen to these rows.
"""

from collections.abc import Iterable, Iterator

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops

from migrations.rendering import Note, render_note

Guards = dict[str, tuple[str, str]]


class Guard(Note):
    """A call that fails if rows have a value in a column that is dropped, unless that is allowed."""

    def __init__(self, column: str, tables: Iterable[str], option: str, effect: str) -> None:
        """Store the column, the tables that lose it, the option and what happens without it."""
        deletes = ", which deletes them permanently" if option.startswith("delete-") else ""
        super().__init__(
            f"Without {column} rows {effect}. Fails if there are any, unless run with"
            f" `-x {option}=yes`{deletes}."
        )
        self.arguments = (column, sorted(tables), option, effect)


def drop_checks(changes: list[ops.ModifyTableOps], guards: Guards) -> Iterator[Guard]:
    """Check for rows that have a value in a guarded column before it is dropped."""
    tables: dict[str, list[str]] = {}
    for change in changes:
        for op in change.ops:
            if isinstance(op, ops.DropColumnOp) and op.column_name in guards:
                tables.setdefault(op.column_name, []).append(change.table_name)
    for column, names in sorted(tables.items()):
        yield Guard(column, names, *guards[column])


@renderers.dispatch_for(Guard)
def _render_guard(context: AutogenContext, op: Guard) -> list[str]:
    context.imports.add("from migrations.checks import refuse_drop")
    return [*render_note(context, op), f"refuse_drop{op.arguments!r}"]
