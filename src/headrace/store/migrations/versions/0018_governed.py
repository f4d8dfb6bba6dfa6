"""Allowances know what their source says is left, and how much of them is used after a refusal."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Whoever draws by the older code moves `spent_until` alone, and counts nothing of the rest.
ADD = """
ALTER TABLE headrace.allowances
  ADD COLUMN remaining double precision,
  ADD COLUMN most double precision CHECK (most > 0),
  ADD COLUMN window_seconds double precision CHECK (window_seconds > 0),
  ADD COLUMN resets_at timestamptz,
  ADD COLUMN share double precision CHECK (share > 0 AND share <= 1),
  ADD COLUMN share_at timestamptz;
"""

BACK = """
ALTER TABLE headrace.allowances
  DROP COLUMN remaining, DROP COLUMN most, DROP COLUMN window_seconds, DROP COLUMN resets_at,
  DROP COLUMN share, DROP COLUMN share_at;
"""


def upgrade() -> None:
    op.execute(ADD)


def downgrade() -> None:
    op.execute(BACK)
