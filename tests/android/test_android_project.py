"""The Gradle project, which is not built here: what can be held against the other sources."""

import re
import xml.etree.ElementTree as ElementTree

from java_tests import DEMO

from capexport.kernels.products import CAPTIONER, PRODUCTS
from capexport.kernels.targets import COMPILER_FLAGS

CMAKE = (DEMO / "lib/src/main/cpp/CMakeLists.txt").read_text()
KOTLIN = sorted((DEMO / "app").rglob("*.kt"))
SHARED = DEMO / "core/src/golden/java"
STRINGS = DEMO / "app/src/main/res/values/strings.xml"


def test_cmake_compiles_the_same_sources_by_the_same_flags() -> None:
    folders = re.search(r"set\(FOLDERS\s+(.*?)\)", CMAKE, re.DOTALL)
    assert folders is not None
    assert tuple(folders.group(1).split()) == CAPTIONER
    options = re.search(
        r"target_compile_options\(capexport_captioner PRIVATE\s+(.*?)\)", CMAKE, re.DOTALL
    )
    assert options is not None
    # CMake has settings of its own for the language's version and what is visible.
    by_cmake = {"-std=c11", "-g0", "-fvisibility=hidden"}
    assert set(options.group(1).split()) == set(COMPILER_FLAGS) - by_cmake
    assert "C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF C_VISIBILITY_PRESET" in CMAKE
    assert [f"-D{name}" for name in re.findall(r"PRIVATE (CK_API=)\)", CMAKE)] == list(
        PRODUCTS["captioner"].flags
    )
    assert "max-page-size=16384" in CMAKE
    assert f"add_library({PRODUCTS['captioner'].file[3:-3]} SHARED" in CMAKE


def test_r8_keeps_what_native_code_looks_up() -> None:
    rules = (DEMO / "lib/consumer-rules.pro").read_text()
    (kept,) = re.findall(r"class (\S+) \{", rules)
    assert (DEMO / "core/src/main/java" / f"{kept.replace('.', '/')}.java").is_file()


def test_both_abis() -> None:
    for module in ("lib", "app"):
        assert 'abiFilters += listOf("arm64-v8a", "x86_64")' in read(module)


def read(module: str) -> str:
    return (DEMO / module / "build.gradle.kts").read_text()


def test_every_name_of_the_catalogue_is_there() -> None:
    catalogue = (DEMO / "gradle/libs.versions.toml").read_text()
    names = {
        name.replace("-", ".") for name in re.findall(r"^([\w-]+) = \{", catalogue, re.MULTILINE)
    }
    scripts = "\n".join(read(module) for module in ("core", "lib", "app"))
    scripts += (DEMO / "build.gradle.kts").read_text()
    used = set(re.findall(r"\blibs\.(?:plugins\.)?([a-z0-9.]+)", scripts))
    assert used <= names


def test_every_text_of_the_screens_is_there() -> None:
    texts = {entry.attrib["name"] for entry in ElementTree.parse(STRINGS).getroot()}
    used = set(re.findall(r"R\.string\.(\w+)", "\n".join(file.read_text() for file in KOTLIN)))
    assert used <= texts
    assert texts - used == {"app_name"}


def test_every_resource_is_xml() -> None:
    files = [file for file in DEMO.rglob("*.xml") if "build" not in file.relative_to(DEMO).parts]
    assert len(files) >= 7
    for file in files:
        ElementTree.parse(file)


def test_kotlin_asks_the_library_for_what_it_has() -> None:
    """Imports of our own packages name classes that are there."""
    for file in KOTLIN:
        for name in re.findall(
            r"^import (org\.capexport\.(?:core|android)\.\w+)$", file.read_text(), re.M
        ):
            path = f"{name.replace('.', '/')}.java"
            roots = (SHARED, DEMO / "core/src/main/java", DEMO / "lib/src/main/java")
            assert any((root / path).is_file() for root in roots)


def test_the_app_asks_for_no_network() -> None:
    manifests = list(DEMO.rglob("AndroidManifest.xml"))
    assert len(manifests) == 3
    assert all("INTERNET" not in file.read_text() for file in manifests)
