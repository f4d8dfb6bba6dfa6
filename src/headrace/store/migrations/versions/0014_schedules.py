"""Schedules: what is done again and again, connections' own cadence included."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE = """
-- `spec` is as somebody wrote it; `every_seconds` is what it means at this moment, where it is no
-- cron. `key_user` is whose rows it is about; null: the whole tenant's. Whoever finds it due moves
-- `next_at` and makes the jobs in one transaction.
CREATE TABLE headrace.schedules (
  tenant_id text COLLATE "C" NOT NULL,
  schedule_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  name text,
  kind text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C",
  key_user text COLLATE "C",
  payload jsonb NOT NULL DEFAULT '{}',
  spec text NOT NULL,
  timezone text NOT NULL DEFAULT 'UTC',
  jitter integer CHECK (jitter >= 0),
  missed text NOT NULL DEFAULT 'once' CHECK (missed IN ('once', 'all', 'skip')),
  paused boolean NOT NULL DEFAULT false,
  every_seconds integer CHECK (every_seconds > 0),
  history jsonb,
  next_at timestamptz NOT NULL,
  last_at timestamptz,
  last_job_id text COLLATE "C",
  left_out integer NOT NULL DEFAULT 0,
  last_error text,
  hint text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, schedule_id)
);
CREATE UNIQUE INDEX schedules_connection ON headrace.schedules (tenant_id, connection_id)
  WHERE connection_id IS NOT NULL;
CREATE INDEX schedules_due ON headrace.schedules (next_at) WHERE NOT paused;

INSERT INTO headrace.schedules (tenant_id, schedule_id, user_id, kind, connection_id, spec,
  every_seconds, next_at)
SELECT tenant_id, gen_random_uuid()::text, user_id, 'sync', connection_id,
  'every ' || CASE WHEN every_seconds % 86400 = 0 THEN every_seconds / 86400 || 'd'
    WHEN every_seconds % 3600 = 0 THEN every_seconds / 3600 || 'h'
    WHEN every_seconds % 60 = 0 THEN every_seconds / 60 || 'm' ELSE every_seconds || 's' END,
  every_seconds, coalesce(next_sync_at, now())
FROM headrace.connections WHERE every_seconds IS NOT NULL;

DROP INDEX headrace.connections_due;
ALTER TABLE headrace.connections DROP every_seconds, DROP next_sync_at;
"""

# Who sees one user's rows only does not see, or change, what is done for the whole tenant.
POLICY = """
ALTER TABLE headrace.schedules ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.schedules TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND ((user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
        AND (connection_id IS NOT NULL OR key_user = user_id))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
GRANT SELECT, INSERT, UPDATE, DELETE ON headrace.schedules TO headrace_people;
"""

BACK = """
ALTER TABLE headrace.connections
  ADD every_seconds integer CHECK (every_seconds > 0),
  ADD next_sync_at timestamptz;
UPDATE headrace.connections c SET every_seconds = s.every_seconds, next_sync_at = s.next_at
FROM headrace.schedules s
WHERE s.tenant_id = c.tenant_id AND s.connection_id = c.connection_id AND NOT s.paused;
CREATE INDEX connections_due ON headrace.connections (next_sync_at)
  WHERE every_seconds IS NOT NULL AND health IN ('active', 'error');
DROP TABLE headrace.schedules;
"""


def upgrade() -> None:
    for part in (TABLE, POLICY):
        op.execute(part)


def downgrade() -> None:
    op.execute(BACK)
