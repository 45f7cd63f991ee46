"""Bundle + the demo's framework-only sources -> a signed APK, without Gradle, SDK or NDK."""

import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from capexport.android import elf
from capexport.android.demo import place_bundle
from capexport.android.tools import Tools, program, run
from capexport.android.zip_alignment import align, misaligned
from capexport.android_archive import native_libraries
from capexport.bundle import Bundle
from capexport.debian import cache_folder
from capexport.errors import UnsupportedError
from capexport.kernels.build import build

ABIS = {"arm64-v8a": "aarch64-linux-android", "x86_64": "x86_64-linux-android"}
"""Target of the kernels by Android's name."""
SOURCES = ("core/src/main/java", "lib/src/main/java", "minimal/src")
TESTS = ("core/src/golden/java", "minimal/test")
INSTRUMENTATION = (
    '  <instrumentation android:name=".GoldenInstrumentation"'
    ' android:targetPackage="org.capexport.minimal"/>\n</manifest>'
)
LEAST_SDK = 24
PASSWORD = "android"
"""Of Android's own debug key stores too: it guards nothing."""


@dataclass(frozen=True)
class Apk:
    """A built APK.

    Args:
        path: of the file.
        sizes: bytes in the APK by part; they add up to its size.
        checks: what was verified, one sentence each.
    """

    path: Path
    sizes: dict[str, int]
    checks: tuple[str, ...]


def build_minimal_apk(
    bundle: Bundle,
    demo: Path,
    tools: Tools,
    out: Path,
    runtime_archives: Sequence[Path] = (),
    goldens: Path | None = None,
) -> Apk:
    """Build, align, sign and verify.

    Args:
        demo: the folder android_demo.
        out: the APK; written when all checks have passed.
        runtime_archives: .aar files whose libraries go along; without one the app opens and says
            that it has no runtime.
        goldens: folder of `write_goldens`; with it the APK has an instrumentation for them.

    Raises:
        RuntimeMissingError: a tool is missing or fails.
        UnsupportedError: a library would not load on Android.
        InputError: an archive is none.
    """
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        folder = Path(scratch)
        libraries = {
            f"lib/{abi}/{library.name}": library.read_bytes()
            for abi, library in ((abi, _native_library(abi)) for abi in ABIS)
        }
        libraries |= _runtime_libraries(runtime_archives)
        _write_base(bundle, demo, tools, folder, goldens)
        _write_dex(demo, tools, folder, SOURCES + (TESTS if goldens else ()))
        _add(folder / "base.apk", folder / "classes.dex", libraries)
        align(folder / "base.apk", folder / "aligned.apk")
        signed = folder / "signed.apk"
        _sign(tools, folder / "aligned.apk", signed)
        checks = _checks(tools, signed, libraries)
        sizes = _sizes(signed)
        signed.replace(out)
    return Apk(out, sizes, checks)


def _native_library(abi: str) -> Path:
    library = build(ABIS[abi], product="captioner")
    if found := elf.faults(library, abi):
        raise UnsupportedError(
            f"Android would not load the library: {'; '.join(found)}",
            where=str(library),
            hint="build it with the compiler of the ziglang wheel or with the NDK",
        )
    return library


def _runtime_libraries(archives: Sequence[Path]) -> dict[str, bytes]:
    """Contents by name in the APK, of the ABIs that the demo is built for."""
    return {
        f"lib/{abi}/{name}": data
        for archive in archives
        for abi in ABIS
        for name, data in native_libraries(archive, abi).items()
    }


def _write_base(
    bundle: Bundle, demo: Path, tools: Tools, folder: Path, goldens: Path | None
) -> None:
    """base.apk with manifest, resources and assets; gen/ with R.java."""
    place_bundle(bundle, folder / "assets")
    manifest = (demo / "minimal/AndroidManifest.xml").read_text()
    if goldens:
        shutil.copytree(goldens, folder / "assets/goldens")
        manifest = manifest.replace("</manifest>", INSTRUMENTATION)
    (folder / "AndroidManifest.xml").write_text(manifest)
    sources = demo / "minimal"
    tools.aapt2("compile", "--dir", str(sources / "res"), "-o", str(folder / "res.zip"))
    tools.aapt2(
        "link",
        *("-I", str(tools.android_jar), "--manifest", str(folder / "AndroidManifest.xml")),
        *("--java", str(folder / "gen"), "-A", str(folder / "assets")),
        *("-o", str(folder / "base.apk"), str(folder / "res.zip")),
    )


def _write_dex(demo: Path, tools: Tools, folder: Path, sources: Sequence[str]) -> None:
    """classes.dex of the demo's framework-only sources."""
    folders = [*(demo / source for source in sources), folder / "gen"]
    (folder / "classes").mkdir()
    tools.javac(
        [file for one in folders for file in sorted(one.rglob("*.java"))], folder / "classes"
    )
    tools.dx(folder / "classes", folder / "classes.dex", LEAST_SDK)


def _add(apk: Path, dex: Path, libraries: dict[str, bytes]) -> None:
    """Code is compressed, libraries are not: they are mapped from inside the APK."""
    with zipfile.ZipFile(apk, "a") as archive:
        archive.write(dex, "classes.dex", zipfile.ZIP_DEFLATED)
        for name, data in libraries.items():
            archive.writestr(name, data, zipfile.ZIP_STORED)


def _sign(tools: Tools, aligned: Path, signed: Path) -> None:
    """With a key of this user, made once: an update must have the key of what it updates."""
    store = cache_folder() / "android-debug.keystore"
    if not store.is_file():
        store.parent.mkdir(parents=True, exist_ok=True)
        names = ["-keystore", str(store), "-alias", "debug", "-dname", "CN=capexport debug"]
        words = ["-storepass", PASSWORD, "-keypass", PASSWORD]
        kind = ["-keyalg", "RSA", "-keysize", "2048", "-validity", "10000"]
        run([program("keytool"), "-genkeypair", *names, *words, *kind])
    key = ("--ks", str(store), "--ks-pass", f"pass:{PASSWORD}")
    tools.apksigner("sign", *key, "--out", str(signed), str(aligned))


def _checks(tools: Tools, apk: Path, libraries: dict[str, bytes]) -> tuple[str, ...]:
    """Everything that can be verified here; raises where something is wrong."""
    verified = tools.apksigner("verify", "-v", "--min-sdk-version", str(LEAST_SDK), str(apk))
    if "v2 scheme (APK Signature Scheme v2): true" not in verified:
        raise _unsound("the signature is not of scheme v2", apk)
    if wrong := misaligned(apk):
        raise _unsound(f"{wrong[0]} is not aligned", apk)
    tools.zipalign("-c", "-p", "4", str(apk))
    badging = tools.badging(apk)
    if f"sdkVersion:'{LEAST_SDK}'" not in badging or "native-code" not in badging:
        raise _unsound("its manifest does not read back", apk)
    return (
        "apksigner verifies the signature, schemes v2 and v3",
        "libraries begin at multiples of 16 KB and have segments of 16 KB",
        f"{len(libraries)} libraries, ours need libc.so and libdl.so only",
        "no thread-local storage, text relocation, executable stack or symbol version",
    )


def _unsound(what: str, apk: Path) -> UnsupportedError:
    hint = "this is an error of the build: report it"
    return UnsupportedError(f"the APK is not sound: {what}", where=apk.name, hint=hint)


def _sizes(apk: Path) -> dict[str, int]:
    """Bytes in the APK by part."""
    sizes = dict.fromkeys(("code", "libraries", "bundle", "resources"), 0)
    with zipfile.ZipFile(apk) as archive:
        for entry in archive.infolist():
            sizes[_part(entry.filename)] += entry.compress_size
    sizes["zip, padding and signature"] = apk.stat().st_size - sum(sizes.values())
    return sizes


def _part(name: str) -> str:
    if name.endswith(".dex"):
        return "code"
    if name.startswith("lib/"):
        return "libraries"
    return "bundle" if name.startswith("assets/") else "resources"
