"""Accounts: grants and the consents they come from, allowances of calls, schedules, listings."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ACCOUNTS = """
-- What the owner of an account has consented to. Several connections may use one grant; whoever
-- refreshes it holds its row. `tokens` is sealed; it is NULL where another application keeps them,
-- under `external_id`. Times are this database's own, whatever the clocks of workers say.
CREATE TABLE headrace.grants (
  tenant_id text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  issuer text NOT NULL,
  account text NOT NULL,
  scopes text[] NOT NULL,
  tokens bytea,
  external_id text,
  expires_at timestamptz,
  refreshed_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, grant_id)
);
CREATE UNIQUE INDEX grants_account ON headrace.grants (tenant_id, user_id, issuer, account);

-- Somebody was sent to an issuer and has not come back yet. The state in the address is a secret of
-- the browser's: only its hash is kept.
CREATE TABLE headrace.consents (
  tenant_id text COLLATE "C" NOT NULL,
  state_hash bytea NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  issuer text NOT NULL,
  asked json NOT NULL,
  verifier bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, state_hash)
);
CREATE UNIQUE INDEX consents_state ON headrace.consents (state_hash);

-- Token buckets that all workers draw from: `spent_until` is when all that was drawn is paid off.
CREATE TABLE headrace.allowances (
  tenant_id text COLLATE "C" NOT NULL,
  allowance text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  spent_until timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, allowance)
);

ALTER TABLE headrace.connections
  ADD account text,
  ADD grant_id text COLLATE "C",
  ADD every_seconds integer CHECK (every_seconds > 0),
  ADD next_sync_at timestamptz;
CREATE INDEX connections_grant ON headrace.connections (tenant_id, grant_id);
CREATE INDEX connections_due ON headrace.connections (next_sync_at)
  WHERE every_seconds IS NOT NULL AND health IN ('active', 'error');
"""

SEEN = """
-- What a listing of everything that a stream has, under way at this moment, has named.
CREATE TABLE headrace.seen (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (stream_id, source_id, tenant_id)
);
"""

TABLES = ["grants", "consents", "allowances", "seen"]

# As in 0001.
POLICY = """
ALTER TABLE headrace.{table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.{table} TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""


def upgrade() -> None:
    for part in (ACCOUNTS, SEEN):
        op.execute(part)
    for table in TABLES:
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    op.execute("DROP INDEX headrace.connections_due, headrace.connections_grant")
    op.execute(
        "ALTER TABLE headrace.connections DROP account, DROP grant_id, DROP every_seconds,"
        " DROP next_sync_at"
    )
    for table in TABLES:
        op.execute(f"DROP TABLE headrace.{table}")
