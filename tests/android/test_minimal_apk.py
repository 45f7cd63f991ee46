"""The minimal APK: built, signed, verified, and what is in it."""

import zipfile
from pathlib import Path

import pytest
from java_tests import absent
from placeholder_bundle import write_bundle

from capexport.android import instrument
from capexport.android.demo import demo_folder
from capexport.android.minimal_apk import ABIS, Apk, build_minimal_apk
from capexport.android.tools import Tools, find_tools
from capexport.bundle import open_bundle
from capexport.errors import InputError, RuntimeMissingError
from capexport.spec.image import ImageSpec

RUNTIME = b"a library of others"
INSTRUMENTATION = instrument.INSTRUMENTATION.partition("/")[2]
MOST_BYTES_BESIDE_BUNDLE = 500_000
"""Code, libraries for two ABIs, resources and signature; 2.5 MB are allowed with a small bundle."""


@pytest.fixture(scope="module")
def tools() -> Tools:
    try:
        return find_tools()
    except RuntimeMissingError as error:
        absent(str(error))
        raise


@pytest.fixture(scope="module")
def bundle_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    return write_bundle(folder, image=ImageSpec(2, 3, 3)).path


@pytest.fixture(scope="module")
def apk(tools: Tools, bundle_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Apk:
    """With tests in it, so with all that an APK can hold."""
    folder = tmp_path_factory.mktemp("apk")
    (folder / "goldens").mkdir()
    (folder / "goldens/captions.json").write_text("[]")
    with zipfile.ZipFile(folder / "runtime.aar", "w") as aar:
        aar.writestr("classes.jar", b"no library")
        for abi in (*ABIS, "armeabi-v7a"):
            aar.writestr(f"jni/{abi}/libruntime.so", RUNTIME)
    bundle = open_bundle(bundle_files)
    archives = [folder / "runtime.aar"]
    out, goldens = folder / "demo.apk", folder / "goldens"
    return build_minimal_apk(bundle, demo_folder(), tools, out, archives, goldens)


def test_it_is_signed_and_verified(apk: Apk, tools: Tools) -> None:
    verified = tools.apksigner("verify", "-v", "--min-sdk-version", "24", str(apk.path))
    assert "Verified using v2 scheme (APK Signature Scheme v2): true" in verified
    assert "Verified using v3 scheme (APK Signature Scheme v3): true" in verified
    assert any("apksigner" in check for check in apk.checks)


def test_a_changed_byte_ends_the_signature(apk: Apk, tools: Tools, tmp_path: Path) -> None:
    data = bytearray(apk.path.read_bytes())
    at = data.index(RUNTIME)
    data[at] ^= 1
    (tmp_path / "changed.apk").write_bytes(data)
    with pytest.raises(RuntimeMissingError, match=r"(?i)digest|verify"):
        tools.apksigner("verify", str(tmp_path / "changed.apk"))


def test_it_holds_the_bundle_and_libraries_for_both_abis(apk: Apk, bundle_files: Path) -> None:
    with zipfile.ZipFile(apk.path) as archive:
        for file in bundle_files.iterdir():
            assert archive.read(f"assets/bundle/{file.name}") == file.read_bytes()
        for abi in ABIS:
            assert archive.read(f"lib/{abi}/libruntime.so") == RUNTIME
            assert archive.read(f"lib/{abi}/libcapexport_captioner.so")[:4] == b"\x7fELF"
        assert not [name for name in archive.namelist() if "armeabi" in name]
        assert b"Lorg/capexport/core/NativeGraph;" in archive.read("classes.dex")


def test_it_holds_the_instrumentation_and_its_goldens(apk: Apk) -> None:
    with zipfile.ZipFile(apk.path) as archive:
        assert archive.read("assets/goldens/captions.json") == b"[]"
        assert INSTRUMENTATION[1:].encode("utf-16-le") in archive.read("AndroidManifest.xml")
        dex = archive.read("classes.dex")
        assert b"Lorg/capexport/minimal/GoldenInstrumentation;" in dex
        assert b"Lorg/capexport/core/GoldenCaptions;" in dex


def test_it_is_small(apk: Apk) -> None:
    assert sum(apk.sizes.values()) == apk.path.stat().st_size
    assert apk.path.stat().st_size - apk.sizes["bundle"] < MOST_BYTES_BESIDE_BUNDLE


def test_its_manifest_reads_back(apk: Apk, tools: Tools) -> None:
    badging = tools.badging(apk.path)
    assert "package: name='org.capexport.minimal'" in badging
    assert "uses-permission" not in badging
    assert all(f"'{abi}'" in badging for abi in ABIS)


def test_an_archive_that_is_none_is_refused(
    tools: Tools, bundle_files: Path, tmp_path: Path
) -> None:
    (tmp_path / "no.aar").write_bytes(b"no zip")
    with pytest.raises(InputError, match="cannot be read"):
        build_minimal_apk(
            open_bundle(bundle_files),
            demo_folder(),
            tools,
            tmp_path / "demo.apk",
            [tmp_path / "no.aar"],
        )
    assert [file.name for file in tmp_path.iterdir()] == ["no.aar"]
