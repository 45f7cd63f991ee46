"""android_demo/core on this machine's JVM: what Python does, to the bit."""

import json
import re
from pathlib import Path

from java_tests import CORE, CORE_TESTS, run_junit

TESTS = tuple(
    f"org.capexport.core.{name}"
    for name in (
        "ResamplerTest",
        "VocabularyTest",
        "CaptionSessionTest",
        "BundleTest",
        "CoresTest",
        "BenchmarkTest",
    )
)
NATIVE = {"org.capexport.core.NativeGraphTest"}


def test_the_core_does_what_python_does(core_classes: list[Path], goldens: Path) -> None:
    printed = run_junit(TESTS, core_classes, {"goldens": goldens})
    assert re.search(r"OK \(\d\d tests\)", printed)


def test_the_report_of_a_benchmark_has_what_bench_reads(
    core_classes: list[Path], goldens: Path
) -> None:
    """BenchmarkTest.java leaves it behind."""
    run_junit(["org.capexport.core.BenchmarkTest"], core_classes, {"goldens": goldens})
    report = json.loads((goldens / "report.json").read_text())
    assert {"schema", "kind", "device", "bundle_sha256", "settings", "validity"} <= set(report)
    assert report["settings"]["samples"] == len(report["latency_ms"]["caption"])
    assert all(ms >= 0 for samples in report["latency_ms"].values() for ms in samples)


def test_every_test_class_is_run() -> None:
    classes = {f"org.capexport.core.{file.stem}" for file in CORE_TESTS.rglob("*Test.java")}
    assert classes - NATIVE == set(TESTS)


def test_the_core_knows_nothing_of_android() -> None:
    for file in CORE.rglob("*.java"):
        assert not re.search(r"\bandroidx?\.", file.read_text()), file
