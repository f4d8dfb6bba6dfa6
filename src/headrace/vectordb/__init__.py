"""Indexes of vectors outside of PostgreSQL. It keeps every vector all the same: an index is asked
for the nearest, what may be seen is decided where the rows are, and a lost index is filled again.
"""

from headrace.vectordb.choose import check, index_at, open_index
from headrace.vectordb.contract import IndexAt, Key, Point, VectorIndex

__all__ = ["IndexAt", "Key", "Point", "VectorIndex", "check", "index_at", "open_index"]
