"""A TorchScript file -> ncnn's two files, fp32: to_ncnn.py TORCHSCRIPT PARAM BIN.

Calls pnnx's program itself: its Python package does nothing else, but needs torch for that.
"""

import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    source, param, binary = (Path(name).resolve() for name in sys.argv[1:])
    program = importlib.metadata.distribution("pnnx").locate_file("pnnx/pnnx")
    wanted = [f"ncnnparam={param}", f"ncnnbin={binary}", "fp16=0"]
    with tempfile.TemporaryDirectory() as folder:
        by_products = [
            f"{name}={folder}/{name}"
            for name in ("pnnxparam", "pnnxbin", "pnnxpy", "pnnxonnx", "ncnnpy")
        ]
        subprocess.run([str(program), str(source), *wanted, *by_products], check=True)


if __name__ == "__main__":
    main()
