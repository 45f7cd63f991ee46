"""The delegate's golden file in whatever TFLite runtime is installed: is its layout a known one?

python tests/litert_abi.py LIBRARY RUNTIME    RUNTIME: ai_edge_litert, tensorflow or tflite_runtime

LIBRARY is the file that `capexport.kernels.build(product="litert")` names. Needs numpy and the
runtime, nothing of capexport, so that it runs in an environment of any version. Prints what
differs; exits with 1 if anything does.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parent / "kernels" / "golden" / "litert_abi.npz"
OPTIONS = {"take": "all", "threads": "2"}


def runtime(name: str) -> tuple[Any, Any]:
    """Interpreter and load_delegate."""
    if name == "tensorflow":
        lite = importlib.import_module("tensorflow").lite
        return lite.Interpreter, lite.experimental.load_delegate
    module = importlib.import_module(f"{name}.interpreter")
    return module.Interpreter, module.load_delegate


def differences(library: str, name: str) -> list[str]:
    """Names of the outputs that are not what the golden file says, in two allocations each."""
    interpreter_of, load_delegate = runtime(name)
    with np.load(GOLDEN) as file:
        golden = dict(file)
    interpreter = interpreter_of(
        model_content=golden.pop("model").tobytes(),
        num_threads=1,
        experimental_delegates=[load_delegate(library, OPTIONS)],
    )
    wrong = []
    for n in (1, 3):
        for place in interpreter.get_input_details():
            shape = (n, *place["shape"][1:])
            interpreter.resize_tensor_input(place["index"], shape)
        interpreter.allocate_tensors()
        for place in interpreter.get_input_details():
            interpreter.set_tensor(place["index"], golden[f"{place['name']} {n}"])
        interpreter.invoke()
        for place in interpreter.get_output_details():
            got = interpreter.get_tensor(place["index"])
            if not np.array_equal(got, golden[f"{place['name']} {n}"]):
                wrong.append(f"{place['name']} for {n} rows")
    return wrong


def main() -> None:
    wrong = differences(sys.argv[1], sys.argv[2])
    print("\n".join(wrong) or "all outputs are exact")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
