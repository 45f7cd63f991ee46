"""A captioner whose blobs hold scales and biases, in both arm64 runtimes on two emulated cores."""

from typing import Any

import pytest
from checkpoints import UpDownSizes, write_up_down

from capexport.bench.devices.host import Host
from capexport.bench.devices.parts import ARM64_ROOT, ARM64_RUNTIMES
from capexport.bench.devices.qemu import Qemu, find_qemu
from capexport.bench.devices.target import Target
from capexport.bench.made_up import made_up
from capexport.bench.measurement import prepare, run_round
from capexport.bench.settings import Settings
from capexport.bundle import Bundle
from capexport.errors import RuntimeMissingError
from capexport.export import export
from capexport.kernels.build import build

SIZES = UpDownSizes(vocabulary=400, rnn=64, embedding=208, attention=200, features=256)
"""Rows enough, 192, that scales and biases are stored with them."""
WEIGHTS, STEPS = 9, 12
"""Of the decoder step and of the caption; all nine have rows enough."""
WITH_SCALE, WITH_FLOATS = b"CKSB\3\0\1\0", b"CKSB\3\0\3\0"
"""Magic, version and flags of the header: scales, and biases as well."""
GRAPHS = {"litert": ".tflite", "onnxruntime": ".onnx"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("very_sparse")
    checkpoint = write_up_down(folder / "checkpoint", sparsity=0.992, sizes=SIZES)
    return export(checkpoint, folder / "bundle", weights="packed")


def captioned(bundle: Bundle, runtime: str, target: Target) -> dict[str, Any]:
    settings = Settings(runtime, beam=3, rounds=1, samples=1, warm_up=1)
    prepare(target, bundle, settings, made_up(bundle)[1])
    return run_round(target, settings)


@pytest.fixture(params=GRAPHS)
def runtime(request: pytest.FixtureRequest) -> str:
    """A runtime for whose arm64 library all is there; otherwise a skip with the reason."""
    try:
        find_qemu()
        ARM64_ROOT.needed()
        ARM64_RUNTIMES[request.param].needed()
        build("aarch64-linux-gnu", product=request.param)
    except RuntimeMissingError as error:
        pytest.skip(f"{error.what}: {error.hint}")
    return str(request.param)


@pytest.mark.parametrize("core", ["cortex-a53", "cortex-a76"])
def test_a_caption_has_the_bits_of_this_machine(bundle: Bundle, runtime: str, core: str) -> None:
    """Twelve steps of three beams: one rounding that differs would show in the sum."""
    step = bundle.read("decoder_step" + GRAPHS[runtime])
    assert step.count(WITH_SCALE) + step.count(WITH_FLOATS) == WEIGHTS
    assert step.count(WITH_FLOATS) >= 3
    with Qemu(core) as emulated, Host() as host:
        got, expected = captioned(bundle, runtime, emulated), captioned(bundle, runtime, host)
    assert len(expected["tokens"]) == STEPS
    assert got["tokens"] == expected["tokens"]
    assert got["log_prob"] == expected["log_prob"]
