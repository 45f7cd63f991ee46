"""Static int8 of whole encoders: both runtimes, the integer oracle, and the float graph."""

from collections.abc import Iterator

import numpy as np
import onnx as onnx_package
import onnxruntime
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from image_nets import NETS, SIZES, Branches, Residual, Squeezed, cells, float_graph, images, net
from litert_files import open_file, partitions, run
from torch import nn
from torch.nn import functional as F

from capexport.capture import capture
from capexport.compress import RECIPES, apply_recipe, count_nonzeros, parse_recipes
from capexport.compress.ranges import RANGES
from capexport.compress.static import apply_static
from capexport.compress.static_nodes import image_sides
from capexport.errors import InputError, UnsupportedError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Graph
from capexport.ir.passes import run_passes
from capexport.ir.passes.channels_last import channels_last
from capexport.spec.signature import TensorSpec
from capexport.writers import onnx, tflite

STATIC = RECIPES["static_wi8_ai8"]
LEAST_COSINE = 0.999
"""Of float and int8 features of the small nets: 8 bits, a handful of layers."""
ONE_STEP = 1.001
"""In units of the last scale: what LiteRT and onnxruntime may differ by from the oracle. They scale
exact sums by the same float32 and round alike; a product at a tie can fall to either side."""


def samples(count: int, size: tuple[int, int], skip: int = 0) -> list[dict[str, Array]]:
    return [{"image": image.numpy()} for image in images(count + skip, size)[skip:]]


def static_graph(kind: type[nn.Module], size: tuple[int, int] = (17, 23)) -> Graph:
    return apply_recipe(float_graph(kind, size), STATIC, samples(8, size))


def cosine(a: Array, b: Array) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


def last_scale(graph: Graph) -> float:
    borders = [node for node in graph.nodes if node.op == "dequantize"]
    return max(graph.quantization[node.inputs[0]].scale for node in borders)


def in_runtimes(graph: Graph, inputs: dict[str, Array]) -> Iterator[Array]:
    yield run(open_file(tflite.write(graph)), inputs)["features"]
    session = onnxruntime.InferenceSession(onnx.write(graph), providers=["CPUExecutionProvider"])
    yield session.run(["features"], inputs)[0]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", NETS)
def test_both_runtimes_compute_what_the_oracle_says(
    kind: type[nn.Module], size: tuple[int, int]
) -> None:
    graph = static_graph(kind, size)
    for inputs in samples(2, size, skip=8):
        expected = evaluate(graph, inputs)["features"]
        for got in in_runtimes(graph, inputs):
            bound = ONE_STEP * last_scale(graph)
            np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("method", RANGES)
@pytest.mark.parametrize("kind", NETS)
def test_features_stay_those_of_the_float_graph(kind: type[nn.Module], method: str) -> None:
    graph = float_graph(kind)
    small = apply_static(graph, samples(100, (17, 23)), method)
    for inputs in samples(4, (17, 23), skip=100):
        exact, got = (evaluate(g, inputs)["features"] for g in (graph, small))
        assert cosine(exact, got) >= LEAST_COSINE


@pytest.mark.parametrize("kind", NETS)
def test_a_static_tflite_is_one_partition_without_transposes(kind: type[nn.Module]) -> None:
    graph = static_graph(kind)
    assert all(node.op != "transpose" for node in channels_last(graph).nodes)
    interpreter = open_file(tflite.write(graph))
    interpreter.allocate_tensors()
    assert partitions(interpreter) == 1


def test_onnxruntime_fuses_everything_between_the_borders(tmp_path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3  # it warns that such a file is for this machine only
    onnxruntime.InferenceSession(
        onnx.write(static_graph(Residual)), options, providers=["CPUExecutionProvider"]
    )
    left = [n.op_type for n in onnx_package.load(tmp_path / "optimized.onnx").graph.node]
    assert left.count("QLinearConv") == 5
    assert left.count("QLinearAdd") == 1
    assert left.count("DequantizeLinear") == 1
    assert not {"Conv", "Add", "Clip", "Relu", "QuantizeLinear"} & set(left)


def test_operator_versions_are_those_of_int8() -> None:
    model = schema.ModelT.InitFromObj(
        schema.Model.GetRootAs(tflite.write(static_graph(Squeezed)), 0)
    )
    versions = {(code.builtinCode, code.version) for code in model.operatorCodes}
    op = schema.BuiltinOperator
    assert {(op.CONV_2D, 3), (op.DEPTHWISE_CONV_2D, 3), (op.ADD, 2), (op.MEAN, 2)} <= versions
    assert {(op.QUANTIZE, 1), (op.DEQUANTIZE, 2), (op.MUL, 2)} <= versions


def test_each_weight_is_stored_once_and_as_int8() -> None:
    graph = static_graph(Residual)
    weights = sum(c.data.nbytes for c in graph.constants.values() if c.data.ndim == 4)
    others = sum(8 * c.data.nbytes for c in graph.constants.values() if c.data.ndim != 4)
    for data in (tflite.write(graph), onnx.write(graph)):
        assert len(data) < weights + others + 16_000  # scales, zero points, the graph itself


def test_the_image_is_read_as_it_is() -> None:
    graph = static_graph(Residual)
    assert graph.values["image"].dtype == "uint8"
    assert (graph.quantization["image"].scale, graph.quantization["image"].zero_point) == (
        1 / 128,
        128,
    )
    assert not {"cast", "mul", "sub"} & {node.op for node in graph.nodes}
    inputs = samples(1, (17, 23))[0]
    pixels = evaluate(graph, inputs, ["image.int8"])["image.int8"]
    np.testing.assert_array_equal(pixels, inputs["image"].astype(np.int16) - 128)


def test_an_image_with_a_scale_per_channel_is_scaled_in_float() -> None:
    ops = [node.op for node in static_graph(Branches).nodes]
    assert ops.index("cast") < ops.index("mul") < ops.index("quantize") < ops.index("conv2d")


def test_half_a_pixel_of_zero_point_goes_into_the_bias() -> None:
    """x / 127.5 - 1 has its zero at 127.5: without padding, nothing is lost by 128."""

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 4, 3)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            x = (image.float() * (1 / 127.5) - 1).permute(0, 3, 1, 2)
            return cells(self.stem(x))

    graph = float_graph(Plain, (9, 9))
    small = apply_static(graph, samples(4, (9, 9)))
    (convolution,) = [node for node in small.nodes if node.op == "conv2d"]
    for inputs in samples(4, (9, 9)):
        exact = evaluate(graph, inputs)["features"]
        got = evaluate(small, inputs)["features"]
        weight = small.constants[convolution.inputs[1]]
        error = np.abs(weight.dequantized() - graph.constants[weight.name].data)
        bound = last_scale(small) * 0.51 + error.sum((1, 2, 3)).max() * 2
        assert np.abs(got - exact).max() <= bound


@pytest.mark.parametrize("kind", [Residual, Squeezed])
def test_values_that_are_added_have_one_scale(kind: type[nn.Module]) -> None:
    graph = static_graph(kind)
    sums = [n for n in graph.nodes if n.op == "add" and set(n.inputs) <= set(graph.quantization)]
    assert sums
    for node in sums:
        names = (*node.inputs, *node.outputs)
        assert len({graph.quantization[name].scale for name in names}) == 1


def test_a_constant_has_a_scale_of_its_own() -> None:
    """Two sums with one constant have nothing in common; a concatenation with one stays float."""

    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 1)
            self.last = nn.Conv2d(6, 2, 1)
            self.register_buffer("edge", torch.ones(1, 1, 15, 21))

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            x = self.first(image.float().permute(0, 3, 1, 2) * 0.01) * 40 + 3
            y = self.second(x) * 0.01 + 3
            return cells(self.last(torch.cat([y, self.edge], 1)))

    graph = static_graph(Shifted)
    sums = [n.outputs[0] for n in graph.nodes if n.op == "add"]
    first, second = (graph.quantization[name].scale for name in sums)
    assert first > 4 * second
    (joined,) = [node for node in graph.nodes if node.op == "concat"]
    assert joined.outputs[0] not in graph.quantization
    inputs = samples(1, (17, 23), skip=8)[0]
    exact = evaluate(float_graph(Shifted), inputs)["features"]
    for got in (evaluate(graph, inputs)["features"], *in_runtimes(graph, inputs)):
        assert cosine(exact, got) >= LEAST_COSINE


def test_squeeze_and_excitation_is_int8_and_hard_swish_is_not() -> None:
    graph = static_graph(Squeezed)
    static = [node.op for node in graph.nodes if node.outputs[0] in graph.quantization]
    assert {"mean", "mul", "add", "conv2d"} <= set(static)
    assert "hard_swish" not in static
    assert "relu" not in [node.op for node in graph.nodes]  # saturation does it


def test_linears_after_the_convolutions_are_dynamic() -> None:
    class Projected(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.project = Residual(), nn.Linear(13, 6)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return F.relu(self.project(self.body(image)))

    graph = static_graph(Projected)
    (linear,) = [node for node in graph.nodes if node.op == "linear"]
    assert linear.attributes["activations"] == "dynamic"
    inputs = samples(1, (17, 23), skip=8)[0]
    exact = evaluate(float_graph(Projected), inputs)["features"]
    for got in (evaluate(graph, inputs)["features"], *in_runtimes(graph, inputs)):
        assert cosine(exact, got) >= LEAST_COSINE


def test_sums_behind_a_projection_stay_float() -> None:
    """A residual addition of a transformer is no addition of feature maps."""

    class Refined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.project = Residual(12), nn.Linear(12, 12)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            x = self.project(self.body(image))
            return torch.relu(x + torch.tanh(x))

    ops = [node.op for node in static_graph(Refined).nodes]
    assert ops.index("dequantize") < ops.index("linear") < ops.index("relu")
    assert "quantize" not in ops[ops.index("linear") :]


def test_dead_and_nearly_dead_channels_keep_their_bias() -> None:
    """Pruned to nothing, or a batch norm with hardly any scale: the bias is all there is."""
    module = net(Residual)
    with torch.no_grad():
        module.head.weight[0] = 0
        module.head.weight[1] *= 1e-12
        module.head.bias[:2] = torch.tensor([0.37, 2.5])
    size = (17, 23)
    features = TensorSpec("features", tuple(module(images(1, size)[0]).shape))
    graph = run_passes(
        capture(module, "encoder", [TensorSpec("image", (1, *size, 3), "uint8")], [features])
    )
    small = apply_recipe(graph, STATIC, samples(4, size))
    inputs = samples(1, size, skip=4)[0]
    for got in (evaluate(small, inputs)["features"], *in_runtimes(small, inputs)):
        np.testing.assert_allclose(got[:, 0], 0.37, atol=0.51 * last_scale(small))
        np.testing.assert_allclose(got[:, 1], 2.5, atol=0.51 * last_scale(small))


def test_zeros_of_pruned_weights_stay_zeros() -> None:
    graph = float_graph(Residual)
    pruned = {
        name: constant.data * (np.abs(constant.data) > np.median(np.abs(constant.data)))
        for name, constant in graph.constants.items()
        if constant.data.ndim == 4
    }
    for name, data in pruned.items():
        object.__setattr__(graph.constants[name], "data", data.astype(np.float32))
    counted = count_nonzeros(graph, apply_recipe(graph, STATIC, samples(2, (17, 23))))
    assert counted["nnz"] == sum(np.count_nonzero(data) for data in pruned.values())


# ------------------------------------------------------------ large images in float
ONE_IN = 50
"""Features that may be off by more than a step: where float sums fall to either side of a rounding,
one int8 number behind them is a step off, and with it what depends on it."""


def partly(kind: type[nn.Module], largest: int, size: tuple[int, int] = (17, 23)) -> Graph:
    recipe = parse_recipes(f"encoder={STATIC.name}@{largest},decoder=fp32")["encoder"]
    return apply_recipe(float_graph(kind, size), recipe, samples(8, size))


def float_convolutions(graph: Graph) -> list[str]:
    return [
        node.inputs[1]
        for node in graph.nodes
        if node.op == "conv2d" and graph.constants[node.inputs[1]].dtype == "float32"
    ]


@pytest.mark.parametrize("kind", NETS)
def test_convolutions_over_larger_images_stay_float(kind: type[nn.Module]) -> None:
    """The stem reads 23 columns, all others 12 at most."""
    graph = partly(kind, 12)
    assert float_convolutions(graph) == ["stem.weight"]
    assert float_convolutions(partly(kind, 23)) == []
    for inputs in samples(2, (17, 23), skip=8):
        expected = evaluate(graph, inputs)["features"]
        for got in in_runtimes(graph, inputs):
            off = np.abs(got - expected) > ONE_STEP * last_scale(graph)
            assert np.count_nonzero(off) <= off.size / ONE_IN
            assert cosine(got, expected) >= LEAST_COSINE


def test_what_a_float_convolution_depends_on_stays_float() -> None:
    """Squeeze and excitation read one pixel, but the last convolution depends on them."""
    assert image_sides(float_graph(Squeezed)) == [23, 12]
    with pytest.raises(UnsupportedError, match="more than 1 rows or columns") as error:
        partly(Squeezed, 1)
    assert error.value.where.endswith("static_wi8_ai8@1")


def test_float_convolutions_bring_the_features_nearer() -> None:
    exact = float_graph(Residual)
    errors = []
    for graph in (partly(Residual, 12), static_graph(Residual)):
        off = [
            evaluate(graph, inputs)["features"] - evaluate(exact, inputs)["features"]
            for inputs in samples(8, (17, 23), skip=8)
        ]
        errors.append(np.square(off).sum())
    assert errors[0] < errors[1]


# ------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    "name", ["dynamic_wi8@56", "fp32@56", *(f"static_wi8_ai8@{side}" for side in ("", "0", "-1"))]
)
def test_a_side_behind_the_name_is_a_number_of_static_ones(name: str) -> None:
    with pytest.raises(InputError, match="no recipe") as error:
        parse_recipes(f"encoder={name},decoder=fp32")
    assert "static_wi8_ai8@56" in error.value.hint


def test_static_needs_calibration() -> None:
    with pytest.raises(InputError, match="nothing to calibrate with") as error:
        apply_recipe(float_graph(Residual), STATIC)
    assert "--calibration" in error.value.hint


def test_static_needs_a_convolution() -> None:
    x = TensorSpec("x", ("beams", 4))
    graph = capture(nn.Linear(4, 3), "decoder_step", [x], [TensorSpec("y", ("beams", 3))])
    with pytest.raises(UnsupportedError, match="no convolution"):
        apply_recipe(graph, STATIC, [{"x": np.zeros((1, 4), np.float32)}])


def test_convolutions_are_never_dynamic() -> None:
    with pytest.raises(UnsupportedError, match="dynamic int8") as error:
        apply_recipe(float_graph(Residual), RECIPES["dynamic_wi8"])
    assert "static_wi8_ai8" in error.value.hint


def test_a_sample_that_overflows_is_named() -> None:
    class Overflow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1, 3, 1, 1))

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return cells(F.conv2d(image.float().permute(0, 3, 1, 2), self.weight * 0 + 1e38))

    with np.errstate(over="ignore"), pytest.raises(InputError, match="not a finite") as error:
        apply_recipe(float_graph(Overflow, (4, 4)), STATIC, samples(2, (4, 4)))
    assert error.value.where.startswith("sample 1")
