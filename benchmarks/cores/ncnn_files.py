"""MobileNets 1.0 at 224 pixels as ncnn's two files: the networks that ncnn's benchmark times.

Layers are those of Howard et al. 2017 (v1) and of table 2 in Sandler et al. 2018 (v2), with the
classifier; norms are folded in, activations are ReLU and fused, as in ncnn's own benchmark files.
Weights are random: time does not depend on them.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

MAGIC = 7767517
INT8_TAG = (0x000D4B38).to_bytes(4, "little")
FLOAT32_TAG = bytes(4)
"""What ncnn puts before a layer's weights to say of what type they are."""
V1 = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
"""Channels after a pair of depthwise and pointwise convolutions, and the former's stride."""
V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, repeats, stride of the first."""
CLASSES = 1000
RELU = 1
POINTWISE_INT8, DEPTHWISE_INT8, LAST_INT8 = 102, 101, 2
"""ncnn's int8_scale_term: beyond 100 the result is int8 as well."""


@dataclass
class Network:
    """A network as it grows: `add_*` append a layer to the last blob.

    Args:
        is_int8: weights and what flows between convolutions are int8, by scales of 1.
    """

    is_int8: bool = False
    lines: list[str] = field(default_factory=list)
    weights: list[bytes] = field(default_factory=list)
    channels: int = 3
    size: int = 224
    multiplications: int = 0
    parameters: int = 0
    _blobs: int = 0
    _last: str = "data"

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._layer("Input", (), "data", f"0={self.size} 1={self.size} 2={self.channels}")

    def convolution(
        self, channels: int, kernel: int, stride: int = 1, *, relu: bool = True, last: bool = False
    ) -> None:
        """Dense over all channels; `last` leaves its result as float32 in an int8 network."""
        fan_in = self.channels * kernel * kernel
        self._convolution(
            "Convolution",
            channels,
            fan_in,
            kernel,
            stride,
            relu,
            LAST_INT8 if last else POINTWISE_INT8,
        )

    def depthwise(self, stride: int) -> None:
        self._convolution("ConvolutionDepthWise", self.channels, 9, 3, stride, True, DEPTHWISE_INT8)

    def _convolution(
        self,
        kind: str,
        channels: int,
        fan_in: int,
        kernel: int,
        stride: int,
        relu: bool,
        scale_term: int,
    ) -> None:
        self.size = -(-self.size // stride)
        self.channels = channels
        options = f"0={channels} 1={kernel} 3={stride} 4={kernel // 2} 5=1 6={channels * fan_in}"
        options += f" 7={channels}" if kind == "ConvolutionDepthWise" else ""
        options += f" 8={scale_term}" if self.is_int8 else ""
        self._layer(kind, (self._last,), self._new(), options + (f" 9={RELU}" if relu else ""))
        self._store(channels, fan_in, self.size**2, scales=1 + (scale_term > 100))

    def add(self, shortcut: str) -> None:
        """The sum of the last blob and an earlier one, which `branch` gave."""
        self._layer("Eltwise", (shortcut, self._last), self._new(), "0=1")

    def branch(self) -> str:
        """A second name of the last blob: ncnn wants one for each reader."""
        first, second = self._new(), self._new()
        self.lines.append(f"Split split_{first} 1 2 {self._last} {first} {second}")
        self._last = first
        return second

    def classifier(self) -> None:
        """Mean over places, a matrix, softmax."""
        self._layer("Pooling", (self._last,), self._new(), "0=1 4=1")
        options = f"0={CLASSES} 1=1 2={CLASSES * self.channels}" + (
            f" 8={LAST_INT8}" if self.is_int8 else ""
        )
        self._layer("InnerProduct", (self._last,), self._new(), options)
        self._store(CLASSES, self.channels, 1, scales=1)
        self._layer("Softmax", (self._last,), "output", "")

    def write(self, param: Path, weights: Path) -> None:
        text = "\n".join([str(MAGIC), f"{len(self.lines)} {self._blobs + 2}", *self.lines])
        param.write_text(text + "\n", encoding="ascii")
        weights.write_bytes(b"".join(self.weights))

    def _new(self) -> str:
        self._blobs += 1
        return f"blob{self._blobs}"

    def _layer(self, kind: str, inputs: tuple[str, ...], output: str, options: str) -> None:
        counts = f"{len(inputs)} 1"
        self.lines.append(
            " ".join([kind, f"layer{len(self.lines)}", counts, *inputs, output, options])
        )
        self._last = output

    def _store(self, rows: int, columns: int, places: int, *, scales: int) -> None:
        """A matrix and its bias; of an int8 one scales of rows, of the input and of the output."""
        self.multiplications += rows * columns * places
        self.parameters += rows * (columns + 1)
        bias = np.zeros(rows, "<f4").tobytes()
        if self.is_int8:
            values = self._random.integers(-127, 128, rows * columns, dtype=np.int8).tobytes()
            ones = np.ones(rows + scales, "<f4").tobytes()
            self.weights += [INT8_TAG, values + bytes(-len(values) % 4), bias, ones]
        else:
            values = self._random.normal(0, columns**-0.5, rows * columns).astype("<f4").tobytes()
            self.weights += [FLOAT32_TAG, values, bias]


def mobilenet_v1(*, is_int8: bool) -> Network:
    network = Network(is_int8)
    network.convolution(32, 3, 2)
    for i, (channels, stride) in enumerate(V1):
        network.depthwise(stride)
        network.convolution(channels, 1, last=i == len(V1) - 1)
    network.classifier()
    return network


def mobilenet_v2() -> Network:
    network = Network()
    network.convolution(32, 3, 2)
    for expansion, channels, repeats, stride in V2:
        for i in range(repeats):
            _inverted_residual(network, expansion, channels, stride if i == 0 else 1)
    network.convolution(1280, 1)
    network.classifier()
    return network


def _inverted_residual(network: Network, expansion: int, channels: int, stride: int) -> None:
    is_sum = stride == 1 and channels == network.channels
    shortcut = network.branch() if is_sum else ""
    network.convolution(expansion * network.channels, 1)
    network.depthwise(stride)
    network.convolution(channels, 1, relu=False)
    if is_sum:
        network.add(shortcut)
