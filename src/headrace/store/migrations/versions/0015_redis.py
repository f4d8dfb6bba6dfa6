"""What was asked for through Redis, what is to be told there, and what the schedule asked there."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE headrace.redis_entries (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  entry_id text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  job_ids text[] COLLATE "C" NOT NULL DEFAULT '{}',
  taken_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, entry_id, digest)
);
CREATE INDEX redis_entries_jobs ON headrace.redis_entries USING gin (job_ids);
CREATE INDEX redis_entries_taken ON headrace.redis_entries (taken_at);

CREATE TABLE headrace.redis_completions (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY,
  job_id text COLLATE "C" NOT NULL,
  turn integer NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, number)
);
CREATE INDEX redis_completions_order ON headrace.redis_completions (number);

CREATE TABLE headrace.redis_offers (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  offered_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, connection_id)
);
CREATE INDEX redis_offers_age ON headrace.redis_offers (offered_at);

CREATE TABLE headrace.redis_servers (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  address text COLLATE "C" NOT NULL,
  named_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, address)
);
"""

NAMES = ("redis_entries", "redis_completions", "redis_offers", "redis_servers")

POLICY = """
ALTER TABLE headrace.{table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.{table} TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in NAMES:
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    for table in NAMES:
        op.execute(f"DROP TABLE headrace.{table}")
