"""Alembic's folder: `versions/` holds one numbered file a change."""
