"""What a memory engine has been told."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MEMORIES = """
-- The newest version of a record that an engine has been told of, a hash of what it was told, and
-- what it calls it. Version 0 has not been told; a record that is gone has no hash.
CREATE TABLE headrace.memories (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  engine text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  told_hash bytea,
  remote text[] NOT NULL DEFAULT '{}',
  told_at timestamptz,
  PRIMARY KEY (stream_id, source_id, engine, tenant_id)
);
ALTER TABLE headrace.memories ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.memories TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
GRANT SELECT ON headrace.memories TO headrace_people;
"""


def upgrade() -> None:
    op.execute(MEMORIES)


def downgrade() -> None:
    op.execute("DROP TABLE headrace.memories")
