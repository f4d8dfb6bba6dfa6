"""Dead letters of every level with their history, mended records, and what retention has done."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# A reason without what is other in each letter of a kind: quoted words, numbers, ids. What follows
# a letter is an apostrophe, and quotes nothing.
FUNCTIONS = r"""
CREATE FUNCTION headrace.reason_group(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN left(regexp_replace(regexp_replace(left($1, 1000),
    $re$(?<![[:alnum:]])'[^']*'|"[^"]*"|`[^`]*`$re$, '…', 'g'),
    '[[:alnum:]_/:@+-]*[0-9][[:alnum:]_/:@+-]*(\.[0-9][[:alnum:]_]*)*', '…', 'g'), 200);

-- A history is bounded: how it began, and the last nineteen entries.
CREATE FUNCTION headrace.told(history jsonb, entry jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN jsonb_array_length(history) < 20 THEN history ELSE history - 1 END
    || jsonb_build_array(entry);
"""

LETTERS = """
ALTER TABLE headrace.dead_letters
  ADD COLUMN level text NOT NULL GENERATED ALWAYS AS (CASE WHEN stage = 'job' THEN 'job'
    WHEN stage <> 'landing' AND version IS NULL AND source_id LIKE 'batch/%' THEN 'batch'
    ELSE 'record' END) STORED,
  ADD COLUMN reason_group text NOT NULL
    GENERATED ALWAYS AS (headrace.reason_group(reason)) STORED,
  ADD COLUMN mended bytea,
  ADD COLUMN history jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN last_at timestamptz NOT NULL DEFAULT now();
UPDATE headrace.dead_letters SET last_at = coalesce(resolved_at, created_at),
  history = jsonb_build_array(jsonb_build_object('at', created_at, 'what', 'refused',
    'reason', left(reason, 500)));
-- What is open is a small part of what there has been: listings and counts read no more than it.
CREATE INDEX dead_letters_open ON headrace.dead_letters (tenant_id, dead_letter_id)
  WHERE state = 'open';
CREATE INDEX dead_letters_reasons ON headrace.dead_letters
  (tenant_id, reason_group, level, stage, dead_letter_id) WHERE state = 'open';
CREATE INDEX dead_letters_resolved ON headrace.dead_letters (resolved_at)
  WHERE resolved_at IS NOT NULL;
-- What was refused of a record.
CREATE INDEX dead_letters_record ON headrace.dead_letters (stream_id, source_id, version);
GRANT UPDATE (history) ON headrace.dead_letters TO headrace_people;
"""

# `mends` is the hash of what the source had sent, in a version that a person wrote in its place.
MENDED = """
ALTER TABLE headrace.raw_events ADD COLUMN mends bytea;
-- The few versions that are not the first of their record: what retention looks at.
CREATE INDEX raw_events_again ON headrace.raw_events (batch_id) WHERE version > 1;
CREATE INDEX jobs_over ON headrace.jobs (completed_at) WHERE completed_at IS NOT NULL;
-- Stages know only the number of their batch.
CREATE UNIQUE INDEX batches_id ON headrace.batches (batch_id);
"""

RETENTION = """
CREATE TABLE headrace.retention (
  tenant_id text COLLATE "C" NOT NULL DEFAULT 'service',
  subject text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL DEFAULT 'service',
  bookmark bigint NOT NULL DEFAULT 0,
  removed bigint NOT NULL DEFAULT 0,
  removed_bytes bigint NOT NULL DEFAULT 0,
  began_at timestamptz NOT NULL DEFAULT now(),
  looked_at timestamptz,
  passed_at timestamptz,
  removed_at timestamptz,
  PRIMARY KEY (tenant_id, subject)
);
ALTER TABLE headrace.retention ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.retention TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
"""

# A fifth of a table of millions is too much to leave lying about: these change all the time.
VACUUM = """
ALTER TABLE headrace.jobs SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE headrace.batches SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE headrace.stage_runs SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE headrace.dead_letters SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE headrace.raw_events SET (autovacuum_vacuum_scale_factor = 0.05);
"""

BACK = """
DROP TABLE headrace.retention;
DROP INDEX headrace.raw_events_again, headrace.jobs_over, headrace.batches_id;
ALTER TABLE headrace.raw_events DROP mends;
ALTER TABLE headrace.dead_letters DROP level, DROP reason_group, DROP mended, DROP history,
  DROP last_at;
DROP INDEX IF EXISTS headrace.dead_letters_open, headrace.dead_letters_reasons,
  headrace.dead_letters_resolved, headrace.dead_letters_record;
DROP FUNCTION headrace.reason_group(text), headrace.told(jsonb, jsonb);
"""


def upgrade() -> None:
    for part in (FUNCTIONS, LETTERS, MENDED, RETENTION, VACUUM):
        op.execute(part)


def downgrade() -> None:
    op.execute(BACK)
    for table in ("jobs", "batches", "stage_runs", "dead_letters", "raw_events"):
        op.execute(f"ALTER TABLE headrace.{table} RESET (autovacuum_vacuum_scale_factor)")
