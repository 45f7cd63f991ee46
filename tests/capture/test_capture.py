"""torch modules -> graphs: the same numbers, and a refusal for everything that is not known."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from up_down_graphs import random_inputs, tiny_captioner, tiny_graphs

from capexport.capture import capture
from capexport.capture.importers import IMPORTERS
from capexport.errors import UnsupportedError
from capexport.ir.evaluate import evaluate
from capexport.ir.passes import run_passes
from capexport.spec.signature import TensorSpec

X = TensorSpec("x", ("beams", 8))
Y = TensorSpec("y", ("beams", 8))
TOLERANCE = 1e-5
"""A dozen float32 operators on numbers near 1, summed in another order."""


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


@pytest.mark.parametrize("part", [0, 1], ids=["encoder", "decoder_step"])
@pytest.mark.parametrize(("beams", "regions"), [(1, 1), (5, 36), (2, 100)])
def test_graphs_compute_what_torch_computes(part: int, beams: int, regions: int) -> None:
    captioner = tiny_captioner()
    graph = run_passes(tiny_graphs()[part])
    inputs = random_inputs(graph, beams, regions)
    module = (captioner.encoder, captioner.decoder_step)[part]
    expected = module(*(torch.from_numpy(array) for array in inputs.values()))
    got = evaluate(graph, inputs)
    for name, tensor in zip(graph.outputs, expected, strict=True):
        np.testing.assert_allclose(got[name], tensor.detach().numpy(), rtol=0, atol=TOLERANCE)


def test_names_are_the_signatures() -> None:
    signature = tiny_captioner().signature
    encoder, step = tiny_graphs()
    assert encoder.inputs == tuple(spec.name for spec in signature.inputs)
    assert step.inputs == tuple(spec.name for spec in signature.step_inputs)
    assert [step.values[name] for name in step.outputs] == list(signature.step_outputs)


def test_no_weight_is_in_both_graphs() -> None:
    encoder, step = tiny_graphs()
    held = [
        {constant.data.tobytes() for constant in graph.constants.values()}
        for graph in (encoder, step)
    ]
    assert not held[0] & held[1]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: torch.add(x, x, alpha=2), "keyword arguments"),
        (lambda x: torch.cumsum(x, -1), "no importer"),
        (lambda x: F.softmax(x, 0), "only the last axis"),
        (lambda x: F.log_softmax(x, -1, dtype=torch.float64).float(), "dtype"),
        (lambda x: x + x.sum(-1, keepdim=True), "axis that disappears"),
        (lambda x: torch.cat(x.split([3, 5], -1), -1), "no importer|not equal"),
        (lambda x: torch.cat(x.split(5, -1), -1), "not equal"),
        (lambda x: x[:, ::2], "step 1"),
        (lambda x: x.clamp(0, 1), "only a lower one"),
        (lambda x: x * x.shape[0], "no number to compute with"),
        (lambda x: F.layer_norm(x, [8]), "scale and bias"),
        (lambda x: x.reshape(-1, 4).reshape(-1, 8), "computed from the named axes"),
    ],
)
def test_what_no_importer_knows_is_refused(
    function: Callable[[torch.Tensor], torch.Tensor], reason: str
) -> None:
    with pytest.raises(UnsupportedError, match=reason) as error:
        capture(Function(function), "g", [X], [Y])
    assert error.value.where
    assert error.value.hint


def test_an_output_must_have_its_declared_shape() -> None:
    with pytest.raises(UnsupportedError, match="the signature says"):
        capture(Function(torch.relu), "g", [X], [TensorSpec("y", ("beams", 9))])


def test_an_operator_may_be_called_as_an_output_is() -> None:
    tanh = TensorSpec("tanh", ("beams", 8))
    graph = capture(Function(lambda x: torch.tanh(torch.tanh(x)).relu()), "g", [X], [tanh])
    x = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
    expected = np.maximum(np.tanh(np.tanh(x)), 0)
    np.testing.assert_allclose(evaluate(graph, {"x": x})["tanh"], expected, atol=TOLERANCE)


def test_an_input_cannot_be_an_output() -> None:
    with pytest.raises(UnsupportedError, match="is an input"):
        capture(Function(lambda x: x), "g", [X], [Y])


def test_importers_are_named_after_aten_operators() -> None:
    for name in IMPORTERS:
        packet, overload = name.removeprefix("aten.").split(".")
        assert hasattr(getattr(torch.ops.aten, packet), overload)
