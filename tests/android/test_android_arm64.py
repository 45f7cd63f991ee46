"""The same Java, JNI, kernels and runtimes on an arm64 JVM under QEMU."""

import re
from pathlib import Path

import pytest
from arm64_jvm import Arm64Jvm, fetched
from java_tests import run_junit

from capexport.kernels.build import build

CORE = ("ResamplerTest", "VocabularyTest", "CaptionSessionTest", "BundleTest")


@pytest.fixture(scope="module")
def arm64() -> Arm64Jvm:
    """It takes 150 MB and a minute of computing, so that nobody is made to fetch it."""
    jvm = fetched()
    if jvm is None:
        pytest.skip("no arm64 JVM here: python tests/arm64_jvm.py fetches one")
    return jvm


def test_the_core_does_what_python_does(
    arm64: Arm64Jvm, core_classes: list[Path], goldens: Path
) -> None:
    names = [f"org.capexport.core.{name}" for name in CORE]
    printed = run_junit(names, core_classes, {"goldens": goldens}, arm64.command)
    assert re.search(r"\d\d tests successful", printed)


def test_both_runtimes_give_the_tokens_of_python(
    arm64: Arm64Jvm, core_classes: list[Path], caption_goldens: Path
) -> None:
    properties = {
        "goldens": caption_goldens,
        "capexport.library": build("aarch64-linux-gnu", product="captioner"),
        "litert": arm64.litert,
        "onnxruntime": arm64.onnxruntime,
    }
    test = "org.capexport.core.NativeGraphTest"
    printed = run_junit([test], core_classes, properties, arm64.command)
    assert re.search(r"compared 36 captions on aarch64", printed)
