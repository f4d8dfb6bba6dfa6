"""Documents: files by their paths, what was read of each content, its chunks with their vectors.

Also what deleting needs: marks of what has been landed, and streams that forget.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy.exc import DBAPIError

from headrace.errors import BadInput

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SYNC = """
-- What a source said of a record without sending it: an unchanged file costs a stat.
CREATE TABLE headrace.marks (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  mark text NOT NULL,
  PRIMARY KEY (stream_id, source_id, tenant_id)
);

-- Whether the source has ever deleted a record of the stream; whether the stream is what is shown
-- of its connection, or one that is being made beside it.
ALTER TABLE headrace.streams
  ADD forgets boolean NOT NULL DEFAULT false,
  ADD live boolean NOT NULL DEFAULT true;

-- When everything was landed; some kinds of job end only when the stages are through with it.
ALTER TABLE headrace.jobs ADD landed_at timestamptz;
"""

DOCUMENTS = """
-- A file by its path. `indexed_hash` is the content that a search shows of it: it follows
-- `content_hash` when all the chunks of that have their vectors, and not before.
CREATE TABLE headrace.documents (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  content_hash bytea NOT NULL,
  indexed_hash bytea,
  occurred_at timestamptz,
  size bigint NOT NULL,
  PRIMARY KEY (stream_id, source_id, tenant_id)
);
CREATE INDEX documents_content ON headrace.documents (stream_id, content_hash);
CREATE INDEX documents_indexed ON headrace.documents (stream_id, indexed_hash);
CREATE INDEX documents_batch ON headrace.documents (batch_id);

-- What was read of a content, once, under however many paths it lies.
CREATE TABLE headrace.texts (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  content_hash bytea NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  media_type text NOT NULL,
  title text,
  body text NOT NULL,
  pages integer[] NOT NULL,
  headings json NOT NULL,
  PRIMARY KEY (stream_id, content_hash, tenant_id)
);

-- `body` is characters start_at to end_at of the content's body.
CREATE TABLE headrace.chunks (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  content_hash bytea NOT NULL,
  position integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  start_at integer NOT NULL,
  end_at integer NOT NULL,
  page integer,
  headings text[] NOT NULL,
  body text NOT NULL,
  chunk_hash bytea NOT NULL,
  model text,
  embedding halfvec,
  search tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', headrace.words(headings)), 'B')
    || setweight(to_tsvector('english', left(body, 100000)), 'D')) STORED,
  PRIMARY KEY (stream_id, content_hash, position, tenant_id)
);
CREATE INDEX chunks_search ON headrace.chunks USING gin (search);
-- Nothing is embedded twice: the same words of the same tenant have the same vector.
CREATE INDEX chunks_known ON headrace.chunks (tenant_id, chunk_hash, model)
  WHERE embedding IS NOT NULL;
GRANT SELECT ON headrace.marks, headrace.documents, headrace.texts, headrace.chunks
  TO headrace_people;
"""

TABLES = ["marks", "documents", "texts", "chunks"]

# As in 0001.
POLICY = """
ALTER TABLE headrace.{table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.{table} TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""


def upgrade() -> None:
    try:
        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except DBAPIError as error:
        raise BadInput(
            "This PostgreSQL has no pgvector that this account may use.",
            hint="Install pgvector 0.7 or newer there, have its administrator run CREATE EXTENSION"
            " vector in this database, or leave DATABASE_URL unset.",
        ) from error
    for part in (SYNC, DOCUMENTS):
        op.execute(part)
    for table in TABLES:
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE headrace.{table}")
    op.execute("ALTER TABLE headrace.streams DROP forgets, DROP live")
    op.execute("ALTER TABLE headrace.jobs DROP landed_at")
