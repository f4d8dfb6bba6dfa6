"""`Client`: the requests of `/ingestion/jobs` and `/ingestion/uploads`, one method each."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from headrace.client.answers import ClientError, Job, Upload, job, not_ours, refusal, upload
from headrace.client.progress import Progress, read

_JOBS = "/ingestion/jobs"
_UPLOADS = "/ingestion/uploads"
_MOST_BYTES = 16 << 20
_PAGE = 200


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The key goes to the address it was given for, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    """The ingestion API of one Headrace, with a key of it.

    A request is made once; `ClientError.temporary` says whether to make it again. Every method
    raises ClientError. It keeps nothing between requests, and any number of threads may share it.
    """

    def __init__(self, base_url: str, key: str, *, timeout_seconds: float = 30) -> None:
        """`base_url` is such as http://127.0.0.1:8000; `key` an API key."""
        if not base_url.startswith(("http://", "https://")):
            raise ClientError(f"{base_url!r} is no address.", "Write it as http://127.0.0.1:8000.")
        self._url = base_url.rstrip("/")
        self._headers = {"X-API-Key": key, "Accept": "application/json"}
        self._timeout = timeout_seconds
        self._opener = urllib.request.build_opener(_NoRedirects)

    def create_ingestion(
        self,
        config: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Have documents ingested. The same key with the same body: the same job."""
        more = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        body = json.dumps({"config": dict(config), "metadata": dict(metadata or {})}).encode()
        more["Content-Type"] = "application/json"
        return job(self._ask("POST", _JOBS, body, more))

    def get_ingestion(self, job_id: str) -> Job:
        """A job as it is now."""
        return job(self._ask("GET", _named(job_id)))

    def watch(self, job_id: str) -> Iterator[Progress]:
        """How far a job of the key's own tenant is, whenever that changes, until it is over and
        worked through. The connection is held meanwhile."""
        place = f"/api/jobs/{urllib.parse.quote(job_id, safe='')}/events"
        with self._answer("GET", place) as answer:
            yield from read(answer)

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that waits or runs; status 409 for one that is over."""
        return job(self._ask("POST", f"{_named(job_id)}/cancel"))

    def retry(self, job_id: str) -> Job:
        """Take a failed or cancelled job up again where it stopped; status 409 for another."""
        return job(self._ask("POST", f"{_named(job_id)}/retry"))

    def list(self, *, status: str | None = None, tenant_id: str | None = None) -> Iterator[Job]:
        """Jobs, newest first, page after page as they are taken."""
        wanted = {"status": status, "tenant_id": tenant_id, "limit": _PAGE, "cursor": None}
        while True:
            given = {name: value for name, value in wanted.items() if value is not None}
            page = self._ask("GET", f"{_JOBS}?{urllib.parse.urlencode(given)}")
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise not_ours()
            yield from map(job, page["items"])
            wanted["cursor"] = page.get("next")
            if wanted["cursor"] is None:
                return

    def upload(
        self, name: str, content: bytes | BinaryIO, *, tenant_id: str | None = None
    ) -> Upload:
        """Send a file, in place of any that has this name. A file object is sent as it is read."""
        more = {"Content-Type": "application/octet-stream"}
        return upload(self._ask("PUT", _upload(name, tenant_id), content, more))

    def delete_upload(self, name: str, *, tenant_id: str | None = None) -> None:
        """Delete an upload; status 404 where there is none. The next job forgets it."""
        self._ask("DELETE", _upload(name, tenant_id))

    def _ask(
        self,
        method: str,
        place: str,
        body: bytes | BinaryIO | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Any:
        with self._answer(method, place, body, more) as answer:
            return _json(answer.read(_MOST_BYTES))

    @contextmanager
    def _answer(
        self,
        method: str,
        place: str,
        body: bytes | BinaryIO | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        headers = {**self._headers, **(more or {})}
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            self._url + place, body, headers, method=method
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            with error:
                raise refusal(error.code, _json(_body(error))) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ClientError(
                f"Headrace does not answer at {self._url}: {reason}.",
                "Check that it runs there.",
            ) from None
        except ValueError:
            # Its own words may hold the key.
            raise ClientError(
                "The key or the idempotency key has characters that a header cannot carry.",
                "Use letters, digits and signs of ASCII.",
                400,
            ) from None


def _named(job_id: str) -> str:
    return f"{_JOBS}/{urllib.parse.quote(job_id, safe='')}"


def _upload(name: str, tenant: str | None) -> str:
    query = f"?{urllib.parse.urlencode({'tenant_id': tenant})}" if tenant else ""
    return f"{_UPLOADS}/{urllib.parse.quote(name, errors='surrogatepass')}{query}"


def _body(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException):
        return b""  # the status alone has to do


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
