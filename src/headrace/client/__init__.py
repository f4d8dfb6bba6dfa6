"""What a program needs that has Headrace ingest documents: a client, and the ingestion step of a
workflow engine that is built on DBOS.

It asks for nothing but the standard library, and for DBOS where a workflow waits.
"""

from headrace.client.answers import ClientError, Job, Upload
from headrace.client.api import Client
from headrace.client.progress import Progress
from headrace.client.step import StepResult, ingestion_step, topic
from headrace.client.workflow import run_ingestion

__all__ = [
    "Client",
    "ClientError",
    "Job",
    "Progress",
    "StepResult",
    "Upload",
    "ingestion_step",
    "run_ingestion",
    "topic",
]
