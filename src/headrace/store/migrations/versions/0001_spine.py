"""The spine: who owns what, what was landed, what is to do, what could not be processed.

The SQL is written out, with the reason for each index and constraint beside it; `model` is the
same schema for reading, and tests/store proves the two equal.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ACCESS = """
CREATE TABLE headrace.api_keys (
  tenant_id text COLLATE "C" NOT NULL,
  key_hash bytea NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  key_user_id text COLLATE "C",
  name text NOT NULL,
  prefix text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, key_hash)
);
-- A key is looked up before its tenant is known.
CREATE UNIQUE INDEX api_keys_hash ON headrace.api_keys (key_hash);

CREATE TABLE headrace.connections (
  tenant_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  provider text NOT NULL,
  name text NOT NULL,
  config jsonb NOT NULL,
  credential bytea,
  trusted boolean NOT NULL DEFAULT false,
  addresses text[] NOT NULL DEFAULT '{}',
  health text NOT NULL DEFAULT 'active'
    CHECK (health IN ('active', 'paused', 'needs_reauth', 'error')),
  health_reason text,
  health_hint text,
  created_at timestamptz NOT NULL DEFAULT now(),
  synced_at timestamptz,
  PRIMARY KEY (tenant_id, connection_id)
);
-- The name is what people type: one connection of that name a user.
CREATE UNIQUE INDEX connections_name ON headrace.connections (tenant_id, user_id, name);
"""

SYNC = """
CREATE TABLE headrace.streams (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  content text NOT NULL,
  total bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, stream_id)
);
CREATE UNIQUE INDEX streams_name ON headrace.streams (tenant_id, connection_id, name);

CREATE TABLE headrace.checkpoints (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  slice text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  cursor json,
  epoch bigint NOT NULL DEFAULT 0,
  walk integer NOT NULL DEFAULT 1,
  pages bigint NOT NULL DEFAULT 0,
  restarts integer NOT NULL DEFAULT 0,
  high_water timestamptz,
  done_by text COLLATE "C",
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, stream_id, slice)
);

CREATE TABLE headrace.batches (
  tenant_id text COLLATE "C" NOT NULL,
  batch_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  slice text COLLATE "C" NOT NULL,
  walk integer NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  pages integer NOT NULL,
  fetched integer NOT NULL,
  inserted integer NOT NULL,
  unchanged integer NOT NULL,
  dead_lettered integer NOT NULL,
  payload_bytes bigint NOT NULL,
  cursor_before json,
  cursor_after json,
  cursor_hashes bytea NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, batch_id),
  -- Nothing is fetched and then forgotten (REQUIREMENTS X5).
  CONSTRAINT batches_balance CHECK (fetched = inserted + unchanged + dead_lettered)
);
-- A job's counts are the sum of its batches.
CREATE INDEX batches_job ON headrace.batches (tenant_id, job_id);
-- The loop guard reads the cursors of the walk under way.
CREATE INDEX batches_walk ON headrace.batches (tenant_id, stream_id, slice, walk);

CREATE TABLE headrace.raw_events (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  content_hash bytea NOT NULL,
  batch_id bigint NOT NULL,
  occurred_at timestamptz,
  -- Bytes, not json: what the source sent, verbatim, is the truth; JSON text cannot hold NUL
  -- characters or lone surrogates, and checking it would cost the server a quarter of landing.
  payload bytea NOT NULL,
  -- The tenant comes last in the keys of the large tables: of a stream's rows it decides nothing,
  -- and comparing it first, at every step down an index, cost landing a tenth.
  PRIMARY KEY (stream_id, source_id, version, tenant_id),
  -- Python's years, with a day for time zones: what lies outside could be written, not read again.
  CONSTRAINT raw_events_time CHECK (occurred_at >= '0001-01-02Z' AND occurred_at < '9999-12-31Z')
);
-- Stages read a batch at a time. Ids grow, so this index is only ever appended to.
CREATE INDEX raw_events_batch ON headrace.raw_events (batch_id);

CREATE TABLE headrace.stage_runs (
  tenant_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  stage text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  rows_in integer NOT NULL,
  rows_out integer NOT NULL,
  dead_lettered integer NOT NULL,
  duration_ms integer NOT NULL,
  error text,
  finished_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, batch_id, stage, version)
);
"""

WORK = """
CREATE TABLE headrace.jobs (
  tenant_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  connection_id text COLLATE "C",
  payload jsonb NOT NULL DEFAULT '{}',
  priority text NOT NULL DEFAULT 'medium'
    CHECK (priority IN ('urgent', 'high', 'medium', 'low')),
  status text NOT NULL DEFAULT 'PENDING'
    CHECK (status IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  turn integer NOT NULL DEFAULT 1,
  attempts integer NOT NULL DEFAULT 0,
  resume_at timestamptz,
  summary jsonb,
  last_error text,
  hint text,
  error_code integer,
  idempotency_key text,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  PRIMARY KEY (tenant_id, job_id),
  -- A job is over exactly when it says when (REQUIREMENTS X1).
  CONSTRAINT jobs_final CHECK
    ((completed_at IS NOT NULL) = (status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')))
);
-- The workflow knows only its job's id.
CREATE UNIQUE INDEX jobs_id ON headrace.jobs (job_id);
-- One job at a time per connection: asking again answers with the one under way.
CREATE UNIQUE INDEX jobs_active ON headrace.jobs (tenant_id, connection_id)
  WHERE status IN ('PENDING', 'RUNNING') AND connection_id IS NOT NULL;
-- The same Idempotency-Key of one person, the same job.
CREATE UNIQUE INDEX jobs_idempotency ON headrace.jobs (tenant_id, user_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
-- Listings, newest first, and the age of the oldest that waits.
CREATE INDEX jobs_listing ON headrace.jobs (tenant_id, created_at DESC, job_id);
CREATE INDEX jobs_unfinished ON headrace.jobs (created_at) WHERE status IN ('PENDING', 'RUNNING');

CREATE TABLE headrace.dead_letters (
  tenant_id text COLLATE "C" NOT NULL,
  dead_letter_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text COLLATE "C" NOT NULL,
  stream_id bigint,
  batch_id bigint,
  job_id text COLLATE "C",
  stage text NOT NULL,
  source_id text COLLATE "C",
  version integer,
  content_hash bytea NOT NULL,
  raw bytea,
  reason text NOT NULL,
  hint text NOT NULL,
  attempts integer NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'dropped')),
  created_at timestamptz NOT NULL DEFAULT now(),
  resolved_at timestamptz,
  PRIMARY KEY (tenant_id, dead_letter_id)
);
-- The same bad record met again in the next walk is the same dead letter, tried once more.
CREATE UNIQUE INDEX dead_letters_same ON headrace.dead_letters
  (tenant_id, stream_id, stage, source_id, version, content_hash) NULLS NOT DISTINCT;
CREATE INDEX dead_letters_batch ON headrace.dead_letters (batch_id);

CREATE TABLE headrace.workers (
  tenant_id text COLLATE "C" NOT NULL DEFAULT 'service',
  executor_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL DEFAULT 'service',
  slot integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  dead_at timestamptz,
  PRIMARY KEY (tenant_id, executor_id)
);
CREATE SEQUENCE headrace.worker_slots AS integer;
"""

PROJECTIONS = """
-- array_to_string is only STABLE for arrays of anything; for text it never changes.
CREATE FUNCTION headrace.words(text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array_to_string($1, ' ');

-- Addresses as they stand, and in two: so that acme.com finds ann@acme.com.
CREATE FUNCTION headrace.people(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN $1 || ' ' || translate($1, '@', ' ');

CREATE TABLE headrace.events (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  occurred_at timestamptz,
  type text,
  name text,
  actor_id text,
  session_id text,
  properties json NOT NULL,
  -- The words are cut by the stage: a tenth of the price of to_tsvector at 100,000 rows/s.
  search tsvector NOT NULL,
  PRIMARY KEY (stream_id, source_id, tenant_id)
);
CREATE INDEX events_search ON headrace.events USING gin (search);
CREATE INDEX events_time ON headrace.events (tenant_id, occurred_at);

CREATE TABLE headrace.interactions (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  occurred_at timestamptz,
  direction text CHECK (direction IN ('inbound', 'outbound')),
  thread_id text,
  message_id text,
  from_name text,
  from_address text,
  to_addresses text[] NOT NULL DEFAULT '{}',
  cc_addresses text[] NOT NULL DEFAULT '{}',
  subject text,
  body text NOT NULL DEFAULT '',
  labels text[] NOT NULL DEFAULT '{}',
  attachments text[] NOT NULL DEFAULT '{}',
  -- A tsvector holds at most 1 MB: the first 100,000 characters of a body are searched.
  search tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', coalesce(subject, '')), 'A')
    || setweight(to_tsvector('simple', coalesce(from_name, '') || ' '
         || headrace.people(coalesce(from_address, '') || ' ' || headrace.words(to_addresses)
              || ' ' || headrace.words(cc_addresses))
         || ' ' || headrace.words(attachments)), 'B')
    || setweight(to_tsvector('english', left(body, 100000)), 'D')) STORED,
  PRIMARY KEY (stream_id, source_id, tenant_id)
);
CREATE INDEX interactions_search ON headrace.interactions USING gin (search);
CREATE INDEX interactions_time ON headrace.interactions (tenant_id, occurred_at);
CREATE TABLE headrace.calendar_events (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  uid text,
  recurrence_id text,
  occurred_at timestamptz,
  ends_at timestamptz,
  all_day boolean NOT NULL,
  title text,
  location text,
  description text,
  organizer text,
  attendees text[] NOT NULL DEFAULT '{}',
  status text,
  recurrence text,
  search tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', coalesce(title, '')), 'A')
    || setweight(to_tsvector('simple', coalesce(location, '') || ' '
         || headrace.people(coalesce(organizer, '') || ' ' || headrace.words(attendees))), 'B')
    || setweight(to_tsvector('english', left(coalesce(description, ''), 100000)), 'D')) STORED,
  PRIMARY KEY (stream_id, source_id, tenant_id)
);
CREATE INDEX calendar_events_search ON headrace.calendar_events USING gin (search);
CREATE INDEX calendar_events_time ON headrace.calendar_events (tenant_id, occurred_at);

CREATE INDEX interactions_thread ON headrace.interactions (tenant_id, thread_id, occurred_at);
"""

# The role that serves people. It owns nothing, so row-level security binds it even where a query
# forgets its WHERE; the landing writer owns the tables, because COPY does not run under it.
ROLE = """
DO $$ BEGIN
  CREATE ROLE headrace_people NOLOGIN NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT headrace_people TO CURRENT_USER;
GRANT USAGE ON SCHEMA headrace TO headrace_people;
GRANT SELECT ON ALL TABLES IN SCHEMA headrace TO headrace_people;
REVOKE ALL ON headrace.api_keys, headrace.workers FROM headrace_people;
GRANT INSERT, UPDATE ON headrace.jobs, headrace.connections TO headrace_people;
GRANT UPDATE (state, resolved_at, attempts) ON headrace.dead_letters TO headrace_people;
"""

TABLES = [
    "api_keys",
    "connections",
    "streams",
    "checkpoints",
    "batches",
    "raw_events",
    "stage_runs",
    "jobs",
    "dead_letters",
    "workers",
    "events",
    "interactions",
    "calendar_events",
]

# A setting that was SET LOCAL once reads as '' afterwards, not NULL, hence NULLIF; the sub-select
# makes PostgreSQL read it once a query, not once a row.
POLICY = """
ALTER TABLE headrace.{table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.{table} TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""


def upgrade() -> None:
    for part in (ACCESS, SYNC, WORK, PROJECTIONS, ROLE):
        op.execute(part)
    for table in TABLES:
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE headrace.{table}")
    op.execute("DROP SEQUENCE headrace.worker_slots")
    op.execute("DROP FUNCTION headrace.words(text[]), headrace.people(text)")
