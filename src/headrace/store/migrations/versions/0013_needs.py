"""Jobs that wait for other jobs."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
-- `waits`: not on the queue yet, for jobs that it needs are not over, or its connection has another
-- one under way. `stopped_by`: the job because of which it was cancelled, where no person did it.
ALTER TABLE headrace.jobs
  ADD COLUMN waits boolean NOT NULL DEFAULT false,
  ADD COLUMN stopped_by text COLLATE "C",
  ADD CONSTRAINT jobs_waits CHECK (NOT waits OR status = 'PENDING');
-- One job at a time per connection; any number may wait for their turn.
DROP INDEX headrace.jobs_active;
CREATE UNIQUE INDEX jobs_active ON headrace.jobs (tenant_id, connection_id)
  WHERE status IN ('PENDING', 'RUNNING') AND NOT waits AND connection_id IS NOT NULL;
CREATE INDEX jobs_waiting ON headrace.jobs (tenant_id, connection_id) WHERE waits;

-- What a job waits for. `regardless`: until it is over, whatever came of it; else until it has
-- succeeded.
CREATE TABLE headrace.job_needs (
  tenant_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  needs_job_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  regardless boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, job_id, needs_job_id)
);
CREATE INDEX job_needs_of ON headrace.job_needs (tenant_id, needs_job_id);
"""

# As in 0001.
POLICY = """
ALTER TABLE headrace.job_needs ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.job_needs TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
GRANT SELECT ON headrace.job_needs TO headrace_people;
"""

# Nobody would set free what waits.
BACK = """
DROP TABLE headrace.job_needs;
UPDATE headrace.jobs SET status = 'CANCELLED', completed_at = now(), waits = false WHERE waits;
DROP INDEX headrace.jobs_active;
DROP INDEX headrace.jobs_waiting;
ALTER TABLE headrace.jobs DROP COLUMN waits, DROP COLUMN stopped_by;
CREATE UNIQUE INDEX jobs_active ON headrace.jobs (tenant_id, connection_id)
  WHERE status IN ('PENDING', 'RUNNING') AND connection_id IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(POLICY)


def downgrade() -> None:
    op.execute(BACK)
