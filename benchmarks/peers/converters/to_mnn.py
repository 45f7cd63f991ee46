"""An ONNX file -> an MNN file: to_mnn.py ONNX MNN [options of the converter].

Calls the compiled converter itself. The `mnnconvert` program around it would install a package with
pip and report the model's size and options to a server.
"""

import sys

import _tools


def main() -> None:
    source, target, *options = sys.argv[1:]
    files = ["--modelFile", source, "--MNNModel", target]
    _tools.mnnconvert(["mnnconvert", "-f", "ONNX", *files, "--bizCode", "step", *options])


if __name__ == "__main__":
    main()
