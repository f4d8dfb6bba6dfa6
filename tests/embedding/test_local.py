"""The local model: the right vectors, fast, the same for a text whatever stands beside it."""

from __future__ import annotations

import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tests.embedding.bert_in_numpy import forward
from tokenizers import Tokenizer

from headrace.chunking import chunk
from headrace.embedding import Embedder
from headrace.embedding.weights import installed, read_shape, read_weights

_SENTENCES = [
    "The invoice for October is attached; please pay within thirty days.",
    "Please find enclosed the bill for last month.",
    "A cat sleeps on the warm windowsill.",
    "Our kitten is napping in the sun.",
    "def add(a, b):\n    return a + b",
    "The function computes the sum of two numbers in Python.",
    "Der Zug nach Hamburg hat zwanzig Minuten Verspätung.",
    "PostgreSQL writes every change to its log before the table.",
    "Meeting moved to Thursday 3 pm, same room. Best, Ana",
    "Water flows through the headrace into the mill.",
    "ok",
    "漢字 and 😀 and \ud800 and \0",
]


def prose(words: int, seed: int) -> str:
    chance = random.Random(seed)
    some = [
        "water",
        "river",
        "mill",
        "wheel",
        "stone",
        "grain",
        "flour",
        "village",
        "road",
        "price",
    ]
    return " ".join(chance.choices(some, k=words))


def test_the_graph_is_bert(minilm_fp32: Embedder) -> None:
    """The fp32 graph gives what a plain numpy BERT over the same weights gives, within 1e-4."""
    files = installed()
    weights, shape = read_weights(files.weights), read_shape(files.config)
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    texts = [*_SENTENCES[:10], prose(90, 1), prose(300, 2)]
    vectors = minilm_fp32.embed(texts)
    for text, vector in zip(texts, vectors, strict=True):
        expected = forward(
            weights, tokenizer.encode(text).ids, layers=shape.layers, heads=shape.heads
        )
        assert np.abs(vector - expected).max() < 1e-4


def test_int8_says_nearly_the_same(minilm: Embedder, minilm_fp32: Embedder) -> None:
    """Cosine with fp32 is at least 0.98 on average over varied texts, and nowhere below 0.95."""
    texts = _SENTENCES + [prose(n, n) for n in (5, 20, 60, 120, 250)]
    cosines = (minilm.embed(texts) * minilm_fp32.embed(texts)).sum(axis=1)
    assert cosines.mean() >= 0.98
    assert cosines.min() >= 0.95


def test_neighbours_in_meaning(minilm: Embedder) -> None:
    """Two ways to say one thing are each other's nearest, without a word in common."""
    vectors = minilm.embed(_SENTENCES[:10])
    likeness = vectors @ vectors.T - 2 * np.eye(10)
    for one, other in [(0, 1), (2, 3), (4, 5)]:
        assert likeness[one].argmax() == other
        assert likeness[other].argmax() == one


def test_shape_order_and_length(minilm: Embedder) -> None:
    """Rows are float32 of length 1 in the order of the texts; of no texts there are no rows."""
    texts = [prose(n, n) for n in (200, 1, 50, 3)] + [""]
    vectors = minilm.embed(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, minilm.dimensions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        assert (minilm.embed_query(text) == vector).all()
    assert minilm.embed([]).shape == (0, 384)


def test_a_text_has_one_vector(minilm: Embedder) -> None:
    """Bit for bit, whatever is embedded beside it, before it or in another thread meanwhile."""
    texts = [prose(3 + n % 60, n) for n in range(60)]
    alone = np.stack([minilm.embed_query(text) for text in texts])
    orders = [random.Random(seed).sample(range(60), 60) for seed in range(4)]

    def in_order(order: list[int]) -> np.ndarray:
        return minilm.embed([texts[n] for n in order])

    with ThreadPoolExecutor(4) as pool:
        for order, vectors in zip(orders, pool.map(in_order, orders), strict=True):
            assert (vectors == alone[order]).all()


def test_sentences_can_be_compared_for_chunking(minilm: Embedder) -> None:
    """semantic_chunking with this model cuts between two subjects."""
    mill = "The miller ground the wheat. Flour filled the sacks. The stones turned all day. "
    code = "The compiler reports an error. A test failed in the loop. The patch fixes the bug."
    chunks = chunk(mill + code, strategy="semantic_chunking", size=120, embed=minilm.embed)
    assert [one.start for one in chunks] == [0, len(mill)]


def test_what_is_over_256_tokens_is_left_out(minilm: Embedder) -> None:
    """A long text is embedded by its beginning."""
    start = prose(254, 1)
    assert (minilm.embed_query(f"{start} {prose(500, 2)}") == minilm.embed_query(start)).all()


def test_threads_lose_no_time(minilm: Embedder) -> None:
    """Four callers at once need about the processor time of four calls one after another."""
    parts = [[prose(100, 10 * part + n) for n in range(8)] for part in range(4)]
    minilm.embed(parts[0])
    start = time.process_time()
    for part in parts:
        minilm.embed(part)
    in_turn = time.process_time() - start
    start = time.process_time()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(minilm.embed, parts))
    assert time.process_time() - start < 1.5 * in_turn


def test_it_is_fast(minilm: Embedder) -> None:
    """A text of 220 tokens takes at most 60 ms of one core (on two: 33 texts/s and more)."""
    texts = [prose(218, n) for n in range(40)]
    minilm.embed(texts[:4])
    start = time.process_time()
    minilm.embed(texts)
    assert (time.process_time() - start) / len(texts) < 0.06


def test_nothing_spins_while_idle(minilm: Embedder) -> None:
    """After the work no thread of the model keeps a core busy."""
    minilm.embed([prose(50, n) for n in range(4)])
    start = time.process_time()
    time.sleep(0.3)  # the subject of this test is what happens while nothing is asked
    assert time.process_time() - start < 0.1


def test_the_model_has_a_name_for_its_vectors(minilm: Embedder, minilm_fp32: Embedder) -> None:
    """Provider, model, recipe and the digest of the weights are in it."""
    assert re.fullmatch(r"local/all-MiniLM-L6-v2-\d+-[0-9a-f]{16}", minilm.model)
    assert minilm_fp32.model != minilm.model
