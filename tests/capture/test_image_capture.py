"""torch image encoders -> graphs -> files of both formats: the same numbers all the way."""

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
import torch
from image_nets import NETS, SIZES, float_graph, images, net
from litert_files import open_file, partitions, run
from torch import nn
from torch.nn import functional as F

from capexport.capture import capture
from capexport.errors import UnsupportedError
from capexport.ir.evaluate import evaluate
from capexport.ir.passes import run_passes
from capexport.ir.passes.channels_last import channels_last
from capexport.spec.signature import TensorSpec
from capexport.writers import onnx, tflite

TOLERANCE = 3e-5
"""A dozen float32 operators on numbers about 1 to 10, summed in another order."""
X = TensorSpec("x", (1, 4, 6, 7))
KERNEL = torch.ones(2, 4, 3, 5)
PER_CHANNEL, PER_COLUMN = torch.arange(4.0).reshape(4, 1, 1), torch.arange(7.0)


def litert(data: bytes, inputs: dict[str, np.ndarray]) -> np.ndarray:
    return run(open_file(data), inputs)["features"]


def in_onnxruntime(data: bytes, inputs: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(["features"], inputs)[0]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", NETS)
def test_an_encoder_computes_what_torch_computes(
    kind: type[nn.Module], size: tuple[int, int]
) -> None:
    graph, image = float_graph(kind, size), images(1, size)[0]
    expected = net(kind)(image).detach().numpy()
    inputs = {"image": image.numpy()}
    for got in (
        evaluate(graph, inputs)["features"],
        evaluate(channels_last(graph), inputs)["features"],
        litert(tflite.write(graph), inputs),
        in_onnxruntime(onnx.write(graph), inputs),
    ):
        bound = TOLERANCE * max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("kind", NETS)
def test_a_tflite_encoder_has_no_transpose_and_one_partition(kind: type[nn.Module]) -> None:
    assert all(node.op != "transpose" for node in channels_last(float_graph(kind)).nodes)
    interpreter = open_file(tflite.write(float_graph(kind)))
    interpreter.allocate_tensors()
    assert partitions(interpreter) == 1


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "clamp": lambda x: x.clamp(0, 6) + x.clamp(min=0),
    "hardsigmoid": F.hardsigmoid,
    "pads": lambda x: F.pad(F.pad(x, (1, 0, 0, 2)), (0, 0, 2, 0), value=-1.0),
    "same": lambda x: F.conv2d(x, KERNEL, padding="same"),
    "valid": lambda x: F.conv2d(x, KERNEL, padding="valid"),
    "max ceil": lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "max floor": lambda x: F.max_pool2d(x, (2, 3), (3, 2)),
    "average": lambda x: F.avg_pool2d(x, 3, 2, 1),
    "average ceil": lambda x: F.avg_pool2d(x, 2, 2, ceil_mode=True),
    "average uncounted": lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, (3, 7)),
    "means": lambda x: x.mean((2, 3), keepdim=True) * x + x.mean(-3, keepdim=True),
    "mean of all": lambda x: x * x.mean((0, 1, 2, 3), keepdim=True),
    "flatten": lambda x: x.flatten(1).squeeze(0),
    "transpose": lambda x: x.transpose(1, -1).contiguous().transpose(0, 2),
    "concat": lambda x: torch.cat([x, F.relu(x).permute(0, 1, 2, 3)], 2),
    "broadcast": lambda x: F.relu6(x) * PER_CHANNEL - PER_COLUMN,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    module = Function(FUNCTIONS[name])
    x = torch.randn(X.shape, generator=torch.Generator().manual_seed(2)) * 4
    expected = module(x).numpy()
    graph = run_passes(capture(module, "g", [X], [TensorSpec("features", expected.shape)]))
    inputs = {"x": x.numpy()}
    bound = TOLERANCE * float(np.abs(expected).max())
    for graph_or_moved in (graph, channels_last(graph)):
        got = evaluate(graph_or_moved, inputs)["features"]
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound)
    for got in (litert(tflite.write(graph), inputs), in_onnxruntime(onnx.write(graph), inputs)):
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: F.conv2d(x, torch.ones(2, 4, 1, 1), dilation=2), "dilation"),
        (lambda x: F.max_pool2d(x, 2, dilation=2), "dilation"),
        (lambda x: F.avg_pool2d(x, 2, divisor_override=3), "divisor"),
        (lambda x: F.adaptive_avg_pool2d(x, 4), "does not divide"),
        (lambda x: F.pad(x, (1, 1, 0, 0), mode="reflect"), "pad"),
        (lambda x: F.pad(x, (-1, 0)), "only added"),
        (lambda x: x.clamp(-1, 1), "limits"),
        (lambda x: x.to(torch.float64).float(), "float32"),
    ],
)
def test_what_no_importer_knows_is_refused(
    function: Callable[[torch.Tensor], torch.Tensor], reason: str
) -> None:
    module = Function(function)
    result = TensorSpec("y", tuple(module(torch.zeros(X.shape)).shape))
    with pytest.raises(UnsupportedError, match=reason):
        capture(module, "g", [X], [result])


class Unconvertible(nn.Module):
    """Three things that no importer knows, in two submodules."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.SiLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cumsum(F.relu(self.body(x)), -1)


def test_one_error_names_everything_that_cannot_be_converted() -> None:
    with pytest.raises(UnsupportedError) as caught:
        capture(Unconvertible(), "g", [X], [TensorSpec("y", X.shape)])
    error = caught.value
    assert error.what.startswith("3 operations")
    for operator in ("batch_norm", "silu", "cumsum"):
        assert operator in error.what
    for path in ("body.1", "body.2", "the module itself"):
        assert path in error.where
    for advice in ("fold batch norm", "x * sigmoid(x)", "add an importer"):
        assert advice in error.hint
    assert len(str(error).splitlines()) == 3
