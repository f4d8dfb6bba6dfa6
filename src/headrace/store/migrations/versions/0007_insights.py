"""Insights: what is worth knowing of it all, who says so, and the words it stands on."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
-- Rows are only ever added, except that those go which quote what its source has deleted. `sources`
-- is a list of {stream_id, source_id, version, quote, occurred_at}. `made_by` is `rules 1` or a
-- model; `asked` a model that was asked about this input before rules had to do.
CREATE TABLE headrace.insights (
  tenant_id text COLLATE "C" NOT NULL,
  insight_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  title text NOT NULL,
  summary text NOT NULL,
  confidence real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  priority text NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
  actions json NOT NULL,
  sources jsonb NOT NULL CHECK (jsonb_array_length(sources) > 0),
  made_by text NOT NULL,
  asked text,
  note text,
  prompt_hash text NOT NULL,
  input_hash bytea NOT NULL,
  batch_id bigint,
  job_id text COLLATE "C",
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (insight_id, tenant_id)
);
CREATE UNIQUE INDEX insights_once ON headrace.insights
  (tenant_id, user_id, kind, subject, input_hash, prompt_hash, made_by);
CREATE INDEX insights_user ON headrace.insights (tenant_id, user_id, insight_id);
CREATE INDEX insights_sources ON headrace.insights USING gin (sources jsonb_path_ops);

-- Who is to be given insights, for something new was brought in; and since when.
CREATE TABLE headrace.insights_wanted (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  wanted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id)
);

-- Tokens of language models that a tenant has used on a day (UTC), with those that are promised to
-- requests under way.
CREATE TABLE headrace.llm_usage (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  tokens bigint NOT NULL,
  requests bigint NOT NULL,
  PRIMARY KEY (tenant_id, day)
);
"""

NAMES = ["insights", "insights_wanted", "llm_usage"]

# As in 0001.
POLICY = """
ALTER TABLE headrace.{table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON headrace.{table} TO headrace_people USING (
  tenant_id = (SELECT NULLIF(current_setting('headrace.tenant', true), ''))
  AND (user_id = (SELECT NULLIF(current_setting('headrace.user', true), ''))
       OR (SELECT NULLIF(current_setting('headrace.user', true), '')) IS NULL));
GRANT SELECT ON headrace.{table} TO headrace_people;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in NAMES:
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    for table in NAMES:
        op.execute(f"DROP TABLE headrace.{table}")
