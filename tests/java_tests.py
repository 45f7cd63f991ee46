"""android_demo's Java code compiled, and its JUnit tests run in a JVM."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from capexport.debian import Packages, unpacked
from capexport.errors import RuntimeMissingError

DEMO = Path(__file__).resolve().parents[1] / "android_demo"
CORE, CORE_TESTS = DEMO / "core/src/main/java", DEMO / "core/src/test/java"
GOLDENS = DEMO / "core/src/golden/java"
"""What tests on a desktop and on a phone share."""
JUNIT = Packages(
    "bookworm", "amd64", ("junit5", "libopentest4j-java", "libapiguardian-java", "libpicocli-java")
)
TIMEOUT_S = 600


def absent(reason: str) -> None:
    """Skip, or fail where CI has seen to it that all is there."""
    if os.environ.get("CAPEXPORT_REQUIRE_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def packages(wanted: Packages) -> Path:
    """The unpacked packages, or the end of the test."""
    try:
        return unpacked(wanted)
    except RuntimeMissingError as error:
        absent(str(error))
        raise


def junit_jars() -> list[Path]:
    """JUnit 5 with its console, and what they need."""
    jars = packages(JUNIT) / "usr/share/java"
    parts = ("jupiter-api", "jupiter-engine", "platform-commons", "platform-engine")
    parts += ("platform-launcher", "platform-reporting", "platform-console")
    others = ("opentest4j", "apiguardian-api", "picocli")
    return [jars / f"{name}.jar" for name in (*(f"junit-{part}" for part in parts), *others)]


def tool(name: str) -> str:
    """Path of a JDK's program, or the end of the test."""
    path = shutil.which(name)
    if path is None:
        absent(f"no {name}: install default-jdk-headless")
    return str(path)


def class_path(paths: Sequence[Path]) -> str:
    return os.pathsep.join(map(str, paths))


def compile_java(sources: Sequence[Path], jars: Sequence[Path], out: Path) -> None:
    """Every file below `sources` as Java 8, every warning an error."""
    files = [str(file) for source in sources for file in sorted(source.rglob("*.java"))]
    # -path: the manifests of Debian's jars name each other below /usr/share.
    options = ["--release", "8", "-Xlint:all,-options,-path", "-Werror"]
    command = [tool("javac"), *options, "-cp", class_path(jars), "-d", str(out), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run_junit(
    tests: Sequence[str],
    paths: Sequence[Path],
    properties: Mapping[str, object],
    java: Sequence[str] | None = None,
) -> str:
    """Run test classes; returns what they print, fails with it when one fails.

    Args:
        paths: class path.
        properties: system properties.
        java: the command of another JVM than that of this machine.
    """
    settings = [f"-D{key}={value}" for key, value in properties.items()]
    command = [*(java or [tool("java")]), "-XX:+UseSerialGC", *settings, "-cp", class_path(paths)]
    command += ["org.junit.platform.console.ConsoleLauncher", "--details=tree", "--disable-banner"]
    command += [f"--select-class={test}" for test in tests]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]  # LiteRT logs a lot
    return done.stdout
