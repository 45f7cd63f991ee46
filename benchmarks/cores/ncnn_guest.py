"""Runs inside the emulated core: ncnn's calls of each network, between marks for the counter.

    ncnn_guest.py CALLS NAME...       with NAME.param and NAME.bin here

Needs numpy and ncnn, nothing of capexport. Options, allocators and input are those of ncnn's own
benchmark with one thread; the memory's pools are kept from call to call, and so warm.
"""

import ctypes
import sys
from typing import Any

import ncnn
import numpy as np

MARK, START, END, WARM = 0x43415042, 1, 2, 3
IN_USE = (
    *("use_winograd_convolution", "use_sgemm_convolution", "use_packing_layout"),
    *("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"),
    *("use_int8_inference", "use_int8_storage", "use_int8_arithmetic"),
)

prctl = ctypes.CDLL(None).prctl


def call(net: Any, given: Any) -> Any:
    extractor = net.create_extractor()
    extractor.input("data", given)
    return extractor.extract("output")[1]


def count(name: str, calls: int) -> None:
    blobs, workspace = ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()
    net = ncnn.Net()
    net.opt.lightmode = True
    net.opt.num_threads = 1
    net.opt.blob_allocator, net.opt.workspace_allocator = blobs, workspace
    for option in IN_USE:
        setattr(net.opt, option, True)
    if net.load_param(f"{name}.param") != 0 or net.load_model(f"{name}.bin") != 0:
        raise SystemExit(f"ncnn does not read {name}")
    given = ncnn.Mat(np.full((3, 224, 224), 0.01, np.float32))
    call(net, given)
    prctl(MARK, WARM)
    call(net, given)
    for _ in range(calls):
        prctl(MARK, START)
        output = call(net, given)
        prctl(MARK, END)
    total = np.array(output).sum()
    if not np.isclose(total, 1, atol=0.01):
        raise SystemExit(f"{name}: probabilities add up to {total}")
    del output, given
    net.clear()


def main() -> None:
    for name in sys.argv[2:]:
        count(name, int(sys.argv[1]))


if __name__ == "__main__":
    main()
