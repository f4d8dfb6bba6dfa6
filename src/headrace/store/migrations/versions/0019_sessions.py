"""Sessions of the dashboard: a browser that a key, or somebody at the machine, has let in."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Only the SHA-256 of what the browser holds is here. `key_hash` is the key it was opened with, and
# a revoked key closes it; null: a link that the command line made. A link (`once`) is a session
# that nobody has taken up yet.
TABLE = """
CREATE TABLE headrace.sessions (
  tenant_id text COLLATE "C" NOT NULL,
  token_hash bytea NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  key_user_id text COLLATE "C",
  key_hash bytea,
  once boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, token_hash)
);
-- A session is looked up before its tenant is known.
CREATE UNIQUE INDEX sessions_token ON headrace.sessions (token_hash);
CREATE INDEX sessions_over ON headrace.sessions (expires_at);
ALTER TABLE headrace.sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.sessions TO headrace_people USING (
  tenant_id = nullif(current_setting('headrace.tenant', true), ''));
REVOKE ALL ON headrace.sessions FROM headrace_people;
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE headrace.sessions")
