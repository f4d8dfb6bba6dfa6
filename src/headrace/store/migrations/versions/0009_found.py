"""Which connections were found with an application's accounts, and stay found for good."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The grant of discovery that a connection was made of. It stays when the account is connected by
# hand, so that nothing is made of the same account once more.
FOUND = """
ALTER TABLE headrace.connections ADD found_by text COLLATE "C";
UPDATE headrace.connections c SET found_by = c.grant_id FROM headrace.grants g
WHERE g.tenant_id = c.tenant_id AND g.grant_id = c.grant_id AND g.external_id IS NOT NULL
  AND g.tokens IS NULL;
CREATE UNIQUE INDEX connections_found ON headrace.connections (tenant_id, found_by, provider);
"""


def upgrade() -> None:
    op.execute(FOUND)


def downgrade() -> None:
    op.execute("ALTER TABLE headrace.connections DROP found_by")
