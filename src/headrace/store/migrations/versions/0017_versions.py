"""Workers say which version of the workflows they run, so that what a version left is seen."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Whoever registers without saying so runs a Headrace from before this, and those had one version.
ADD = "ALTER TABLE headrace.workers ADD COLUMN version text NOT NULL DEFAULT 'headrace-1'"

BACK = "ALTER TABLE headrace.workers DROP COLUMN version"


def upgrade() -> None:
    op.execute(ADD)


def downgrade() -> None:
    op.execute(BACK)
