"""Keys in the order in which they are asked: a record's rows stand side by side."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# What a query leaves out of a key's middle, PostgreSQL 18 believes it must skip through, value by
# value; and then reads a large table whole instead. So the record and its tenant come first.
REORDER = """
ALTER TABLE headrace.participants DROP CONSTRAINT participants_pkey,
  ADD PRIMARY KEY (stream_id, source_id, tenant_id, role, identity_id);
ALTER TABLE headrace.chunks DROP CONSTRAINT chunks_pkey,
  ADD PRIMARY KEY (stream_id, content_hash, tenant_id, position);
"""

BACK = """
ALTER TABLE headrace.participants DROP CONSTRAINT participants_pkey,
  ADD PRIMARY KEY (stream_id, source_id, identity_id, role, tenant_id);
ALTER TABLE headrace.chunks DROP CONSTRAINT chunks_pkey,
  ADD PRIMARY KEY (stream_id, content_hash, position, tenant_id);
"""


def upgrade() -> None:
    op.execute(REORDER)


def downgrade() -> None:
    op.execute(BACK)
