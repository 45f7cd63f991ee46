"""Compiled models of LiteRT give back every byte when they are closed."""

import ctypes
import gc

from compiled_files import Save
from compiled_models import CompiledGraph
from one_op import linear
from packed_files import packed

from capexport.writers.tflite import write

OPENINGS = 25
LEAST_ALLOCATION = 16
"""Bytes: no leak of glibc's malloc is smaller."""


class MallInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def bytes_in_use() -> int:
    """Of malloc, in this process."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = MallInfo
    info = libc.mallinfo2()
    return int(info.uordblks + info.hblkhd)


def test_closing_gives_back_every_byte(save: Save) -> None:
    """By the allocator's own count; resident memory swings by kilobytes with every opening."""
    case = linear(31, 300, 0.95, "dynamic_wi8")
    graph, inputs = save(write(packed(case.graph()))), case.inputs({"beams": 3})

    def open_run_close() -> None:
        with CompiledGraph(graph) as compiled:
            compiled.run(inputs)

    def growth() -> int:
        """Bytes in use after a batch of openings, less those before it."""
        gc.collect()
        before = bytes_in_use()
        for _ in range(OPENINGS):
            open_run_close()
        gc.collect()
        return bytes_in_use() - before

    # Caches grow in the first hundreds of openings; a leak grows in every batch.
    assert min(growth() for _ in range(6)) < OPENINGS * LEAST_ALLOCATION
