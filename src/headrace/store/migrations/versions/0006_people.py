"""People: who took part in what, who is who, and what happened when."""

from __future__ import annotations

from alembic import op
from sqlalchemy.exc import DBAPIError

from headrace.errors import BadInput

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NORMALISED = """
-- Who took part: a list of {role, kind, value, name, answer}, as the source told it. `unquoted` is
-- the body without what it quotes and without its signature; NULL where that is all of the body.
-- `automated` says why the sender is no person; `text_hash` is of the text that is embedded.
ALTER TABLE headrace.interactions
  ADD people json NOT NULL DEFAULT '[]',
  ADD unquoted text,
  ADD signature text,
  ADD automated text,
  ADD meeting_url text,
  ADD text_hash bytea;
CREATE INDEX interactions_batch ON headrace.interactions (batch_id);
CREATE INDEX interactions_text ON headrace.interactions (stream_id, text_hash);

-- `guests` is a list of {address, name, answer, optional}.
ALTER TABLE headrace.calendar_events
  ADD guests json NOT NULL DEFAULT '[]',
  ADD meeting_url text,
  ADD time_zone text;
"""

CONTACTS = """
-- One way to reach somebody: an address, a telephone number, a login. Its id is made of what it is,
-- so that it stays the same when everything is made anew. `contact_id` is the id of the first
-- identity of the same person; NULL for whoever is no contact: a program, or the owner.
-- `canonical` is the value without what its owner can add to it at will; `domain` is the part of an
-- address that an organisation has registered, NULL where everybody can have an address. `name` is
-- the newest that was seen, at `named_at`; `by_hand` says that no program wrote, at least once;
-- `batch_id` is the batch that has last changed who it might be. `match_keys` are hashes of what
-- another identity of the same person would have too.
CREATE TABLE headrace.contact_identities (
  tenant_id text COLLATE "C" NOT NULL,
  identity_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL DEFAULT '',
  canonical text COLLATE "C" NOT NULL DEFAULT '',
  name text,
  named_at timestamptz,
  domain text COLLATE "C",
  automated text,
  by_hand boolean NOT NULL DEFAULT false,
  own boolean NOT NULL DEFAULT false,
  contact_id uuid,
  match_keys bigint[] NOT NULL DEFAULT '{}',
  first_seen_at timestamptz,
  last_seen_at timestamptz,
  batch_id bigint NOT NULL,
  PRIMARY KEY (identity_id, tenant_id)
);
CREATE UNIQUE INDEX contact_identities_value
  ON headrace.contact_identities (value, kind, provider, user_id, tenant_id);
CREATE INDEX contact_identities_contact ON headrace.contact_identities (contact_id, tenant_id);
CREATE INDEX contact_identities_batch ON headrace.contact_identities (batch_id);
CREATE INDEX contact_identities_keys ON headrace.contact_identities USING gin (match_keys)
  WITH (fastupdate = off);
CREATE INDEX contact_identities_words ON headrace.contact_identities
  USING gin (lower(coalesce(name, '') || ' ' || value) gin_trgm_ops);

-- Who took part in what, by identity: merging contacts rewrites none of it. `name` is what they
-- were called there; `automated` says why a sender is no person.
CREATE TABLE headrace.participants (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  identity_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  batch_id bigint NOT NULL,
  occurred_at timestamptz,
  name text,
  automated text,
  PRIMARY KEY (stream_id, source_id, identity_id, role, tenant_id)
);
CREATE INDEX participants_identity ON headrace.participants (identity_id, occurred_at);
CREATE INDEX participants_batch ON headrace.participants (batch_id);

-- That two identities are one person's, or are not, or may be: who says so and why. Nothing is ever
-- changed here; the newest word on a pair counts, and a person's before a rule's.
CREATE TABLE headrace.contact_links (
  tenant_id text COLLATE "C" NOT NULL,
  link_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text COLLATE "C" NOT NULL,
  first_id uuid NOT NULL,
  second_id uuid NOT NULL,
  decision text NOT NULL CHECK (decision IN ('same', 'different', 'suggested')),
  rule text NOT NULL,
  decided_by text NOT NULL,
  score real NOT NULL,
  evidence json NOT NULL,
  batch_id bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (link_id, tenant_id),
  CHECK (first_id < second_id)
);
CREATE INDEX contact_links_pair ON headrace.contact_links (first_id, second_id);
CREATE INDEX contact_links_second ON headrace.contact_links (second_id);
CREATE INDEX contact_links_suggested ON headrace.contact_links (tenant_id, score, link_id)
  WHERE decision = 'suggested';

-- People, as the links join their identities.
CREATE TABLE headrace.contacts (
  tenant_id text COLLATE "C" NOT NULL,
  contact_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  name text,
  email text,
  phone text,
  organisation text,
  identities integer NOT NULL,
  first_seen_at timestamptz,
  last_seen_at timestamptz,
  PRIMARY KEY (contact_id, tenant_id)
);
CREATE INDEX contacts_recent ON headrace.contacts
  (tenant_id, coalesce(last_seen_at, '-infinity'), contact_id);
"""

TIMELINE = """
-- What happened, in a sentence. Whose it was, `participants` says.
CREATE TABLE headrace.timeline_events (
  tenant_id text COLLATE "C" NOT NULL,
  stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  batch_id bigint NOT NULL,
  occurred_at timestamptz,
  kind text NOT NULL,
  sentence text NOT NULL,
  details json NOT NULL DEFAULT '{}',
  PRIMARY KEY (stream_id, source_id, tenant_id)
);
CREATE INDEX timeline_events_time ON headrace.timeline_events (tenant_id, user_id, occurred_at);
CREATE INDEX timeline_events_batch ON headrace.timeline_events (batch_id);
"""

TABLES = ["contact_identities", "participants", "contact_links", "contacts", "timeline_events"]

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
    try:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError as error:
        raise BadInput(
            "This PostgreSQL has no pg_trgm that this account may use.",
            hint="Install PostgreSQL's contrib package there, have its administrator run CREATE"
            " EXTENSION pg_trgm in this database, or leave DATABASE_URL unset.",
        ) from error
    for part in (NORMALISED, CONTACTS, TIMELINE):
        op.execute(part)
    for table in TABLES:
        op.execute(POLICY.format(table=table))


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE headrace.{table}")
    op.execute(
        "ALTER TABLE headrace.interactions DROP people, DROP unquoted, DROP signature,"
        " DROP automated, DROP meeting_url, DROP text_hash"
    )
    op.execute("DROP INDEX headrace.interactions_batch")
    op.execute("ALTER TABLE headrace.calendar_events DROP guests, DROP meeting_url, DROP time_zone")
