"""The parts of benchmarks/cores that need no emulator: networks, and what counts are made into."""

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.cores.__main__ import rows
from benchmarks.cores.ncnn_counts import CALLS, arithmetic, least_calls
from benchmarks.cores.ncnn_files import MAGIC, Network, mobilenet_v1, mobilenet_v2
from benchmarks.cores.published import PUBLISHED, Published
from capexport.bench.devices.arm_cores import CORES
from capexport.bench.devices.core_models import models_of

FIRST_EXPANSION = 32 * 32 * 112 * 112
"""ncnn's v2 has a convolution there that the paper's does not: of 32 channels to as many."""
NETWORKS = {
    "v1": mobilenet_v1(is_int8=False),
    "v1_int8": mobilenet_v1(is_int8=True),
    "v2": mobilenet_v2(),
}


def test_networks_have_the_products_and_parameters_of_their_papers() -> None:
    v1, v2 = NETWORKS["v1"], NETWORKS["v2"]
    assert round(v1.multiplications / 1e6) == 569
    assert round(v1.parameters / 1e6, 1) == 4.2
    assert round((v2.multiplications - FIRST_EXPANSION) / 1e6) == 301
    assert round(v2.parameters / 1e6, 1) == 3.5
    assert NETWORKS["v1_int8"].multiplications == v1.multiplications


@pytest.mark.parametrize("name", NETWORKS)
def test_files_say_how_long_they_are_and_each_blob_has_one_reader(
    tmp_path: Path, name: str
) -> None:
    network = NETWORKS[name]
    network.write(tmp_path / "n.param", tmp_path / "n.bin")
    magic, counts, *layers = (tmp_path / "n.param").read_text().splitlines()
    assert magic == str(MAGIC)
    written, read = Counter[str](), Counter[str]()
    for layer in layers:
        _, _, inputs, outputs, *rest = layer.split()
        names = rest[: int(inputs) + int(outputs)]
        read.update(names[: int(inputs)])
        written.update(names[int(inputs) :])
    assert counts == f"{len(layers)} {len(written)}"
    assert set(written.values()) == set(read.values()) == {1}
    assert written.keys() - read.keys() == {"output"}
    assert read.keys() <= written.keys()


def test_float_weights_take_four_bytes_each(tmp_path: Path) -> None:
    network = NETWORKS["v2"]
    network.write(tmp_path / "n.param", tmp_path / "n.bin")
    layers = sum("Conv" in line or "Inner" in line for line in network.lines)
    assert (tmp_path / "n.bin").stat().st_size == 4 * (network.parameters + layers)


def counted(fma: int = 0, sdot: int = 0, simd_int_mul: int = 0) -> dict[str, int]:
    return {"fma": fma, "sdot": sdot, "simd_int_mul": simd_int_mul}


def test_arithmetic_is_told_by_products_an_instruction() -> None:
    products = 16_000
    network = Network(multiplications=products)
    assert arithmetic(network, counted(fma=products // 4)) == "float32"
    assert arithmetic(network, counted(fma=products // 8 + 10)) == "float16"
    assert arithmetic(network, counted(sdot=900, simd_int_mul=200, fma=5)) == "int8"
    with pytest.raises(ValueError, match="16000 products are none of"):
        arithmetic(network, counted(fma=products // 6))


def test_of_calls_in_a_row_the_least_counts() -> None:
    numbers = [*range(CALLS), *range(9, 9 + CALLS)]
    text = "\n".join(json.dumps({"instructions": n}) for n in numbers)
    assert [line["instructions"] for line in least_calls(text)] == [0, 9]


def test_a_row_has_the_error_at_the_published_clock() -> None:
    one = Published("net", "they", "core", "cortex-a72", "cortex-a57", 2.0, 10.0)
    part = {"core_cycles": 16e6, "memory_ms": 1.0, "arithmetic": "float32"}
    parts = {("net", "they", "cortex-a72", "cortex-a57"): part}
    (row,) = rows(parts, [one])
    assert row[6:10] == ("9", "1", "-10%", "yes")
    part["memory_ms"] = 5.0
    assert [row[8:10] for row in rows(parts, [one])] == [("+30%", "**no**")]
    del part["memory_ms"]
    assert [row[7:10] for row in rows(parts, [one])] == [("not known", "-20%", "yes")]


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: f"{one.network} {one.core}")
def test_each_row_is_of_a_core_and_a_model_of_it(one: Published) -> None:
    assert one.emulated in CORES
    assert one.model in {model.name for model in models_of(one.emulated)}
