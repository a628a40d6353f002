"""Guarded columns: dropping one requires an `alembic -x` option while rows have a value in it.

The revision that adds such a column records it in `guards`, with the option and the effect on these
rows.
"""

from collections.abc import Iterable, Iterator

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops

from migrations.rendering import Note, render_note

Guards = dict[str, tuple[str, str]]


class Guard(Note):
    """A check for values in a guarded column that is dropped."""

    def __init__(self, column: str, tables: Iterable[str], option: str, effect: str) -> None:
        """Store the column, the tables that lose it, the option and the effect on their rows."""
        deletes = ", which deletes them permanently" if option.startswith("delete-") else ""
        super().__init__(
            f"Without {column}, rows {effect}. Fails if there are any, unless run with"
            f" `-x {option}=yes`{deletes}."
        )
        self.arguments = (column, sorted(tables), option, effect)


def drop_checks(changes: list[ops.ModifyTableOps], guards: Guards) -> Iterator[Guard]:
    """Yield a check for each guarded column that is dropped."""
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
