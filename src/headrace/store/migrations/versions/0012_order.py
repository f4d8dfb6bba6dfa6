"""The order of work, how long it may take, what it has ended, and which queue stands still."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

ORDER = """
ALTER TABLE headrace.jobs
  ADD lane text NOT NULL DEFAULT 'interactive'
    CHECK (lane IN ('interactive', 'incremental', 'backfill', 'reconcile')),
  ADD deadline_seconds integer CHECK (deadline_seconds > 0),
  ADD deadline_at timestamptz,
  ADD deaths integer NOT NULL DEFAULT 0,
  ADD deaths_after bigint;
CREATE INDEX jobs_deadline ON headrace.jobs (deadline_at)
  WHERE status IN ('PENDING', 'RUNNING') AND deadline_at IS NOT NULL;
"""

# The service's own, as workers are: it belongs to no tenant.
ALARMS = """
CREATE TABLE headrace.queue_alarms (
  tenant_id text COLLATE "C" NOT NULL DEFAULT 'service',
  queue text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL DEFAULT 'service',
  said_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, queue)
);
ALTER TABLE headrace.queue_alarms ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.queue_alarms TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""


def upgrade() -> None:
    op.execute(ORDER)
    op.execute(ALARMS)


def downgrade() -> None:
    op.execute("DROP TABLE headrace.queue_alarms")
    for column in ("lane", "deadline_seconds", "deadline_at", "deaths", "deaths_after"):
        op.execute(f"ALTER TABLE headrace.jobs DROP {column}")
