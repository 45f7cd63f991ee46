"""Pinned requirements -> virtual environments, one per peer, made once and kept."""

import subprocess
import sys
import venv
from pathlib import Path

from contenders import HERE

TORCH = "torch==2.13.0"
NUMPY = "numpy==2.4.6"

ENVIRONMENTS = {
    "mnn": (("MNN==3.6.1", NUMPY),),
    "executorch": (("executorch==1.5.1", NUMPY),),
    # pnnx asks for torch, which its program does not need to read a TorchScript file
    "ncnn": (("--no-deps", "ncnn==1.0.20261020", "pnnx==20261020"), (NUMPY,)),
    "ai-edge-quantizer": (("ai-edge-quantizer==0.10.0", "ai-edge-litert==2.3.0", NUMPY),),
}
"""Arguments of pip, one tuple per call."""

NEED_TORCH = ("executorch",)
"""torch goes in first and by itself, so that no package brings one with CUDA."""


class Environments:
    """Virtual environments in a folder; torch is what pip is told to install for it."""

    def __init__(self, folder: Path, torch: str) -> None:
        self._folder = folder.resolve()
        self._torch = torch

    def python(self, name: str) -> str:
        """The interpreter of an environment, which is made if it is not there as pinned.

        Raises:
            subprocess.CalledProcessError: pip failed; its last words are in `stderr`.
        """
        if name == HERE:
            return sys.executable
        folder = self._folder / name
        calls = self._calls(name)
        stamp = folder / "installed.txt"
        if not stamp.is_file() or stamp.read_text() != repr(calls):
            self._install(folder, calls)
            stamp.write_text(repr(calls))
        return str(folder / "bin" / "python")

    def _calls(self, name: str) -> tuple[tuple[str, ...], ...]:
        first = (tuple(self._torch.split()),) if name in NEED_TORCH else ()
        return (*first, *ENVIRONMENTS[name])

    def _install(self, folder: Path, calls: tuple[tuple[str, ...], ...]) -> None:
        venv.create(folder, clear=True, with_pip=True)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        for call in calls:
            subprocess.run([*install, *call], check=True, capture_output=True, text=True)
