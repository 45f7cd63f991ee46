"""The delegate's golden file, in the runtime that is installed.

`python tests/kernels/test_litert_abi.py` writes the file again, from the oracle.
"""

import subprocess
import sys
from typing import Any

import litert_abi
import numpy as np
import pytest
from stock_files import NONE, RELU, X_SCALE, X_ZERO, Layer, StockFile, Type, quantized
from stock_meaning import meaning

from capexport.kernels import cksb
from capexport.kernels.build import build
from capexport.kernels.selftest import random_weights
from capexport.writers.tflite.packed_operators import SPARSE_LINEAR

COLUMNS = 40


def layer(seed: int, rows: int, **fields: Any) -> Layer:
    rng = np.random.default_rng(seed)
    weight = random_weights(rng, rows, COLUMNS, 0.8)
    scale = rng.uniform(0.001, 0.01, fields.pop("scales", rows)).astype(np.float32)
    return Layer(weight, scale, rng.normal(0, 3, rows).astype(np.float32), **fields)


def golden_layers() -> dict[str, Layer]:
    """By the name of the output: every form of weights and options that the delegate looks at."""
    return {
        "y_rows": layer(0, 37, activation=RELU),
        "y_tensor": layer(1, 17, scales=1),
        "y_axes": layer(2, 5, keep_num_dims=True, version=5),
        "y_densify": layer(3, 37, stored="densify"),
        "y_csr": layer(4, 37, stored="csr"),
        "y_int8": layer(5, 37, static=True, activation=RELU, keep_num_dims=True),
        "y_conv": layer(6, 19, static=True, conv=True),
        "y_hybrid_conv": layer(7, 19, conv=True),
    }


def inputs_of(n: int) -> dict[str, Any]:
    rng = np.random.default_rng(n)
    return {
        "x": rng.normal(0, 2, (n, COLUMNS)).astype(np.float32),
        "x_int8": rng.integers(-128, 128, (n, 2, 3, COLUMNS)).astype(np.int8),
        "x_image": rng.normal(0, 2, (n, 2, 3, COLUMNS)).astype(np.float32),
    }


def input_of(one: Layer) -> str:
    return "x_int8" if one.static else "x_image" if one.conv else "x"


def golden_model() -> bytes:
    file, outputs = StockFile(), []
    image = (1, 2, 3, COLUMNS)
    inputs = {
        "x": file.tensor("x", (1, COLUMNS), Type.FLOAT32),
        "x_int8": file.tensor("x_int8", image, Type.INT8, None, quantized(X_SCALE, X_ZERO)),
        "x_image": file.tensor("x_image", image, Type.FLOAT32),
    }
    for name, one in golden_layers().items():
        outputs.append(file.layer(one, inputs[input_of(one)], name.removeprefix("y")))
    packed = layer(0, 37)
    constants = [
        file.tensor("cksb", (len(blob := cksb.encode(packed.weight)),), Type.UINT8, as_bytes(blob)),
        file.tensor("scale", (37,), Type.FLOAT32, packed.scale),
        file.tensor("bias", (37,), Type.FLOAT32, packed.bias),
    ]
    outputs.append(file.tensor("y_packed", (1, 37), Type.FLOAT32))
    file.custom_operator(SPARSE_LINEAR, [inputs["x"], *constants], outputs[-1], b"\0")
    return file.serialize(list(inputs.values()), outputs)


def as_bytes(blob: bytes) -> Any:
    return np.frombuffer(blob, np.uint8)


def golden() -> dict[str, Any]:
    """What the golden file holds."""
    arrays: dict[str, Any] = {"model": as_bytes(golden_model())}
    for n in (1, 3):
        given = inputs_of(n)
        arrays |= {f"{name} {n}": x for name, x in given.items()}
        for name, one in golden_layers().items():
            x = given[input_of(one)]
            lead = x.shape[:-1]
            arrays[f"{name} {n}"] = meaning(one, x).reshape(*lead, -1)
        packed = layer(0, 37, activation=NONE)
        arrays[f"y_packed {n}"] = meaning(packed, given["x"])
    return arrays


def test_the_golden_file_is_what_the_oracle_says() -> None:
    """All but the bytes of the model: another flatbuffers may order them otherwise."""
    expected = golden()
    with np.load(litert_abi.GOLDEN) as file:
        assert set(file) == set(expected)
        for name in set(expected) - {"model"}:
            np.testing.assert_array_equal(file[name], expected[name], strict=True)


def test_this_runtime_has_the_known_layout() -> None:
    """In a process of its own, as in the environments of other versions."""
    command = [sys.executable, litert_abi.__file__, str(build(product="litert")), "ai_edge_litert"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (result.stdout.strip(), result.returncode) == ("all outputs are exact", 0)


def test_a_difference_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    with np.load(litert_abi.GOLDEN) as file:
        spoilt = dict(file)
    spoilt["y_csr 3"][0, 0] += 1
    np.savez(tmp_path / "golden.npz", **spoilt)
    monkeypatch.setattr(litert_abi, "GOLDEN", tmp_path / "golden.npz")
    library = str(build(product="litert"))
    assert litert_abi.differences(library, "ai_edge_litert") == ["y_csr for 3 rows"]


if __name__ == "__main__":
    litert_abi.GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(litert_abi.GOLDEN, **golden())
