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


def upgrade() -> None:
    """Change the schema."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo the change."""
    ${downgrades if downgrades else "pass"}
