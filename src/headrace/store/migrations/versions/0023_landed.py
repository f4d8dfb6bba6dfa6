"""What has been landed is counted as it is landed: nobody has to add up a million batches."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# On the checkpoint, which the same transaction holds and moves anyway: slices that are walked side
# by side do not wait for each other. Taken first, as landing does, so that neither waits for the
# other for ever.
COLUMNS = """
ALTER TABLE headrace.checkpoints
  ADD COLUMN batches bigint NOT NULL DEFAULT 0,
  ADD COLUMN records bigint NOT NULL DEFAULT 0,
  ADD COLUMN landed_at timestamptz;
"""

# Whoever writes a batch: also the code of an older version, and a dead letter that is landed again.
COUNT = """
CREATE FUNCTION headrace.count_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE headrace.checkpoints c
  SET batches = c.batches + 1, records = c.records + NEW.inserted,
    landed_at = greatest(c.landed_at, NEW.committed_at)
  WHERE c.tenant_id = NEW.tenant_id AND c.stream_id = NEW.stream_id AND c.slice = NEW.slice;
  RETURN NULL;
END $$;
CREATE TRIGGER count_batch AFTER INSERT ON headrace.batches
  FOR EACH ROW EXECUTE FUNCTION headrace.count_batch();
"""

# After the trigger, which keeps others from writing batches until this is committed.
SO_FAR = """
UPDATE headrace.checkpoints c
SET batches = n.batches, records = n.records, landed_at = n.landed_at
FROM (SELECT tenant_id, stream_id, slice, count(*) AS batches, sum(inserted) AS records,
    max(committed_at) AS landed_at
  FROM headrace.batches GROUP BY tenant_id, stream_id, slice) n
WHERE c.tenant_id = n.tenant_id AND c.stream_id = n.stream_id AND c.slice = n.slice;
"""


def upgrade() -> None:
    for part in (COLUMNS, COUNT, SO_FAR):
        op.execute(part)


def downgrade() -> None:
    op.execute("DROP TRIGGER count_batch ON headrace.batches")
    op.execute("DROP FUNCTION headrace.count_batch()")
    op.execute(
        "ALTER TABLE headrace.checkpoints DROP COLUMN batches, DROP COLUMN records,"
        " DROP COLUMN landed_at"
    )
