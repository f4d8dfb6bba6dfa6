"""Redis Streams, the front door for other languages: what is said there, and to whom it listens.

Nothing here knows of PostgreSQL. `engine.door` makes jobs of the entries, `engine.completions`
tells of their ends, and `engine.offers` lets the schedule ask through the stream.
"""

from typing import Final

JOBS: Final = "ingestion:jobs"
"""The stream that jobs are asked for in (A0.26)."""
GROUP: Final = "ingestion-workers"
"""The consumer group that all workers read it as (A0.29)."""
DEAD: Final = "ingestion:jobs:dead"
"""The stream of entries that no job can be made of, each with the reason."""
COMPLETIONS: Final = "ingestion:completions"
"""The stream that the ends of jobs are told in."""
