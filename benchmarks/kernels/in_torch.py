"""Products by torch's compressed sparse rows, float32."""

import warnings
from collections.abc import Callable, Sequence

import torch

from benchmarks.kernels.graphs import inputs_of
from capexport.ir.graph import Constant


def csr(weights: Sequence[Constant], batch: int) -> Callable[[], object]:
    """Weight [m, k] times x [k, batch]; no bias."""
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "beta state"
        sparse = [torch.from_numpy(w.dequantized()).to_sparse_csr() for w in weights]
    columns = [torch.from_numpy(x).T.contiguous() for x in inputs_of(weights, batch)]

    def run() -> None:
        with torch.inference_mode():
            for weight, x in zip(sparse, columns, strict=True):
                weight @ x

    return run
