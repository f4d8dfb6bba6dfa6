"""What people write is embedded, once, piece by piece, and swept when it is gone."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.interactions.conftest import Post, wrote

from headrace.chunking import content_hash
from headrace.embedding.local import LocalEmbedder
from headrace.engine import vectors
from headrace.engine.lanes import band
from headrace.engine.queues import APART
from headrace.errors import NeedsHuman, Retry
from headrace.stages import embed_interactions as stage_

EMBED = "embed_interactions"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the model is asked for."""
    seen: list[str] = []
    embed = LocalEmbedder.embed

    def spied(self: LocalEmbedder, texts: list[str]) -> np.ndarray:
        seen.extend(texts)
        return embed(self, texts)

    monkeypatch.setattr(LocalEmbedder, "embed", spied)
    return seen


def test_each_text_is_cut_and_embedded_once(post: Post, asked: list[str]) -> None:
    """Covers A1.33, A1.52: chunks of 800 with 100 overlap, under the hash of the text; run twice,
    the same; a text that differs in case only is the same one."""
    long = " ".join(f"Sentence number {at} of the report." for at in range(60))
    number = post.land(
        wrote("a", "Lunch at noon?", subject="Hi"),
        wrote("b", "LUNCH at noon?", subject="hi"),
        wrote("c", long),
    )
    assert post.embed(number) == 4
    assert post.embed(number) == 0
    rows = post.rows("SELECT * FROM headrace.chunks ORDER BY content_hash, position")
    hashes = {row["text_hash"] for row in post.rows("SELECT text_hash FROM headrace.interactions")}
    assert {row["content_hash"] for row in rows} == hashes
    assert len(hashes) == 2
    for row in rows:
        assert (row["kind"], row["search"]) == ("interactions", None)
        assert len(row["body"]) <= 800
        assert row["chunk_hash"] == content_hash(row["body"])
        assert row["end_at"] - row["start_at"] == len(row["body"])
    assert len(asked) == 4
    [run] = post.rows("SELECT rows_in FROM headrace.stage_runs WHERE stage = %s", EMBED)
    assert run["rows_in"] == 2


def test_what_the_tenant_has_had_embedded_is_not_embedded_again(
    post: Post, asked: list[str]
) -> None:
    """Covers A1.33: by the hash of each chunk, in whichever stream it was."""
    post.embed(post.land(wrote("a", "Lunch at noon?")))
    post.embed(post.land(wrote("b", "Lunch at noon?  "), stream="other"))
    assert asked == ["Lunch at noon?"]
    assert post.embedded() == ["Lunch at noon?", "Lunch at noon?"]


@pytest.mark.parametrize(
    ("wants", "embedded"),
    [("people", ["Lunch?"]), ("all", ["Buy now!", "Lunch?"]), ("none", [])],
)
def test_which_are_embedded(post: Post, wants: str, embedded: list[str]) -> None:
    """What programs send is found by its words; drafts and spam are nobody's word."""
    post.setting(headrace_embed_interactions=wants)
    number = post.land(
        wrote("a", "Lunch?"),
        wrote("b", "Buy now!", automated="list"),
        wrote("c", "Not yet", labels=["DRAFT"]),
        wrote("d", "Win!", labels=["SPAM"]),
        wrote("e", "  "),
    )
    post.embed(number)
    assert post.embedded() == embedded


def test_it_goes_on_where_it_was_killed(
    post: Post, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A4.1: what was committed is not done again; an embedder that is away is waited for."""
    monkeypatch.setattr(stage_, "_AT_ONCE", 2)
    number = post.land(*[wrote(f"m{at}", f"Message number {at}") for at in range(7)])
    embed = LocalEmbedder.embed

    def away(self: LocalEmbedder, texts: list[str]) -> np.ndarray:
        if len(asked) >= 4:
            raise Retry("The endpoint is busy.", after=1)
        return embed(self, texts)

    with monkeypatch.context() as patched:
        patched.setattr(LocalEmbedder, "embed", away)
        with pytest.raises(Retry):
            post.embed(number)
    assert len(post.embedded()) == 4
    assert not post.rows("SELECT 1 AS n FROM headrace.stage_runs WHERE stage = %s", EMBED)
    assert post.embed(number) == 3
    assert sorted(asked) == [f"Message number {at}" for at in range(7)]


def test_without_a_model_it_waits(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise NeedsHuman("The local model is not installed.", hint="Install it.")

    number = post.land(wrote("a", "Lunch?"))
    monkeypatch.setattr(stage_, "open_embedder", missing)
    with pytest.raises(Retry) as said:
        post.embed(number)
    assert said.value.after == 300
    post.setting(headrace_embed_interactions="none")
    assert post.embed(number) == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_nobody_says_any_more_is_swept(post: Post, order: tuple[int, ...]) -> None:
    """Covers A1.52: edited and deleted in any order of batches; what another message still says
    stays."""
    batches = [
        post.land(wrote("a", "One"), wrote("b", "Two"), wrote("c", "Three"), wrote("d", "Two")),
        post.land(wrote("a", "One, edited"), wrote("b", "", gone=True)),
        post.land(wrote("c", "", gone=True), wrote("e", "Four")),
    ]
    for at in order:
        post.embed(batches[at])
    assert post.embedded() == ["Four", "One, edited", "Two"]


def test_a_text_that_was_swept_while_it_was_wanted_is_embedded_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.embed(post.land(wrote("a", "Once more")))
    number = post.land(wrote("b", "Once more"))
    looked = stage_._unsent

    def swept(*given: Any) -> bool:
        # After it has been found to be there: it is asked of each text that was.
        post.rows("DELETE FROM headrace.chunks RETURNING 1 AS n")
        return looked(*given)

    with monkeypatch.context() as patched:
        patched.setattr(stage_, "_unsent", swept)
        with pytest.raises(Retry, match="swept"):
            post.embed(number)
    assert post.embed(number) == 1


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["One", "Two", "ONE", "", "gone"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_there_is_what_is_said(
    post: Post, changes: list[tuple[str, str, bool]], dice: Random
) -> None:
    """Covers A1.52: after any changes, in any order of batches, some of them twice: exactly the
    texts that are in `interactions` are embedded."""
    numbers = []
    for name, text, automated in changes:
        more = {"automated": "list"} if automated else {}
        numbers.append(post.land(wrote(name, text, gone=text == "gone", **more)))
    dice.shuffle(numbers)
    for number in [*numbers, *numbers[:2]]:
        post.embed(number)
    there = {bytes(row["content_hash"]) for row in post.rows("SELECT * FROM headrace.chunks")}
    wanted = "SELECT text_hash FROM headrace.interactions WHERE text_hash IS NOT NULL"
    people = {bytes(row["text_hash"]) for row in post.rows(f"{wanted} AND automated IS NULL")}
    all_ = {bytes(row["text_hash"]) for row in post.rows(wanted)}
    assert people <= there <= all_


def test_its_vectors_have_an_index_of_their_own(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end has the index made, for no job waits for it; documents have another one."""
    monkeypatch.setattr(vectors, "LEAST", 2)
    post.embed(post.land(wrote("a", "One"), wrote("b", "Two")))
    [asked] = post.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'headrace.tend'"
    )
    assert asked["workflow_uuid"].startswith(f"tend:{EMBED}:")
    assert vectors.tend(post.database) == 1
    [index] = post.rows(
        "SELECT indexdef FROM pg_indexes WHERE starts_with(indexname, 'chunks_of_interactions_by_')"
    )
    assert "(kind = 'interactions'::text)" in index["indexdef"]


def test_it_stands_apart(post: Post) -> None:
    """Asked for when its batch is normalised, in a queue of its own, after everything else."""
    number = post.land(wrote("a", "One"))
    [asked] = post.rows(
        "SELECT queue_name, priority FROM dbos.workflow_status WHERE workflow_uuid LIKE %s",
        f"stage:{EMBED}:%:{number}:1",
    )
    first, _ = band("medium", "interactive")
    assert asked == {"queue_name": APART, "priority": first}
