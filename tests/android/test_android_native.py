"""Java, JNI, kernels and both runtimes: the tokens that Python got from the same bundles."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import ai_edge_litert
import onnxruntime
import pytest
from java_tests import run_junit, tool

from capexport.kernels.build import KERNELS, build

TEST = "org.capexport.core.NativeGraphTest"
LEAK_TEST = "org.capexport.core.NativeGraphLeakTest"
CAPTIONS = 36


def runtimes() -> dict[str, Path]:
    """The libraries of the installed wheels, by the runtime's name."""
    found = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
    return {"litert": Path(ai_edge_litert.__file__).parent / "libLiteRt.so", "onnxruntime": found}


def test_both_runtimes_give_the_tokens_of_python(
    core_classes: list[Path], caption_goldens: Path
) -> None:
    properties = {
        "goldens": caption_goldens,
        "capexport.library": build(product="captioner"),
        **runtimes(),
    }
    printed = run_junit([TEST], core_classes, properties)
    assert f"compared {CAPTIONS} captions" in printed


def test_closing_a_graph_gives_back_every_byte(
    core_classes: list[Path], caption_goldens: Path, tmp_path: Path
) -> None:
    count = tmp_path / "libmalloc_count.so"
    source = Path(__file__).with_name("malloc_count.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", source, "-o", count], check=True)
    properties = {
        "goldens": caption_goldens,
        "capexport.library": build(product="captioner"),
        "malloc.count": count,
        **runtimes(),
    }
    printed = run_junit([LEAK_TEST], core_classes, properties, [tool("java"), "-Xint"])
    assert len(re.findall(r"keeps 0 bytes", printed)) == len(runtimes())


def test_the_table_of_jni_is_that_of_the_jdk(tmp_path: Path) -> None:
    """Every place of jni_abi.h against the JDK's own header."""
    include = Path(tool("javac")).resolve().parents[1] / "include"
    compiler = shutil.which("cc")
    if compiler is None or not (include / "jni.h").is_file():
        pytest.skip("no C compiler, or a JDK without jni.h")
    places = re.findall(r"JNI_PLACE\((\w+), (\d+)\);", (KERNELS / "jni/jni_abi.h").read_text())
    assert len(places) == 8
    checks = "\n".join(
        f"_Static_assert(offsetof(struct JNINativeInterface_, {name}) == {place} * sizeof(void*),"
        f' "{name}");'
        for name, place in places
    )
    (tmp_path / "check.c").write_text(f"#include <stddef.h>\n#include <jni.h>\n{checks}\n")
    flags = [f"-I{include}", f"-I{include / 'linux'}", "-fsyntax-only"]
    subprocess.run([compiler, *flags, "check.c"], cwd=tmp_path, check=True)


def test_the_library_exports_what_java_and_c_call() -> None:
    library = ctypes.CDLL(str(build(product="captioner")))
    for name in ("open", "close", "run", "setInput", "readOutput", "output", "message"):
        assert hasattr(library, f"Java_org_capexport_core_NativeGraph_{name}")
    assert hasattr(library, "capexport_onnxruntime_open")
    assert not hasattr(library, "ck_run")
