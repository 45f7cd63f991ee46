"""Who runs what of every kind of .tflite: one XNNPACK partition, packed weights in our delegate."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import hugging_face_models
import numpy as np
import pytest
import torch
from encoder_weights import random_encoder
from image_nets import small_image_encoder
from litert_files import Plan, open_file, plan
from packed_files import open_packed
from random_checkpoints import random_checkpoint
from transformer_checkpoints import write_transformer

from capexport.captioner import ARCHITECTURES, build_captioner, with_image_encoder
from capexport.captioner.encoders import ENCODERS, ImageEncoder
from capexport.capture import capture, capture_graphs
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.compress import RECIPES, apply_recipe, choose_storage
from capexport.ir.graph import Graph
from capexport.ir.passes import run_passes
from capexport.spec.signature import IMAGE, TensorSpec
from capexport.writers import tflite
from capexport.writers.tflite.packed_operators import SPARSE_EMBEDDING, SPARSE_LINEAR

OURS = {SPARSE_LINEAR, SPARSE_EMBEDDING}
AT_THE_ENDS = {"EMBEDDING_LOOKUP", "LOG_SOFTMAX"}
"""XNNPACK has neither: rows of tables come before everything, log-probabilities after it."""
OF_PIXELS = {"CAST", "QUANTIZE"}
"""XNNPACK has no uint8 input of these: they are the first operator of a graph of pictures."""
UNPACKED = {"DENSIFY", "FULLY_CONNECTED"}
"""What stock-sparse costs: see docs/decisions/stock-sparse.md."""
SPARSITY, WIDE = 0.9, 64
"""Enough of both for every matrix to be worth packing."""
ACORT = {
    "share_att_encoder": "kv",
    "share_att_decoder": "qk",
    "share_layer_encoder": [0, 0],
    "share_layer_decoder": [0, 0],
}
VARIANTS = {
    "gru": ("soft_attention", {"rnn_name": "GRU"}),
    "batch_norm_and_boxes": ("up_down_lstm", {"use_bn": 2, "use_box": 1, "norm_att_feat": 1}),
}
SAME_LAYERS = {"resnet101": "resnet50"}
"""Encoders that differ by their number of layers alone."""
SIDE = 64


def pruned(checkpoint: Checkpoint) -> Checkpoint:
    generator = torch.Generator().manual_seed(0)
    return replace(
        checkpoint,
        tensors={
            name: t * (torch.rand(t.shape, generator=generator) > SPARSITY) if t.ndim == 2 else t
            for name, t in checkpoint.tensors.items()
        },
    )


def checkpoint(name: str, folder: Path) -> Checkpoint:
    if name == "acort":
        return read_checkpoint(write_transformer(folder, sparsity=SPARSITY, config=ACORT))
    if name in hugging_face_models.BUILDERS:
        model = hugging_face_models.BUILDERS[name]()
        return pruned(read_checkpoint(hugging_face_models.save(model, folder)))
    architecture, options = VARIANTS.get(name, (name, {}))
    sizes = {"rnn_size": WIDE, "d_model": WIDE, "att_feat_size": 25 if "use_box" in options else 20}
    return random_checkpoint(architecture, sparsity=SPARSITY, **sizes, **options)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], list[Graph]]]:
    """The float graphs of a captioner of each kind, each captured once."""

    @cache
    def make(name: str) -> list[Graph]:
        captioner = build_captioner(checkpoint(name, tmp_path_factory.mktemp(name)))
        return [run_passes(graph) for graph in capture_graphs(captioner)]

    yield make
    make.cache_clear()


def planned(graph: Graph, recipe: str, weights: str) -> Plan:
    data = tflite.write(choose_storage(apply_recipe(graph, RECIPES[recipe]), weights))
    interpreter = open_packed(data) if weights == "packed" else open_file(data)
    interpreter.allocate_tensors()
    return plan(interpreter)


def left(operators: Counter[str], names: set[str]) -> Counter[str]:
    return Counter({name: count for name, count in operators.items() if name in names})


@pytest.mark.parametrize("recipe", ["fp32", "weight_only_wi8", "dynamic_wi8"])
@pytest.mark.parametrize("name", [*ARCHITECTURES, *VARIANTS, "acort"])
def test_dense_graphs_are_one_partition(
    graphs: Callable[[str], list[Graph]], name: str, recipe: str
) -> None:
    for graph in graphs(name):
        found = planned(graph, recipe, "dense")
        (piece,) = found.pieces
        assert found.builtin == left(found.operators, AT_THE_ENDS | OF_PIXELS), graph.name
        assert piece == found.operators - found.builtin
        assert piece.total() > 0.9 * found.operators.total() - len(AT_THE_ENDS)


@pytest.mark.parametrize("name", [*ARCHITECTURES, *VARIANTS, "acort"])
def test_packed_graphs_belong_to_both_delegates(
    graphs: Callable[[str], list[Graph]], name: str
) -> None:
    """Ours runs every operator of ours and no other, XNNPACK all the rest."""
    for graph in graphs(name):
        found = planned(graph, "dynamic_wi8", "packed")
        ours = [piece for piece in found.pieces if OURS & set(piece)]
        others = [piece for piece in found.pieces if piece not in ours]
        mine = left(found.operators, OURS)
        assert mine.total() > 0
        assert sum(ours, Counter()) == mine, graph.name
        assert found.builtin == left(found.operators, AT_THE_ENDS | OF_PIXELS), graph.name
        assert sum(others, Counter()) == found.operators - mine - found.builtin


@pytest.mark.parametrize("recipe", ["fp32", "dynamic_wi8"])
def test_stock_sparse_graphs_leave_only_what_is_sparse(
    graphs: Callable[[str], list[Graph]], recipe: str
) -> None:
    for graph in graphs("up_down_lstm"):
        found = planned(graph, recipe, "stock-sparse")
        assert set(found.builtin) <= AT_THE_ENDS | UNPACKED
        assert not UNPACKED & set().union(*found.pieces)


def static(module: torch.nn.Module, image: TensorSpec, outputs: list[TensorSpec]) -> Plan:
    graph = run_passes(capture(module, "encoder", [image], outputs))
    pixels = np.random.default_rng(0).integers(0, 256, graph.shape(IMAGE), np.uint8)
    interpreter = open_file(
        tflite.write(apply_recipe(graph, RECIPES["static_wi8_ai8"], [{IMAGE: pixels}]))
    )
    interpreter.allocate_tensors()
    return plan(interpreter)


def assert_one_partition_behind_the_pixels(found: Plan) -> None:
    (piece,) = found.pieces
    assert found.builtin.total() == 1
    assert set(found.builtin) <= OF_PIXELS
    assert piece == found.operators - found.builtin


@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in SAME_LAYERS])
def test_static_image_encoders_are_one_partition(name: str) -> None:
    encoder = random_encoder(name, SIDE)
    cells = encoder.grid[0] * encoder.grid[1]
    features = [TensorSpec("features", (cells, encoder.channels))]
    image = TensorSpec(IMAGE, encoder.image.shape, "uint8")
    assert_one_partition_behind_the_pixels(static(encoder.module, image, features))


@pytest.mark.parametrize("name", ["up_down_lstm", "relation_transformer"])
def test_a_static_encoder_with_a_captioner_behind_it_is_one_partition(name: str) -> None:
    image_encoder: ImageEncoder = small_image_encoder(20)
    captioner = with_image_encoder(build_captioner(random_checkpoint(name)), image_encoder)
    (image,) = captioner.signature.inputs
    outputs = list(captioner.signature.encoder_outputs)
    assert_one_partition_behind_the_pixels(static(captioner.encoder, image, outputs))
