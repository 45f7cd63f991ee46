"""android_demo/core on this machine's JVM: what Python does, to the bit."""

import re
from pathlib import Path

from java_tests import CORE, CORE_TESTS, run_junit

from capexport.bench.report import read_report

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
NATIVE = {"org.capexport.core.NativeGraphTest", "org.capexport.core.NativeGraphLeakTest"}


def test_the_core_does_what_python_does(core_classes: list[Path], goldens: Path) -> None:
    printed = run_junit(TESTS, core_classes, {"goldens": goldens})
    assert re.search(r"\d\d tests successful", printed)


def test_the_report_of_a_benchmark_is_one_of_bench(core_classes: list[Path], goldens: Path) -> None:
    """BenchmarkTest.java leaves it behind; `capexport report` and `compare` take it."""
    run_junit(["org.capexport.core.BenchmarkTest"], core_classes, {"goldens": goldens})
    report = read_report(goldens / "report.json")
    counts = {name: summary.count for name, summary in report.summaries().items()}
    assert counts["caption"] == counts["encoder"] == report.settings["samples"]
    assert counts["decoder_step"] == counts["caption"] * report.output["steps"]
    assert not report.valid


def test_every_test_class_is_run() -> None:
    classes = {f"org.capexport.core.{file.stem}" for file in CORE_TESTS.rglob("*Test.java")}
    assert classes - NATIVE == set(TESTS)


def test_the_core_knows_nothing_of_android() -> None:
    for file in CORE.rglob("*.java"):
        assert not re.search(r"\bandroidx?\.", file.read_text()), file
