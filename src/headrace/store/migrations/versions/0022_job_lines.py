"""What is said of a job is kept with it; and lists of jobs are quick however many there are."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

LINES = """
CREATE TABLE headrace.job_lines (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  line_id bigint GENERATED ALWAYS AS IDENTITY,
  said_at timestamptz NOT NULL,
  level text NOT NULL,
  event text NOT NULL,
  facts jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, job_id, line_id)
);
"""

# As in 0001.
POLICY = """
ALTER TABLE headrace.job_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.job_lines TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
REVOKE ALL ON headrace.job_lines FROM headrace_people;
GRANT SELECT ON headrace.job_lines TO headrace_people;
"""

# A list of one status or one source, which may be rare among many; the counts by status. Batches
# are written in the order of their time, so that this index costs next to nothing.
INDEXES = """
CREATE INDEX jobs_by_status ON headrace.jobs (tenant_id, status, created_at, job_id)
  INCLUDE (user_id);
CREATE INDEX jobs_by_kind ON headrace.jobs (tenant_id, kind, created_at, job_id);
CREATE INDEX jobs_by_source ON headrace.jobs (tenant_id, connection_id, created_at, job_id);
CREATE INDEX batches_times ON headrace.batches USING brin (committed_at);
"""


def upgrade() -> None:
    op.execute(LINES)
    op.execute(POLICY)
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute("DROP INDEX headrace.batches_times, headrace.jobs_by_source")
    op.execute("DROP INDEX headrace.jobs_by_kind, headrace.jobs_by_status")
    op.execute("DROP TABLE headrace.job_lines")
