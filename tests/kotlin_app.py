"""`python tests/kotlin_app.py`: the app's Kotlin compiled, by a compiler that is fetched at first.

With `--fetch` no more than that.

The compiler (90 MB, in npm's package kotlin-compiler, with coroutines and the Compose plugin) goes
into the cache. It is of the version that the demo's Gradle files name. What there is no library of
is stood in for by the signatures in tests/android_stubs.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from java_tests import DEMO, GOLDENS, packages

from capexport.android.tools import Tools, find_tools, program, run
from capexport.debian import Packages, cache_folder
from capexport.errors import RuntimeMissingError

STUBS = Path(__file__).with_name("android_stubs")
APP = DEMO / "app/src/main"
JAVA = (DEMO / "core/src/main/java", GOLDENS, DEMO / "lib/src/main/java")
PACKAGE = "org.capexport.demo"
JUNIT_4 = Packages("bookworm", "amd64", ("junit4", "libhamcrest-java"))
"""What androidx's tests on a phone are written for; those of core are JUnit 5's."""
LIBRARIES = ("kotlin-stdlib.jar", "kotlinx-coroutines-core-jvm.jar")
COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
OPTIONS = (
    *("-no-jdk", "-no-reflect", "-no-stdlib", "-jvm-target", "11", "-Werror"),
    # Stable in younger coroutines than those beside the compiler.
    "-opt-in=kotlinx.coroutines.ExperimentalCoroutinesApi",
)
BUILD_CONFIG = f"""package {PACKAGE};
public final class BuildConfig {{ public static final boolean DEBUG = Boolean.valueOf(true); }}
"""
"""The Android Gradle plugin writes it in a build."""


def version() -> str:
    """Of Kotlin, in the demo's catalogue."""
    catalogue = (DEMO / "gradle/libs.versions.toml").read_text()
    return str(tomllib.loads(catalogue)["versions"]["kotlin"])


def fetched() -> Path | None:
    """The compiler's jars if an earlier run fetched them."""
    folder = _folder()
    return folder if folder.is_dir() else None


def fetch() -> Path:
    """Download the compiler if it is missing; raises RuntimeMissingError."""
    folder = _folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as scratch:
        package = f"kotlin-compiler@{version()}"
        archive = run([program("npm"), "pack", "--silent", package], folder=Path(scratch))
        shutil.unpack_archive(Path(scratch, archive.strip()), scratch, "gztar", filter="data")
        Path(scratch, "package/lib").rename(folder)
    return folder


def _folder() -> Path:
    return cache_folder() / f"kotlin-{version()}"


def compile_app(compiler: Path, tools: Tools, out: Path) -> None:
    """Classes of the app into `out`; RuntimeMissingError with the compiler's words otherwise."""
    with TemporaryDirectory() as scratch:
        java = Path(scratch)
        _compile_java(tools, java)
        paths = [*(compiler / name for name in LIBRARIES), java / "classes", java / "stubs"]
        paths.append(packages(JUNIT_4) / "usr/share/java/junit4.jar")
        command = [
            *(program("java"), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g"),
            *("-cp", str(compiler / "kotlin-compiler.jar"), COMPILER, *OPTIONS),
            *(f"-Xplugin={compiler / 'compose-compiler-plugin.jar'}", "-d", str(out)),
            *("-cp", ":".join(map(str, [*paths, tools.android_jar]))),
        ]
        run([*command, *map(str, [*STUBS.glob("*.kt"), *kotlin_files()])])


def kotlin_files() -> list[Path]:
    """Of the app and of its tests on a phone."""
    return sorted(APP.parent.rglob("*.kt"))


def _compile_java(tools: Tools, folder: Path) -> None:
    """Our own classes and what a build generates into classes/, stubs of Android into stubs/."""
    for name in ("gen", "classes", "stubs"):
        (folder / name).mkdir()
    _generate(tools, folder)
    sources = [file for root in (*JAVA, folder / "gen") for file in sorted(root.rglob("*.java"))]
    tools.javac(sources, folder / "classes")
    tools.javac(sorted(STUBS.glob("*.java")), folder / "stubs")


def _generate(tools: Tools, folder: Path) -> None:
    """R.java by aapt2, BuildConfig.java by hand."""
    manifest = (APP / "AndroidManifest.xml").read_text()
    named = manifest.replace("<manifest ", f'<manifest package="{PACKAGE}" ', 1)
    (folder / "AndroidManifest.xml").write_text(named)
    (folder / "gen/BuildConfig.java").write_text(BUILD_CONFIG)
    tools.aapt2("compile", "--dir", str(APP / "res"), "-o", str(folder / "res.zip"))
    tools.aapt2(
        *("link", "-I", str(tools.android_jar), "--java", str(folder / "gen")),
        *("--manifest", str(folder / "AndroidManifest.xml")),
        *("-o", str(folder / "base.apk"), str(folder / "res.zip")),
    )


def main() -> None:
    """Fetch, and compile unless told `--fetch`."""
    try:
        compiler = fetch()
        if sys.argv[1:] == ["--fetch"]:
            return
        with TemporaryDirectory() as out:
            compile_app(compiler, find_tools(), Path(out))
            count = sum(1 for _ in Path(out).rglob("*.class"))
    except (RuntimeMissingError, subprocess.SubprocessError) as error:
        sys.exit(str(error))
    print(f"Kotlin {version()}: {len(kotlin_files())} files, {count} classes")


if __name__ == "__main__":
    main()
