"""Which store a job's buckets are in, and whose keys read them."""

from __future__ import annotations

import os

from headrace.errors import NeedsHuman
from headrace.files.bucket import Store
from headrace.files.credentials import read
from headrace.files.sections import AwsConfig
from headrace.files.signing import Keys

_REGION = "us-east-1"


def store_of(aws: AwsConfig, secret: str | None, *, trusted: bool) -> Store:
    """The store. For the operator (`trusted`) the usual variables of AWS serve where the config
    says nothing; a caller's job sees none of them, and without keys reads what anybody may. Raises
    NeedsHuman for keys that were given for another endpoint."""
    environment = os.environ if trusted else {}
    endpoint = aws.endpoint_url
    if endpoint is None:
        endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    region = aws.region
    if region is None:
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or _REGION
    keys = read(secret).aws
    if keys is not None:
        if keys.endpoint_url != aws.endpoint_url:
            raise NeedsHuman(
                "The keys of this connection were given for another endpoint.",
                hint="Give them again, with the endpoint that they are for now.",
            )
    elif "AWS_ACCESS_KEY_ID" in environment and "AWS_SECRET_ACCESS_KEY" in environment:
        keys = Keys(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN"),
        )
    return Store(endpoint or f"https://s3.{region}.amazonaws.com", region, keys)
