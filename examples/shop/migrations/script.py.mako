"""${message}.

Revision ID: ${up_revision}
% if down_revision:
Revises: ${down_revision | comma,n}
% endif
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | tuple[str, ...] | None = ${repr(down_revision)}
branch_labels: str | tuple[str, ...] | None = ${repr(branch_labels)}
depends_on: str | tuple[str, ...] | None = ${repr(depends_on)}
% if choices:
# Values of the enum columns that change, for autogenerate to compare with the models.
choices: dict[str, list[str]] = ${choices}
% endif
% if guards:
# Guarded columns: the `alembic -x` option that allows dropping each, and the effect on its rows.
guards: dict[str, tuple[str, str]] = ${guards}
% endif


def upgrade() -> None:
    """Change the schema."""
    # Fail fast instead of queueing all traffic behind this lock.
    op.execute("SET LOCAL lock_timeout = '3s'")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo the change."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    ${downgrades if downgrades else "pass"}
