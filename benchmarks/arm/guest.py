"""Runs inside the emulated machine: each job's graph in its runtime, between marks for counter.c.

guest.py JOBS.json    each job: runtime, model, library (or null), inputs (.npz), outputs (.npz)

Needs numpy and the runtimes, nothing of capexport. Where the libraries lay in memory goes to `maps`
beside the outputs.
"""

import ctypes
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Job = dict[str, Any]
Arrays = dict[str, Any]

MARK, START, END = 0x43415042, 1, 2
FEW, MANY = 1, 11
"""Runs in the two regions of a job. Their difference is free of what happens once per region."""
WARM_UP = 10  # Python specializes a function after 8 calls
ROUNDS = 3
"""Pairs of regions, of which the median counts: memory is taken or freed now and then."""

prctl = ctypes.CDLL(None).prctl


def count(job: Job, run: Callable[[], object]) -> None:
    for times in (WARM_UP, *(FEW, MANY) * ROUNDS):
        prctl(MARK, START)
        for _ in range(times):
            run()
        prctl(MARK, END)
    maps = Path("/proc/self/maps").read_text()
    Path(job["outputs"]).with_name("maps").write_text(maps)


def litert(job: Job, inputs: Arrays) -> Arrays:
    from ai_edge_litert.interpreter import Interpreter, load_delegate

    delegates = [load_delegate(job["library"])] if job["library"] else None
    interpreter = Interpreter(job["model"], num_threads=1, experimental_delegates=delegates)
    runner = interpreter.get_signature_runner()
    tensors = {name: detail["index"] for name, detail in runner.get_input_details().items()}
    results = {name: detail["index"] for name, detail in runner.get_output_details().items()}
    del runner  # while it lives the interpreter refuses to run
    for name, index in tensors.items():
        interpreter.resize_tensor_input(index, inputs[name].shape)
    interpreter.allocate_tensors()
    for name, index in tensors.items():
        interpreter.set_tensor(index, inputs[name])
    count(job, interpreter.invoke)
    return {name: interpreter.get_tensor(index) for name, index in results.items()}


def onnxruntime(job: Job, inputs: Arrays) -> Arrays:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if job["library"]:
        options.register_custom_ops_library(job["library"])
    session = ort.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    binding = session.io_binding()
    for name, array in inputs.items():
        binding.bind_cpu_input(name, array)
    for name in names:
        binding.bind_output(name)
    count(job, lambda: session.run_with_iobinding(binding))
    return dict(zip(names, binding.copy_outputs_to_cpu(), strict=True))


RUNTIMES = {"litert": litert, "onnxruntime": onnxruntime}


def main() -> None:
    for job in json.loads(Path(sys.argv[1]).read_text()):
        with np.load(job["inputs"]) as inputs:
            np.savez(job["outputs"], **RUNTIMES[job["runtime"]](job, dict(inputs)))


if __name__ == "__main__":
    main()
