"""Layers in unchanged files of quantize_dynamic -> times with the execution provider and without.

python -m benchmarks.kernels.provider [--shapes 4000x3000] [--batches 1,3] [--zeros .9,.95] [--cold]

Every layer is taken, those too that the provider would leave alone.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

from benchmarks.kernels.options import integers, numbers, shapes
from benchmarks.kernels.timing import cpu_name, measure
from capexport.kernels.build import build

PROVIDER = "CapexportSparse"


def quantized(rows: int, columns: int, zeros: float) -> bytes:
    """x [n, columns] @ w, quantized by onnxruntime's own tool."""
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(columns, rows)).astype(np.float32)
    weight[rng.random(weight.shape) < zeros] = 0
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "layer")],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", columns])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", rows])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        onnx.save(model, source)
        quantize_dynamic(source, target)
        return target.read_bytes()


def opened(
    model: bytes, x: NDArray[np.float32], rows: int, *, sparse: bool
) -> Callable[[], object]:
    """A call of a session on one thread, with the provider or with the CPU's alone."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if sparse:
        found = [d for d in onnxruntime.get_ep_devices() if d.ep_name == PROVIDER]
        options.add_provider_for_devices(found[:1], {"batch": str(len(x)), "always": "1"})
    session = onnxruntime.InferenceSession(model, options, enable_fallback=0)
    binding, y = session.io_binding(), np.zeros((len(x), rows), np.float32)
    binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
    binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_numpy(y))
    return lambda: session.run_with_iobinding(binding)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", type=shapes, default=[(4000, 3000)])
    parser.add_argument("--batches", type=integers, default=[1, 3, 36])
    parser.add_argument("--zeros", type=numbers, default=[0.9, 0.95])
    parser.add_argument("--budget", type=float, default=2.0, help="seconds per cell")
    parser.add_argument("--cold", action="store_true", help="other memory is written in between")
    arguments = parser.parse_args()
    onnxruntime.register_execution_provider_library("capexport", str(build(product="onnxruntime")))
    print(f"{cpu_name()}, onnxruntime {onnxruntime.__version__}, thread CPU time\n")
    print("| weights | zeros | N | CPU provider, us | with ours, us | times faster |")
    print("|---|---|---|---|---|---|")
    for rows, columns in arguments.shapes:
        for zeros in arguments.zeros:
            model = quantized(rows, columns, zeros)
            for batch in arguments.batches:
                x = np.random.default_rng(1).normal(size=(batch, columns)).astype(np.float32)
                calls = {
                    name: opened(model, x, rows, sparse=sparse)
                    for name, sparse in (("stock", False), ("ours", True))
                }
                times = measure(calls, arguments.budget, cold=arguments.cold)
                stock, ours = times.median("stock"), times.median("ours")
                ratio = times.ratio("stock", "ours")
                shape = f"{rows}x{columns} | {zeros:g} | {batch}"
                print(f"| {shape} | {stock:.0f} | {ours:.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
