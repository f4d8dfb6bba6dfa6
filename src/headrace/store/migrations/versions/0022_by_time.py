"""What was landed and worked on lately is found by time, without reading all there ever was."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0019"
branch_labels = None
depends_on = None

# Both tables grow in the order of time: an entry for each few pages is enough, and costs a commit
# next to nothing. What has not been summed up yet is read whole.
ADD = """
CREATE INDEX batches_by_time ON headrace.batches USING brin (committed_at)
  WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX stage_runs_by_time ON headrace.stage_runs USING brin (finished_at)
  WITH (pages_per_range = 16, autosummarize = on);
"""

BACK = "DROP INDEX headrace.batches_by_time, headrace.stage_runs_by_time"


def upgrade() -> None:
    op.execute(ADD)


def downgrade() -> None:
    op.execute(BACK)
