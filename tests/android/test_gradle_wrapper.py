"""The Gradle wrapper starts a distribution: one of a single class, since none can be had here."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from java_tests import DEMO, tool

MAIN = """package org.gradle.launcher;
public final class GradleMain {
  public static void main(String[] words) {
    System.out.println("started with " + String.join(" ", words));
  }
}
"""
NAME = "gradle-9.5.0"


def write_distribution(folder: Path) -> Path:
    """A zip as Gradle's own are laid out, as far as the wrapper looks."""
    source = folder / "GradleMain.java"
    source.write_text(MAIN)
    subprocess.run([tool("javac"), "-d", str(folder), str(source)], check=True)
    launcher, archive = folder / "launcher.jar", folder / f"{NAME}-bin.zip"
    with zipfile.ZipFile(launcher, "w") as jar:
        jar.write(
            folder / "org/gradle/launcher/GradleMain.class", "org/gradle/launcher/GradleMain.class"
        )
    with zipfile.ZipFile(archive, "w") as whole:
        for name in ("", "/lib", "/bin"):
            whole.mkdir(NAME + name)
        whole.writestr(f"{NAME}/bin/gradle", "")
        whole.write(launcher, f"{NAME}/lib/gradle-launcher-9.5.0.jar")
    return archive


def test_the_wrapper_starts_the_distribution_that_it_names(tmp_path: Path) -> None:
    for name in ("gradlew", "gradle"):
        copy = shutil.copytree if (DEMO / name).is_dir() else shutil.copy
        copy(DEMO / name, tmp_path / name)
    settings = tmp_path / "gradle/wrapper/gradle-wrapper.properties"
    (address,) = [line for line in settings.read_text().splitlines() if "distributionUrl" in line]
    assert address.endswith(f"{NAME}-bin.zip")
    nearby = write_distribution(tmp_path).as_uri().replace(":", "\\:")
    settings.write_text(settings.read_text().replace(address, f"distributionUrl={nearby}"))
    home = {"GRADLE_USER_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [tmp_path / "gradlew", "--offline", "help"],
        env={**os.environ, **home},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "started with --offline help" in done.stdout, done.stdout + done.stderr
