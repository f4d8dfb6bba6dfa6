"""Indexes of vectors outside of PostgreSQL: where a stream's are, and what has to leave them."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = """
-- Said before the first vector of a stream is put there, with the credential of then: whatever the
-- connection is told later, what is there can be taken out again.
CREATE TABLE headrace.vector_indexes (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  vector_db text COLLATE "C" NOT NULL,
  url text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  trusted boolean NOT NULL,
  credential bytea,
  PRIMARY KEY (stream_id, vector_db, url, collection, model, tenant_id)
);
CREATE INDEX vector_indexes_connection ON headrace.vector_indexes (connection_id);

-- Chunks that are gone here and perhaps not yet there. One that went twice has two rows, so that
-- whoever strikes out the one he has read does not strike out the other.
CREATE TABLE headrace.vectors_gone (
  tenant_id text COLLATE "C" NOT NULL,
  gone_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  content_hash bytea NOT NULL,
  position integer NOT NULL,
  PRIMARY KEY (gone_id, tenant_id)
);
CREATE INDEX vectors_gone_stream ON headrace.vectors_gone (stream_id, gone_id);
GRANT SELECT ON headrace.vector_indexes, headrace.vectors_gone TO headrace_people;
"""

# In the transaction that deletes a chunk, whoever deletes it: nobody can forget to say so.
GONE = """
CREATE FUNCTION headrace.vectors_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO headrace.vectors_gone (tenant_id, user_id, stream_id, content_hash, position)
  SELECT k.tenant_id, k.user_id, k.stream_id, k.content_hash, k.position FROM gone k
  WHERE EXISTS (SELECT FROM headrace.vector_indexes i
    WHERE i.tenant_id = k.tenant_id AND i.stream_id = k.stream_id);
  RETURN NULL;
END $$;
CREATE TRIGGER vectors_go AFTER DELETE ON headrace.chunks REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION headrace.vectors_go();
"""

TABLES = ["vector_indexes", "vectors_gone"]

# As in 0001.
POLICY = """
ALTER TABLE headrace.{table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.{table} TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""


def upgrade() -> None:
    for part in (INDEXES, GONE):
        op.execute(part)
    for table in TABLES:
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    op.execute("DROP TRIGGER vectors_go ON headrace.chunks")
    op.execute("DROP FUNCTION headrace.vectors_go()")
    for table in TABLES:
        op.execute(f"DROP TABLE headrace.{table}")
