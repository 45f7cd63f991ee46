"""The programs that make an APK without Android's SDK: Debian's, and a JDK."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capexport.debian import Packages, unpacked
from capexport.errors import RuntimeMissingError

AAPT = Packages("bookworm", "amd64", ("aapt", "zipalign"), with_dependencies=True)
APKSIGNER = Packages("bookworm", "amd64", ("apksigner", "libapksig-java"))
PLATFORM = Packages("bullseye", "amd64", ("libandroid-23-java",))
DX = Packages("bullseye", "amd64", ("dalvik-exchange",))
"""dx is in no later suite; its successor d8 is in none."""
JAVA = Path("usr/share/java")
SIGNER = "com.android.apksigner.ApkSignerTool"
TIMEOUT_S = 600


@dataclass(frozen=True)
class Tools:
    """What builds an APK.

    Args:
        aapt: folder that the Debian packages were unpacked into.
        android_jar: classes and resources of Android 6.
        dx_jar: Java classes to Dalvik's.
        signer_jars: apksigner and its library.
    """

    aapt: Path
    android_jar: Path
    dx_jar: Path
    signer_jars: tuple[Path, ...]

    def aapt2(self, *arguments: str) -> None:
        """Raises RuntimeMissingError with its words when it fails."""
        self._run_of_debian("aapt2", arguments)

    def zipalign(self, *arguments: str) -> None:
        self._run_of_debian("zipalign", arguments)

    def badging(self, apk: Path) -> str:
        """What a package manager reads of the APK."""
        return self._run_of_debian("aapt", ("dump", "badging", str(apk)))

    def javac(self, sources: Sequence[Path], out: Path) -> None:
        """Java 8 against Android's classes and no others."""
        options = ["-nowarn", "-Xlint:-options", "-source", "8", "-target", "8"]
        classes = ["-bootclasspath", str(self.android_jar), "-d", str(out)]
        run([program("javac"), *options, *classes, *map(str, sources)])

    def dx(self, classes: Path, out: Path, least_sdk: int) -> None:
        options = ["--dex", f"--min-sdk-version={least_sdk}", f"--output={out}"]
        run([program("java"), "-jar", str(self.dx_jar), *options, str(classes)])

    def apksigner(self, *arguments: str) -> str:
        jars = os.pathsep.join(map(str, self.signer_jars))
        return run([program("java"), "-cp", jars, SIGNER, *arguments])

    def _run_of_debian(self, name: str, arguments: Sequence[str]) -> str:
        """A program that finds its libraries in the folder that it was unpacked into."""
        libraries = self.aapt / "usr/lib"
        folders = ("x86_64-linux-gnu", "x86_64-linux-gnu/android", "", "p7zip")
        path = os.pathsep.join(str(libraries / folder) for folder in folders)
        command = [str(self.aapt / "usr/bin" / name), *arguments]
        return run(command, environment={"LD_LIBRARY_PATH": path})


def find_tools() -> Tools:
    """All of them, downloaded at first; RuntimeMissingError where one cannot be had."""
    program("javac")
    signer = unpacked(APKSIGNER) / JAVA
    return Tools(
        aapt=unpacked(AAPT),
        android_jar=unpacked(PLATFORM) / JAVA / "com.android.android-23.jar",
        dx_jar=unpacked(DX) / JAVA / "com.android.dx.jar",
        signer_jars=(signer / "apksigner.jar", signer / "apksig.jar"),
    )


def program(name: str) -> str:
    """Path of a JDK's program; RuntimeMissingError without one."""
    path = shutil.which(name)
    if path is None:
        raise RuntimeMissingError(
            f"there is no {name}", where="PATH", hint="install a JDK: apt install default-jdk"
        )
    return path


def run(
    command: Sequence[str], environment: dict[str, str] | None = None, folder: Path | None = None
) -> str:
    """Standard output of a command that must succeed, else RuntimeMissingError with its reason."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        lines = [line for line in (error.stderr + error.stdout).splitlines() if line.strip()]
        reason = next((line for line in lines if "error" in line.lower()), (*lines, "")[0])
        raise _failure(command, reason) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failure(command, str(error)) from error
    return done.stdout


def _failure(command: Sequence[str], reason: str) -> RuntimeMissingError:
    return RuntimeMissingError(
        f"a program of the Android build failed: {reason}",
        where=" ".join(command[:6]),
        hint="run that command by itself to see all that it says",
    )
