"""Uploads: files that callers have sent, so that API and workers need not share a disk."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPLOADS = """
CREATE TABLE headrace.uploads (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  content bytea NOT NULL,
  size bigint NOT NULL,
  sha256 bytea NOT NULL,
  uploaded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id, name)
);
-- Most documents are compressed already: trying it again would only cost time.
ALTER TABLE headrace.uploads ALTER content SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, UPDATE, DELETE ON headrace.uploads TO headrace_people;

-- As in 0001.
ALTER TABLE headrace.uploads ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.uploads TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""


def upgrade() -> None:
    op.execute(UPLOADS)


def downgrade() -> None:
    op.execute("DROP TABLE headrace.uploads")
