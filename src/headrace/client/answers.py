"""What the service answers: a job, an upload, or what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

_OVER = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})

_FOR_NOW = frozenset({408, 429})


class ClientError(Exception):
    """What happened (`message`), what to do about it (`hint`), and the HTTP `status`: None where
    nobody answered."""

    def __init__(self, message: str, hint: str = "", status: int | None = None) -> None:
        # All of them go to the base: so the error can be pickled, as a step's error is by DBOS.
        super().__init__(message, hint, status)
        self.message = message
        self.hint = hint
        self.status = status

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def temporary(self) -> bool:
        """Whether the same request may well work later."""
        return self.status is None or self.status >= 500 or self.status in _FOR_NOW


@dataclass(frozen=True)
class Job:
    """An ingestion job. `status` is PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED;
    `result_summary` counts files, chunks and embeddings of one that succeeded."""

    job_id: str
    status: str
    created_at: datetime
    completed_at: datetime | None = None
    result_summary: dict[str, int] | None = None
    error_message: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will change any more, unless somebody retries it."""
        return self.status in _OVER


def job(answer: Any) -> Job:
    """The job that an answer's JSON tells of. Raises ClientError when it tells of none."""
    try:
        completed = answer.get("completed_at")
        return Job(
            job_id=str(answer["job_id"]),
            status=str(answer["status"]),
            created_at=datetime.fromisoformat(answer["created_at"]),
            completed_at=datetime.fromisoformat(completed) if completed else None,
            result_summary=answer.get("result_summary"),
            error_message=answer.get("error_message"),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise not_ours() from None


@dataclass(frozen=True)
class Upload:
    """A file that was sent. `input` is what a job's config names it by; `size` is in bytes."""

    name: str
    input: str
    size: int
    sha256: str
    uploaded_at: datetime


def upload(answer: Any) -> Upload:
    """The upload that an answer's JSON tells of. Raises ClientError when it tells of none."""
    try:
        return Upload(
            name=str(answer["name"]),
            input=str(answer["input"]),
            size=int(answer["size"]),
            sha256=str(answer["sha256"]),
            uploaded_at=datetime.fromisoformat(answer["uploaded_at"]),
        )
    except (KeyError, TypeError, ValueError):
        raise not_ours() from None


def not_ours() -> ClientError:
    """What to say of an answer that Headrace cannot have given."""
    return ClientError(
        "What answered is not Headrace.", "Check the base URL: http://host:port, without a path."
    )


def refusal(status: int, answer: Any) -> ClientError:
    """The error that an answer of this HTTP status is; `answer` is its JSON, None if it is none."""
    if not isinstance(answer, dict) or "detail" not in answer:
        return ClientError(f"The service answered {status}.", "See its log.", status)
    return ClientError(str(answer["detail"]), str(answer.get("hint") or ""), status)
