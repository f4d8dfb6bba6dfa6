"""What an S3-compatible store means by its refusals, in one sentence each."""

from __future__ import annotations

import re

from headrace.errors import BadInput, HeadraceError, NeedsHuman, Skip
from headrace.http import Answer
from headrace.text import one_line

_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")
_REGION = re.compile(rb"<Region>([a-z0-9-]{1,40})</Region>")
_BAD_KEYS = frozenset({
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
    "TokenRefreshRequired",
})  # fmt: skip
_ELSEWHERE = frozenset({
    "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
})  # fmt: skip


def list_error(answer: Answer, bucket: str, region: str, *, with_keys: bool) -> HeadraceError:
    """Why a bucket is not listed."""
    code = _code(answer)
    if code in _ELSEWHERE or answer.status in {301, 307}:
        found = _REGION.search(answer.body, 0, 4096)
        named = answer.headers.get("x-amz-bucket-region") or (found[1].decode() if found else "")
        return BadInput(
            f"The bucket {bucket} is not in the region {region}.",
            hint=f"Set aws.region to {one_line(named, 40)}." if named else "Set aws.region.",
        )
    if code in _BAD_KEYS:
        return NeedsHuman(
            f"The keys for the bucket {bucket} are refused by {answer.host} ({code}).",
            hint="Give the job keys that are valid there.",
            reauth=True,
        )
    if answer.status in {401, 403}:
        return NeedsHuman(
            f"The bucket {bucket} may not be listed {'with these' if with_keys else 'without'}"
            f" keys ({answer.status} from {answer.host}).",
            hint="Allow them s3:ListBucket and s3:GetObject."
            if with_keys
            else "Give aws.access_key_id and aws.secret_access_key.",
        )
    if answer.status == 404:
        return BadInput(
            f"There is no bucket {bucket} at {answer.host}.",
            hint="Check its name, and aws.endpoint_url if it is not on AWS.",
        )
    return NeedsHuman(
        f"{answer.host} refuses to list the bucket {bucket} ({answer.status} {code}).",
        hint="Check aws.endpoint_url and aws.region.",
    )


def read_error(answer: Answer, key: str) -> Skip:
    """Why one object is not read."""
    shown = one_line(key)
    if answer.status == 404:
        return Skip(f"{shown} is no longer there.", hint="The next run forgets it.")
    if _code(answer) == "InvalidObjectState":
        return Skip(f"{shown} is in cold storage.", hint="Restore it there first.")
    return Skip(
        f"{shown} may not be read ({answer.status} {_code(answer)}).",
        hint="Allow the keys s3:GetObject.",
    )


def _code(answer: Answer) -> str:
    found = _CODE.search(answer.body, 0, 4096)
    return found[1].decode() if found else ""
