"""BERT as an ONNX graph, from its weights, with the fused nodes that are fast on a CPU.

Input: `ids`, int64 of shape (texts, tokens), all of one length. Output: `vectors`, float32 of shape
(texts, hidden): the mean over the tokens, of length 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from headrace.embedding.weights import MAX_TOKENS, Shape, Weights

# 7 bits of weight, not 8: without VNNI a CPU adds two products of a weight and an activation (0 to
# 255) in 16 bits, which would overflow. So every machine gives the same vectors.
_LARGEST_WEIGHT = 63


def bert(weights: Weights, shape: Shape, *, quantised: bool) -> bytes:
    """The whole graph, serialised. `quantised` makes the products of matrices int8, with a scale
    for each column of weights; without, all is float32. Raises KeyError for a missing tensor."""
    return _Graph(weights, shape, quantised).build()


class _Graph:
    """Collects nodes and constants; each method adds some and returns the name of its result."""

    def __init__(self, weights: Weights, shape: Shape, quantised: bool) -> None:
        self.weights = weights
        self.shape = shape
        self.quantised = quantised
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def build(self) -> bytes:
        hidden = self.embeddings()
        for number in range(self.shape.layers):
            hidden = self.layer(hidden, f"encoder.layer.{number}.")
        self.mean(hidden)
        graph = helper.make_graph(
            self.nodes,
            "bert",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])],
            [
                helper.make_tensor_value_info(
                    "vectors", TensorProto.FLOAT, ["texts", self.shape.hidden_size]
                )
            ],
            self.constants,
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        content: bytes = model.SerializeToString()
        return content

    def embeddings(self) -> str:
        words = self.weights["embeddings.word_embeddings.weight"]
        if self.quantised:  # half the file; what rounding does here is far below what int8 does
            words = words.astype(np.float16)
        positions = self.weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
        positions = positions + self.weights["embeddings.token_type_embeddings.weight"][0]
        word = self.node("Gather", [self.constant("words", words), "ids"], "word")
        word = self.node("Cast", [word], "word.float", to=TensorProto.FLOAT)
        tokens = self.node("Shape", ["ids"], "tokens", start=1, end=2)
        zero = self.constant("zero", np.array([0], np.int64))
        place = self.node("Slice", [self.constant("positions", positions), zero, tokens], "place")
        total = self.node("Add", [word, place], "embedded")
        return self.node(
            "LayerNormalization",
            [total, *self.norm("embeddings.LayerNorm")],
            "layer.in",
            epsilon=self.shape.layer_norm_eps,
        )

    def layer(self, x: str, at: str) -> str:
        seen = self.attention(x, f"{at}attention.self.")
        seen = self.linear(seen, f"{at}attention.output.dense")
        x = self.add_and_norm(seen, x, f"{at}attention.output.LayerNorm")
        wide = self.linear(x, f"{at}intermediate.dense", bias=False)
        bias = self.tensor(f"{at}intermediate.dense.bias")
        wide = self.fused("BiasGelu", [wide, bias], f"{at}gelu")
        narrow = self.linear(wide, f"{at}output.dense")
        return self.add_and_norm(narrow, x, f"{at}output.LayerNorm")

    def attention(self, x: str, at: str) -> str:
        parts = [f"{at}{name}" for name in ("query", "key", "value")]
        weight = np.concatenate([self.weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self.weights[f"{part}.bias"] for part in parts])
        bias_name = self.constant(f"{at}bias", bias)
        heads = self.shape.heads
        if not self.quantised:
            inputs = [x, self.constant(f"{at}weight", weight), bias_name]
            return self.fused("Attention", inputs, f"{at}out", num_heads=heads)
        q, scale, zero = self.int8(f"{at}weight", weight)
        x8 = [f"{at}x", f"{at}x.scale", f"{at}x.zero"]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], x8))
        inputs = [x8[0], q, bias_name, x8[1], scale, "", x8[2], zero]
        return self.fused("QAttention", inputs, f"{at}out", num_heads=heads)

    def linear(self, x: str, name: str, *, bias: bool = True) -> str:
        weight = self.weights[f"{name}.weight"].T
        biases = [self.tensor(f"{name}.bias")] if bias else []
        if self.quantised:
            inputs = [x, *self.int8(f"{name}.weight", weight), *biases]
            return self.fused("DynamicQuantizeMatMul", inputs, f"{name}.out")
        y = self.node("MatMul", [x, self.constant(f"{name}.weight", weight)], f"{name}.product")
        return self.node("Add", [y, *biases], f"{name}.out") if bias else y

    def mean(self, hidden: str) -> None:
        mean = self.node("ReduceMean", [hidden], "mean", axes=[1], keepdims=0)
        self.node("LpNormalization", [mean], "vectors", axis=-1, p=2)

    def add_and_norm(self, x: str, y: str, name: str) -> str:
        inputs = [x, y, *self.norm(name)]
        eps = self.shape.layer_norm_eps
        return self.fused("SkipLayerNormalization", inputs, f"{name}.out", epsilon=eps)

    def norm(self, name: str) -> list[str]:
        return [self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")]

    def int8(self, name: str, weight: np.ndarray) -> tuple[str, str, str]:
        """The matrix as int8, with the scale and the zero point of each column."""
        scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / _LARGEST_WEIGHT
        return (
            self.constant(f"{name}.int8", np.round(weight / scale).astype(np.int8)),
            self.constant(f"{name}.scale", scale.astype(np.float32)),
            self.constant(f"{name}.zero", np.zeros(weight.shape[1], np.int8)),
        )

    def tensor(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def fused(self, kind: str, inputs: list[str], output: str, **settings: Any) -> str:
        """A node of onnxruntime's own that does the work of several."""
        return self.node(kind, inputs, output, domain="com.microsoft", **settings)

    def node(
        self, kind: str, inputs: list[str], output: str, domain: str = "", **settings: Any
    ) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **settings))
        return output
