"""Changes to the values of enum columns, which the database stores as plain text.

Each revision records the values after it in `choices`; an empty list means any text.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.script import ScriptDirectory

from migrations.rendering import Check, Note, quote, update

Choices = dict[str, list[str]]


class ChangeChoices(ops.MigrateOperation):
    """The values of the enum columns that change, before and after."""

    def __init__(self, before: Choices, after: Choices) -> None:
        """Store the values by `table.column`."""
        self.before = before
        self.after = after

    def reverse(self) -> "ChangeChoices":
        """Return the operation that undoes this one."""
        return ChangeChoices(self.after, self.before)

    def to_diff_tuple(self) -> tuple[str, Choices, Choices]:
        """Return what `alembic check` reports."""
        return ("change_choices", self.before, self.after)


@comparators.dispatch_for("schema")
def _compare(context: AutogenContext, upgrade: ops.UpgradeOps, _schemas: set[str | None]) -> None:
    """Compare the models' enums with those that the revisions recorded."""
    recorded = read_recorded(context.opts["script"], "choices")
    current = {
        f"{table.name}.{column.name}": list(column.type.enums)
        for table in context.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.Enum) and not column.type.native_enum
    }
    changed = {
        key
        for key in recorded.keys() | current.keys()
        if set(recorded.get(key, [])) != set(current.get(key, []))
    }
    if changed:
        before = {key: recorded.get(key, []) for key in sorted(changed)}
        after = {key: current.get(key, []) for key in sorted(changed)}
        upgrade.ops.append(ChangeChoices(before, after))


def read_recorded(script: ScriptDirectory, name: str) -> dict[str, Any]:
    """Merge the dictionaries of this name in all revisions; newer values win."""
    values: dict[str, Any] = {}
    for revision in script.walk_revisions():
        values = getattr(revision.module, name, {}) | values
    return values


def explain(change: ChangeChoices, added: set[str]) -> Iterator[Note]:
    """Describe the change, and check for other values in columns that were not added with it."""
    for key, values in change.after.items():
        before = change.before[key]
        if key in added or not values:
            continue
        if before and set(before) <= set(values):
            more = ", ".join(_literal(value) for value in values if value not in before)
            yield Note(f"{key} can now also be {more}.")
            continue
        yield _check(key, values)


def explain_renamed(change: ChangeChoices, old: str, new: str) -> Iterator[Note]:
    """Check for values that only the old one of two columns could have, if it was renamed."""
    before, after = change.before.get(old, []), change.after.get(new, [])
    if after and not (before and set(before) <= set(after)):
        yield _check(new, after)


def _check(key: str, values: list[str]) -> Check:
    """Return the check that a column has one of these values."""
    table, _, column = key.partition(".")
    allowed = ", ".join(map(_literal, values))
    condition = f"{quote(column)} NOT IN ({allowed})"
    return Check(
        f"{key} can only be {allowed}. This fails while rows have other values, which the"
        " application cannot read. Change them first, here:\n"
        f"    {update(table, quote(column), condition, _literal(values[0]))}",
        table,
        condition,
    )


def _literal(value: str) -> str:
    """Quote a value for SQL."""
    return "'" + value.replace("'", "''") + "'"
