"""Running a bundle needs neither torch nor any library that writes graphs."""

import subprocess
import sys

from capexport.bundle import Bundle

FORBIDDEN = ("torch", "onnx", "flatbuffers", "ai_edge_litert.schema_py_generated", "tensorflow")

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
import capexport.runtime as runtime
from capexport.bundle import open_bundle

interpreters = {"onnxruntime", "ai_edge_litert"} & set(sys.modules)
assert not interpreters, f"imported before a session needs them: {interpreters}"
session = runtime.open_session(open_bundle(Path(sys.argv[1])), sys.argv[2])
att = np.ones((2, 6), np.float32)
print(runtime.caption(session, runtime.Features(att, att[0]), 3).tokens)
print(*sorted(set(sys.argv[3:]) & set(sys.modules)))
"""


def test_captioning_imports_no_torch_and_no_writer(bundle: Bundle, runtime: str) -> None:
    command = [sys.executable, "-c", PROGRAM, str(bundle.path), runtime, *FORBIDDEN]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    tokens, imported = result.stdout.splitlines()
    assert tokens.startswith("[")
    assert imported == ""
