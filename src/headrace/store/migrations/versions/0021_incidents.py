"""Incidents: what rules have found wrong, since when, and who has been told."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Of one rule and subject, one incident is open at a time: whoever finds it again adds nothing.
INCIDENTS = """
CREATE TABLE headrace.incidents (
  tenant_id text COLLATE "C" NOT NULL,
  incident_id text COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
  user_id text COLLATE "C" NOT NULL,
  rule text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  said text NOT NULL,
  hint text NOT NULL,
  link text NOT NULL,
  raised_at timestamptz NOT NULL DEFAULT now(),
  over_at timestamptz,
  ended text,
  acknowledged_at timestamptz,
  acknowledged_by text COLLATE "C",
  snoozed_until timestamptz,
  PRIMARY KEY (tenant_id, incident_id)
);
CREATE UNIQUE INDEX incidents_open ON headrace.incidents (tenant_id, rule, subject)
  WHERE over_at IS NULL;
CREATE INDEX incidents_listing ON headrace.incidents (tenant_id, raised_at DESC, incident_id DESC);
CREATE INDEX incidents_over ON headrace.incidents (over_at) WHERE over_at IS NOT NULL;
ALTER TABLE headrace.incidents ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.incidents TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
GRANT SELECT, UPDATE (acknowledged_at, acknowledged_by, snoozed_until) ON headrace.incidents
  TO headrace_people;
"""

# The service's own: when each rule was last looked at, and by which channel of the operator's who
# has been told what. A channel's name tells nothing of its address.
TOLD = """
CREATE TABLE headrace.alert_looks (
  tenant_id text COLLATE "C" NOT NULL DEFAULT 'service',
  rule text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL DEFAULT 'service',
  looked_at timestamptz NOT NULL DEFAULT now(),
  subjects integer NOT NULL,
  since timestamptz,
  PRIMARY KEY (tenant_id, rule)
);
CREATE TABLE headrace.alert_deliveries (
  tenant_id text COLLATE "C" NOT NULL,
  delivery_id text COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
  user_id text COLLATE "C" NOT NULL,
  incident_id text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL CHECK (event IN ('alert.raised', 'alert.over')),
  channel text COLLATE "C" NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  asked_at timestamptz NOT NULL DEFAULT now(),
  told_at timestamptz,
  answer text,
  PRIMARY KEY (tenant_id, delivery_id)
);
CREATE UNIQUE INDEX alert_deliveries_once ON headrace.alert_deliveries
  (tenant_id, incident_id, channel, event);
CREATE INDEX alert_deliveries_due ON headrace.alert_deliveries (due_at) WHERE state = 'pending';
CREATE INDEX alert_deliveries_log ON headrace.alert_deliveries (asked_at DESC);
ALTER TABLE headrace.alert_looks ENABLE ROW LEVEL SECURITY;
ALTER TABLE headrace.alert_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.alert_looks TO headrace_people USING (
  tenant_id = nullif(current_setting('headrace.tenant', true), ''));
CREATE POLICY owner_only ON headrace.alert_deliveries TO headrace_people USING (
  tenant_id = nullif(current_setting('headrace.tenant', true), ''));
REVOKE ALL ON headrace.alert_looks, headrace.alert_deliveries FROM headrace_people;
"""

# What records of a stream look like, as samples of its batches have shown up to `batch_id`.
SHAPES = """
CREATE TABLE headrace.stream_shapes (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  shape jsonb NOT NULL,
  batch_id bigint NOT NULL,
  drift jsonb,
  drifted_at timestamptz,
  looked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, stream_id)
);
CREATE INDEX stream_shapes_drifted ON headrace.stream_shapes (drifted_at)
  WHERE drift IS NOT NULL;
ALTER TABLE headrace.stream_shapes ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.stream_shapes TO headrace_people USING (
  tenant_id = nullif(current_setting('headrace.tenant', true), ''));
REVOKE ALL ON headrace.stream_shapes FROM headrace_people;
"""

# What the rules read: new dead letters of a stream, and jobs that failed without a source.
INDEXES = """
CREATE INDEX dead_letters_new ON headrace.dead_letters (stream_id, created_at)
  WHERE state = 'open';
CREATE INDEX dead_letters_of_jobs ON headrace.dead_letters (tenant_id, user_id, dead_letter_id)
  WHERE state = 'open' AND stage = 'job';
"""


def upgrade() -> None:
    for part in (INCIDENTS, TOLD, SHAPES, INDEXES):
        op.execute(part)


def downgrade() -> None:
    op.execute("DROP INDEX headrace.dead_letters_new, headrace.dead_letters_of_jobs")
    op.execute("DROP TABLE headrace.stream_shapes, headrace.alert_deliveries")
    op.execute("DROP TABLE headrace.alert_looks, headrace.incidents")
