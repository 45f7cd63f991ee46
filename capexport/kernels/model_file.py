"""An .onnx file -> its packed weights, in mapped pages of the file in place of a copy."""

import ctypes
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class _Blob(ctypes.Structure):
    """capexport_model_blob of adapters/onnxruntime/model_file.h."""

    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


class ModelFile:
    """A map of the file at `path`, until this object is gone: its arrays must not be used later.

    The operators of `library` drop pages of the map once they have packed what lies there.

    Args:
        library: libcapexport_onnxruntime.so, the very file that onnxruntime has loaded.
    """

    blobs: dict[str, NDArray[np.uint8]]
    """Initializers that hold a CKSB blob, by name; read-only. None of a file that cannot be mapped
    or is no ONNX model: to say so is left to who opens it."""

    def __init__(self, library: Path, path: Path) -> None:
        c = ctypes.CDLL(str(library))
        c.capexport_model_file_map.restype = ctypes.c_void_p
        c.capexport_model_file_blob.restype = ctypes.POINTER(_Blob)
        self._c, self._map = c, ctypes.c_void_p(c.capexport_model_file_map(bytes(path)))
        self.blobs = {}
        if self._map:
            weakref.finalize(self, c.capexport_model_file_unmap, self._map).atexit = False
            self.blobs = dict(map(self._blob, range(c.capexport_model_file_blobs(self._map))))

    def _blob(self, number: int) -> tuple[str, NDArray[np.uint8]]:
        blob = self._c.capexport_model_file_blob(self._map, number).contents
        array = np.frombuffer((ctypes.c_uint8 * blob.size).from_address(blob.data), np.uint8)
        array.flags.writeable = False
        return blob.name.decode(errors="replace"), array


def give_back_free_memory() -> None:
    """For the time after a session was opened, when its copies of the blobs are free: glibc would
    keep them. Elsewhere this does nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
