"""A captioner of a few hundred weights: its meaning in numpy, and its graphs for each runtime.

Attention over region features and one recurrent state; weights are random but fixed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from capexport.bundle import Bundle, Manifest, create_bundle
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import check_shapes, infer_shapes
from capexport.runtime import Features
from capexport.spec.decoding import Decoding
from capexport.spec.signature import BEAMS, REGIONS, CaptionerSignature, StateSpec, TensorSpec
from capexport.spec.vocabulary import Vocabulary

Array = NDArray[Any]

FEATURES, WIDTH, VOCABULARY = 6, 5, 11
DECODING = Decoding(bos=2, eos=3, pad=0, unk=1, max_length=7, beam=2)
SIGNATURE = CaptionerSignature(
    inputs=(TensorSpec("att", (REGIONS, FEATURES)), TensorSpec("fc", (1, FEATURES))),
    memory=(TensorSpec("values", (REGIONS, WIDTH)), TensorSpec("image", (1, WIDTH))),
    states=(StateSpec("h", (BEAMS, WIDTH)), StateSpec("g", (BEAMS, WIDTH))),
    vocabulary_size=VOCABULARY,
)


def weights() -> dict[str, Array]:
    random = np.random.default_rng(7)
    shapes = {
        "att_embed": (WIDTH, FEATURES),
        "fc_embed": (WIDTH, FEATURES),
        "embed": (VOCABULARY, WIDTH),
        "recurrent": (WIDTH, 3 * WIDTH),
        "logit": (VOCABULARY, WIDTH),
    }
    return {name: random.normal(size=s).astype(np.float32) for name, s in shapes.items()}


def features(regions: int, seed: int = 0) -> Features:
    random = np.random.default_rng(seed)
    att = random.normal(size=(regions, FEATURES)).astype(np.float32)
    return Features(att, att.mean(axis=0))


# ---- the meaning, in numpy


def encode(att: Array, fc: Array) -> dict[str, Array]:
    w = weights()
    return {"values": np.tanh(att @ w["att_embed"].T), "image": np.tanh(fc @ w["fc_embed"].T)}


def step(
    token: Array, states: Mapping[str, Array], memory: Mapping[str, Array]
) -> tuple[Array, dict[str, Array]]:
    w = weights()
    scores = states["h"] @ memory["values"].T
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    context = scores / scores.sum(-1, keepdims=True) @ memory["values"]
    word = w["embed"][token] + memory["image"]
    h = np.tanh(np.concatenate([word, context, states["g"]], -1) @ w["recurrent"].T)
    logits = h @ w["logit"].T
    logits = logits - logits.max(-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return log_probs, {"h": h, "g": states["h"] + states["g"]}


# ---- the same as ONNX, written by hand


def _onnx(name: str, nodes: list[Any], inputs: Any, outputs: Any, constants: list[str]) -> bytes:
    kinds = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}
    w = {key: value if key == "embed" else value.T for key, value in weights().items()}
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(s.name, kinds[s.dtype], s.shape) for s in inputs],
        [helper.make_tensor_value_info(s.name, kinds[s.dtype], s.shape) for s in outputs],
        [numpy_helper.from_array(np.ascontiguousarray(w[key]), key) for key in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def encoder_onnx() -> bytes:
    nodes = [
        helper.make_node("MatMul", ["att", "att_embed"], ["a"]),
        helper.make_node("Tanh", ["a"], ["values"]),
        helper.make_node("MatMul", ["fc", "fc_embed"], ["f"]),
        helper.make_node("Tanh", ["f"], ["image"]),
    ]
    constants = ["att_embed", "fc_embed"]
    return _onnx("encoder", nodes, SIGNATURE.inputs, SIGNATURE.memory, constants)


def decoder_step_onnx() -> bytes:
    nodes = [
        helper.make_node("Transpose", ["values"], ["keys"], perm=[1, 0]),
        helper.make_node("MatMul", ["h", "keys"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["attention"], axis=-1),
        helper.make_node("MatMul", ["attention", "values"], ["context"]),
        helper.make_node("Gather", ["embed", "token"], ["word"]),
        helper.make_node("Add", ["word", "image"], ["word_image"]),
        helper.make_node("Concat", ["word_image", "context", "g"], ["x"], axis=1),
        helper.make_node("MatMul", ["x", "recurrent"], ["y"]),
        helper.make_node("Tanh", ["y"], ["h_next"]),
        helper.make_node("MatMul", ["h_next", "logit"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=-1),
        helper.make_node("Add", ["h", "g"], ["g_next"]),
    ]
    constants = ["embed", "recurrent", "logit"]
    outputs = SIGNATURE.step_outputs
    return _onnx("decoder_step", nodes, SIGNATURE.step_inputs, outputs, constants)


# ---- the same as IR graphs, for the TFLite writer


def _graph(name: str, nodes: list[Node], inputs: Any, outputs: Any, constants: list[str]) -> Graph:
    kept = {key: Constant(key, weights()[key]) for key in constants}
    values = {spec.name: spec for spec in inputs}
    for node in nodes:
        shapes = [kept[n].shape if n in kept else values[n].shape for n in node.inputs]
        shape = infer_shapes(node, shapes)[0]
        values[node.outputs[0]] = TensorSpec(node.outputs[0], shape)
    names = tuple(spec.name for spec in inputs), tuple(spec.name for spec in outputs)
    return check_shapes(Graph(name, *names, tuple(nodes), values, kept))


LINEAR = {"activations": "float", "relu": False}


def encoder_graph() -> Graph:
    nodes = [
        Node("linear", ("att", "att_embed"), ("a",), LINEAR),
        Node("tanh", ("a",), ("values",)),
        Node("linear", ("fc", "fc_embed"), ("f",), LINEAR),
        Node("tanh", ("f",), ("image",)),
    ]
    constants = ["att_embed", "fc_embed"]
    return _graph("encoder", nodes, SIGNATURE.inputs, SIGNATURE.memory, constants)


def decoder_step_graph() -> Graph:
    nodes = [
        # values [regions, width] * h [beams, 1, width], summed over width -> [beams, regions]
        Node("unsqueeze", ("h",), ("h3",), {"axis": 1}),
        Node("mul", ("h3", "values"), ("products",)),
        Node("sum", ("products",), ("scores",), {"axis": 2}),
        Node("softmax", ("scores",), ("attention",)),
        Node("matmul", ("attention", "values"), ("context",)),
        Node("embedding", ("embed", "token"), ("word",)),
        Node("add", ("word", "image"), ("word_image",)),
        Node("concat", ("word_image", "context", "g"), ("x",), {"axis": 1}),
        Node("linear", ("x", "recurrent"), ("y",), LINEAR),
        Node("tanh", ("y",), ("h_next",)),
        Node("linear", ("h_next", "logit"), ("logits",), LINEAR),
        Node("log_softmax", ("logits",), ("log_probs",)),
        Node("add", ("h", "g"), ("g_next",)),
    ]
    constants = ["embed", "recurrent", "logit"]
    return _graph("decoder_step", nodes, SIGNATURE.step_inputs, SIGNATURE.step_outputs, constants)


# ---- the bundle


def manifest(*runtimes: str, **changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "architecture": "tiny",
        "lineage": "tests",
        "signature": SIGNATURE,
        "vocabulary": Vocabulary(
            ("<pad>", "<unk>", "<bos>", "<eos>", *(f"▁w{i}" for i in range(4, VOCABULARY)))
        ),
        "decoding": DECODING,
        "recipe": {"encoder": "fp32", "decoder": "fp32"},
        "weights": "dense",
        "runtimes": runtimes,
        "minimum_runtime": {},
        "provenance": {},
    }
    return Manifest(**{**fields, **changes})


def onnx_bundle(out: Path, **changes: Any) -> Bundle:
    files = {"encoder.onnx": encoder_onnx(), "decoder_step.onnx": decoder_step_onnx()}
    return create_bundle(out, manifest("onnxruntime", **changes), files, force=False)


def litert_bundle(out: Path, **changes: Any) -> Bundle:
    from capexport.writers import tflite

    files = {
        "encoder.tflite": tflite.write(encoder_graph()),
        "decoder_step.tflite": tflite.write(decoder_step_graph()),
    }
    return create_bundle(out, manifest("litert", **changes), files, force=False)
