"""What stages have done lately is found by time, without reading all they ever did."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# The table grows in the order of time: an entry for each few pages is enough, and costs a run next
# to nothing. What has not been summed up yet is read whole.
ADD = """
CREATE INDEX stage_runs_by_time ON headrace.stage_runs USING brin (finished_at)
  WITH (pages_per_range = 16, autosummarize = on);
"""

BACK = "DROP INDEX headrace.stage_runs_by_time"


def upgrade() -> None:
    op.execute(ADD)


def downgrade() -> None:
    op.execute(BACK)
