"""S3-compatible buckets, against a server that others wrote, and its refusals as AWS words them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer
from tests.files.conftest import Memory, Run, Web

from headrace.errors import BadInput, HeadraceError, NeedsHuman, Retry
from headrace.files import bucket as bucket_module
from headrace.files.bucket import Bucket, Store
from headrace.files.credentials import Credentials
from headrace.files.sections import AwsConfig
from headrace.files.signing import Keys, signed
from headrace.files.stores import store_of

KEYS = Keys("AKIDEXAMPLE", "very-secret-indeed")


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, Any]]:
    """Where the server is, and a client that puts things there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    yield (
        url,
        boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=KEYS.access_key_id,
            aws_secret_access_key=KEYS.secret_access_key,
        ),
    )
    server.stop()


@pytest.fixture
def put(s3: tuple[str, Any], request: pytest.FixtureRequest) -> Callable[..., str]:
    """Puts objects into a bucket of the test's own: its name."""
    client = s3[1]
    name = request.node.name.replace("_", "-")[5:60].strip("-")
    client.create_bucket(Bucket=name)

    def into(**objects: str) -> str:
        for key, text in objects.items():
            client.put_object(Bucket=name, Key=key, Body=text.encode())
        return str(name)

    return into


async def _run(
    memory: Memory, named: str, url: str, exclude: Sequence[str] = (), *, legs: bool = False
) -> Run:
    store = Store(url, "us-east-1", KEYS)
    bucket = Bucket(named, frozenset({".txt"}), exclude, store, private_hosts=True)
    try:
        return await memory.run(bucket, legs=legs)
    finally:
        await bucket.aclose()


_ODD = [
    "a.txt",
    "a/b.txt",
    "a//c.txt",
    "a b+c&d=ü%.txt",
    "~/x.txt",
    "z'(1)*!.txt",
]


async def test_keys_of_every_kind_in_their_order(
    s3: tuple[str, Any], put: Callable[..., str], memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pages, each of which may be another leg; what is unchanged is not read again."""
    monkeypatch.setattr(bucket_module, "_KEYS", 3)
    bucket = put(**{key: f"text of {key}" for key in _ODD}, **{"x.exe": "no", ".git/a.txt": "no"})
    run = await _run(memory, f"s3://{bucket}", s3[0], legs=True)
    assert run.new == sorted(_ODD, key=str.encode)
    assert {one.source_id: one.payload.decode() for one in run.records} == {
        key: f"text of {key}" for key in _ODD
    }
    assert all(one.occurred_at is not None for one in run.records)
    again = await _run(memory, f"s3://{bucket}", s3[0])
    assert (again.records, again.bad, again.unchanged) == ([], [], len(_ODD))


async def test_new_changed_and_deleted(
    s3: tuple[str, Any], put: Callable[..., str], memory: Memory
) -> None:
    """By the ETag, also where the size is the same."""
    bucket = put(**{"a.txt": "1", "b.txt": "2", "c.txt": "3"})
    await _run(memory, f"s3://{bucket}/", s3[0])
    put(**{"a.txt": "9", "d.txt": "4"})
    s3[1].delete_object(Bucket=bucket, Key="b.txt")
    run = await _run(memory, f"s3://{bucket}/", s3[0])
    assert (run.new, run.gone, run.unchanged) == (["a.txt", "d.txt"], ["b.txt"], 1)


async def test_a_prefix_is_a_folder_an_object_or_a_pattern(
    s3: tuple[str, Any], put: Callable[..., str]
) -> None:
    """And never half a name."""
    bucket = put(**{"in/a.txt": "1", "in/sub/b.txt": "2", "inside/c.txt": "3", "one.bin": "4"})

    async def found(named: str, *exclude: str) -> list[str]:
        return (await _run(Memory(), f"s3://{bucket}/{named}", s3[0], exclude)).new

    assert await found("in") == await found("in/") == ["in/a.txt", "in/sub/b.txt"]
    assert await found("in/*") == ["in/a.txt"]
    assert await found("**/b.txt") == ["in/sub/b.txt"]
    assert await found("in", "sub/**") == ["in/a.txt"]
    assert await found("one.bin") == ["one.bin"]


async def test_a_prefix_that_is_suddenly_empty_keeps_all(
    s3: tuple[str, Any], put: Callable[..., str], memory: Memory
) -> None:
    """As a mount that has vanished does."""
    bucket = put()
    memory.marks = {f"{n}.txt": "x:1" for n in range(10)}
    run = await _run(memory, f"s3://{bucket}/", s3[0])
    assert run.gone == []
    assert "is empty" in run.bad[0].reason


async def test_a_bucket_that_is_not_there(s3: tuple[str, Any], memory: Memory) -> None:
    """A sentence and a hint."""
    with pytest.raises(BadInput, match="There is no bucket nobody-has-this") as caught:
        await _run(memory, "s3://nobody-has-this/x", s3[0])
    assert "endpoint_url" in caught.value.hint


def _error(code: str, more: str = "") -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code>{more}</Error>".encode()


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "said"),
    [
        (403, {}, _error("AccessDenied"), NeedsHuman, "may not be listed with these keys.*ListBuc"),
        (403, {}, _error("SignatureDoesNotMatch"), NeedsHuman, "keys .* are refused by"),
        (403, {}, _error("InvalidAccessKeyId"), NeedsHuman, "keys .* are refused by"),
        (400, {}, _error("ExpiredToken"), NeedsHuman, "keys .* are refused by"),
        (301, {"x-amz-bucket-region": "eu-central-1"}, b"", BadInput, "region to eu-central-1"),
        (
            400,
            {},
            _error("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
            BadInput,
            "not in the region us-east-1.*eu-west-3",
        ),
        (503, {"Retry-After": "3600"}, _error("SlowDown"), Retry, "in trouble"),
        (200, {}, b"<html>", Retry, "no listing of a bucket"),
        (200, {}, b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", Retry, "no"),
    ],
)
async def test_each_refusal_is_one_sentence(
    web: Web,
    memory: Memory,
    status: int,
    headers: dict[str, str],
    body: bytes,
    kind: type[HeadraceError],
    said: str,
) -> None:
    """With what to do about it, and never with a key in it."""
    web.pages["/abc"] = (status, headers, body)
    with pytest.raises(kind, match=said) as caught:
        await _run(memory, "s3://abc/x", web.url)
    assert caught.value.hint or isinstance(caught.value, Retry)
    assert KEYS.secret_access_key not in str(caught.value)


async def test_a_listing_out_of_order_is_refused(web: Web, memory: Memory) -> None:
    """What is not in order cannot be held against what is known."""
    one = "<Contents><Key>{}</Key><Size>1</Size><ETag>e</ETag></Contents>"
    listing = f"<ListBucketResult>{one.format('b.txt')}{one.format('a.txt')}</ListBucketResult>"
    web.pages["/abc"] = (200, {}, listing.encode())
    with pytest.raises(Retry, match="order of its keys"):
        await _run(memory, "s3://abc/", web.url)


async def test_a_key_with_a_newline_is_a_key(web: Web, memory: Memory) -> None:
    """The server of the other tests takes none, so the listing is written here; a key that is no
    text is left out."""
    one = "<Contents><Key>{}</Key><Size>1</Size><ETag>e</ETag></Contents>"
    keys = one.format("two%0Alines.txt") + one.format("x%FF.txt")
    body = f"<ListBucketResult><EncodingType>url</EncodingType>{keys}</ListBucketResult>"
    web.pages["/abc"] = (200, {}, body.encode())
    web.pages["/abc/two%0Alines.txt"] = (200, {}, b"text")
    run = await _run(memory, "s3://abc", web.url)
    assert [(one.source_id, one.payload) for one in run.records] == [("two\nlines.txt", b"text")]
    assert run.bad == []


async def test_an_object_that_may_not_be_read_is_buried_alone(web: Web, memory: Memory) -> None:
    """Nor is a redirect followed to wherever it leads."""
    one = "<Contents><Key>{}</Key><Size>1</Size><ETag>e</ETag></Contents>"
    keys = "".join(one.format(f"{name}.txt") for name in "abcd")
    web.pages["/abc"] = (200, {}, f"<ListBucketResult>{keys}</ListBucketResult>".encode())
    web.pages["/abc/a.txt"] = (403, {}, _error("InvalidObjectState"))
    web.pages["/abc/b.txt"] = (403, {}, _error("AccessDenied"))
    web.pages["/abc/c.txt"] = (302, {"Location": "/abc/d.txt"}, b"")
    web.pages["/abc/d.txt"] = (200, {}, b"d")
    run = await _run(memory, "s3://abc/", web.url)
    assert run.new == ["d.txt"]
    reasons = [one.reason for one in run.bad]
    assert "cold storage" in reasons[0]
    assert "may not be read (403 AccessDenied)" in reasons[1]
    assert "redirects" in reasons[2]


def test_the_signature_is_the_one_that_others_make() -> None:
    """Against botocore's own, for a query with everything in it."""
    from botocore.auth import S3SigV4Auth  # type: ignore[import-untyped]
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
    from botocore.credentials import (  # type: ignore[import-untyped]
        Credentials as TheirCredentials,
    )

    keys = Keys("AKID", "secret", "token")
    url = "https://s3.eu-west-1.amazonaws.com/b/a%20b/%C3%BC.txt?list-type=2&prefix=x%2F%20y"
    request = AWSRequest("GET", url)
    S3SigV4Auth(TheirCredentials("AKID", "secret", "token"), "s3", "eu-west-1").add_auth(request)
    moment = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = signed(url, "eu-west-1", keys, moment)
    assert (
        ours["Authorization"].split("Signature=")[1]
        == (request.headers["Authorization"].split("Signature=")[1])
    )


def test_whose_keys_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's environment for the operator alone; a job's keys for their endpoint alone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "operators")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "operators-secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example.com")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    ours = store_of(AwsConfig(), None, trusted=True)
    assert (ours.endpoint, ours.region) == ("https://store.example.com", "eu-north-1")
    assert ours.keys is not None
    assert ours.keys.access_key_id == "operators"
    theirs = store_of(AwsConfig(), None, trusted=False)
    assert theirs == Store("https://s3.us-east-1.amazonaws.com", "us-east-1", None)
    sealed = Credentials(aws=Keys("a", "b")).text()
    with pytest.raises(NeedsHuman, match="given for another endpoint"):
        store_of(AwsConfig(endpoint_url="https://evil.example.com"), sealed, trusted=False)
