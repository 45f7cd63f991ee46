"""Every imported function of torch: graph and both files, in their runtimes, give its numbers."""

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
import torch
from litert_files import open_file, partitions
from litert_files import run as run_litert
from torch import nn
from torch.nn import functional as F

from capexport.capture import capture
from capexport.ir.evaluate import evaluate
from capexport.ir.passes import run_passes
from capexport.spec.signature import Shape, TensorSpec
from capexport.writers import onnx, tflite

TOLERANCE = 64 * float(np.finfo(np.float32).eps)
"""Relative to the largest output: sums of up to 24 float32 and a few roundings after them."""
X = TensorSpec("x", ("beams", 24))
LENGTHS = ({"beams": 1}, {"beams": 5}, {"beams": 31})

SCALE, BIAS = torch.linspace(-1, 1, 24), torch.linspace(0, 3, 24)

CASES: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], Shape]] = {
    "div": (lambda x: x / (x.abs() + 1), ("beams", 24)),
    "reciprocal of a number": (lambda x: 3 / (x.abs() + 1), ("beams", 24)),
    "maximum": (lambda x: torch.maximum(x, x * x), ("beams", 24)),
    "lower limit": (lambda x: x.clamp(min=0.5), ("beams", 24)),
    "gelu": (lambda x: F.gelu(x), ("beams", 24)),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), ("beams", 24)),
    "quick gelu": (lambda x: x * torch.sigmoid(x * 1.702), ("beams", 24)),
    "log": (lambda x: torch.log(x.abs() + 0.1), ("beams", 24)),
    "sqrt": (lambda x: torch.sqrt(x.abs()), ("beams", 24)),
    "sin": (lambda x: torch.sin(x * 100), ("beams", 24)),
    "cos": (lambda x: torch.cos(x * 100), ("beams", 24)),
    "mean": (lambda x: x - x.mean(-1, keepdim=True), ("beams", 24)),
    "mean that disappears": (lambda x: x.view(-1, 4, 6).mean((1, 2)), ("beams",)),
    "layer norm": (
        lambda x: F.layer_norm(x, [24], SCALE, BIAS, 1e-6),
        ("beams", 24),
    ),
    "slice": (lambda x: x[:, 3:-2], ("beams", 19)),
    "slice of all": (lambda x: x[:, :] + 1, ("beams", 24)),
    "view": (lambda x: x.view(-1, 4, 1, 6), ("beams", 4, 1, 6)),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(1) + 1, ("beams", 24)),
    "permute": (lambda x: x.view(-1, 4, 6).permute(1, 0, 2), (4, "beams", 6)),
    "transpose": (lambda x: x.view(-1, 4, 6).transpose(-1, 1), ("beams", 6, 4)),
    "transpose and reshape": (
        lambda x: x.view(-1, 4, 6).transpose(1, 2).reshape(-1, 24),
        ("beams", 24),
    ),
    "product with a transpose": (
        lambda x: x.view(-1, 4, 6) @ x.view(-1, 4, 6).transpose(-1, -2),
        ("beams", 4, 4),
    ),
}


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


@pytest.mark.parametrize("name", CASES)
def test_graph_and_files_compute_what_torch_computes(name: str) -> None:
    function, shape = CASES[name]
    graph = run_passes(capture(Function(function), "g", [X], [TensorSpec("y", shape)]))
    interpreter = open_file(tflite.write(graph))
    session = onnxruntime.InferenceSession(onnx.write(graph), providers=["CPUExecutionProvider"])
    for axes in LENGTHS:
        x = np.random.default_rng(3).normal(size=(axes["beams"], 24)).astype(np.float32)
        expected = function(torch.from_numpy(x)).numpy()
        bound = TOLERANCE * max(1.0, float(np.abs(expected).max()))
        for got in (
            evaluate(graph, {"x": x})["y"],
            run_litert(interpreter, {"x": x})["y"],
            session.run(["y"], {"x": x})[0],
        ):
            np.testing.assert_allclose(got, expected, rtol=0, atol=bound)
    assert partitions(interpreter) == 1
