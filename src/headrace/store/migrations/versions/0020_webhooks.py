"""Webhooks and what they are told; batches are numbered in the order they are told of."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# `key_user` is whose rows an endpoint is told of; null: the whole tenant's. `failures` counts the
# attempts since one got through, and `quiet_until` is when it is tried again. `secrets` is sealed.
WEBHOOKS = """
CREATE TABLE headrace.webhooks (
  tenant_id text COLLATE "C" NOT NULL,
  webhook_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  key_user text COLLATE "C",
  url text NOT NULL,
  name text,
  events text[] NOT NULL,
  secrets bytea NOT NULL,
  trusted boolean NOT NULL DEFAULT false,
  paused boolean NOT NULL DEFAULT false,
  reason text,
  failures integer NOT NULL DEFAULT 0,
  quiet_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, webhook_id)
);
CREATE UNIQUE INDEX webhooks_id ON headrace.webhooks (webhook_id);

-- One message to one endpoint. `message_id` is what the receiver knows it by, however often it is
-- sent. `asked_at` is when it was last asked for: it is tried for so long from then on.
CREATE TABLE headrace.webhook_deliveries (
  tenant_id text COLLATE "C" NOT NULL,
  delivery_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text COLLATE "C" NOT NULL,
  webhook_id text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  data jsonb NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT now(),
  status integer,
  answer text,
  took_ms integer,
  history jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT now(),
  asked_at timestamptz NOT NULL DEFAULT now(),
  tried_at timestamptz,
  delivered_at timestamptz,
  PRIMARY KEY (tenant_id, delivery_id)
);
-- Of what is told of one subject, the oldest goes first.
CREATE INDEX webhook_deliveries_due ON headrace.webhook_deliveries
  (webhook_id, subject, delivery_id) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_next ON headrace.webhook_deliveries (next_at)
  WHERE state = 'pending';
CREATE INDEX webhook_deliveries_log ON headrace.webhook_deliveries
  (tenant_id, webhook_id, delivery_id);
CREATE INDEX webhook_deliveries_over ON headrace.webhook_deliveries (tried_at)
  WHERE state <> 'pending';
ALTER TABLE headrace.webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.02);
"""

# Who sees one user's rows only does not see, or change, what is told of the whole tenant.
POLICY = """
ALTER TABLE headrace.webhooks ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.webhooks TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (key_user = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
ALTER TABLE headrace.webhook_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.webhook_deliveries TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL)
  -- Under the policy of the webhooks themselves.
  AND webhook_id IN (SELECT webhook_id FROM headrace.webhooks));
GRANT SELECT, INSERT, UPDATE, DELETE ON headrace.webhooks, headrace.webhook_deliveries
  TO headrace_people;
"""

# The number says where a batch stands in the feed. Landing does not draw it: whoever reads does,
# alone and after the commit, so that numbers are seen in their order.
FEED = """
ALTER TABLE headrace.batches ADD COLUMN feed bigint;
CREATE SEQUENCE headrace.feed AS bigint;
CREATE INDEX batches_unnumbered ON headrace.batches (batch_id) WHERE feed IS NULL AND inserted > 0;
CREATE INDEX batches_feed ON headrace.batches (tenant_id, feed) WHERE feed IS NOT NULL;
"""

BACK = """
DROP TABLE headrace.webhook_deliveries, headrace.webhooks;
DROP INDEX headrace.batches_unnumbered, headrace.batches_feed;
ALTER TABLE headrace.batches DROP feed;
DROP SEQUENCE headrace.feed;
"""


def upgrade() -> None:
    for part in (WEBHOOKS, POLICY, FEED):
        op.execute(part)


def downgrade() -> None:
    op.execute(BACK)
