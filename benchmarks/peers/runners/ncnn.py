"""ncnn, fp32. pnnx names inputs in0, in1 ... and takes the axis of one beam away from each."""

from pathlib import Path
from typing import Any

import ncnn
import numpy as np

VERSION = ncnn.__version__


class Runner:
    def __init__(self, files: list[Path], output_names: list[str], kernels: str | None) -> None:
        param, binary = files
        self._net = ncnn.Net()
        self._net.opt.num_threads = 1
        self._net.opt.use_fp16_packed = False
        self._net.opt.use_fp16_storage = False
        self._net.opt.use_fp16_arithmetic = False
        self._net.load_param(str(param))
        self._net.load_model(str(binary))
        self._names = [f"out{i}" for i in range(len(output_names))]
        self._arrays: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def set(self, inputs: dict[str, Any]) -> None:
        # [1, n] given as it is ends in a segmentation fault
        self._arrays = [a[0] if a.ndim == 2 and len(a) == 1 else a for a in inputs.values()]
        self._inputs = [ncnn.Mat(array) for array in self._arrays]

    def step(self) -> None:
        extractor = self._net.create_extractor()
        for i, value in enumerate(self._inputs):
            extractor.input(f"in{i}", value)
        self._outputs = [extractor.extract(name)[1] for name in self._names]

    def outputs(self) -> list[Any]:
        return [np.array(value) for value in self._outputs]
