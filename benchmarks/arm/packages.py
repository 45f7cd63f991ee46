"""A cache folder -> in it an arm64 Python with the runtimes, fetched without root.

Debian packages come from the archives in this machine's own apt sources, wheels from pip's index.
Nothing is installed, and the system's apt and dpkg are not touched.
"""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

DEBIAN = ("python3", "libstdc++6")
WHEELS = ("numpy", "ai-edge-litert", "onnxruntime")
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_27", "manylinux_2_28")


def fetch_root(cache: Path) -> Path:
    """A folder with usr/, lib/ and so on of an arm64 Debian that has Python."""
    root = cache / "root"
    if not (root / "usr/bin/python3").exists():
        for package in _download_packages(cache / "apt"):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    return root


def installed(names: Iterable[str]) -> dict[str, str]:
    """The versions that are installed here, so that both sides run the same code."""
    return {name: version(name) for name in names}


def fetch_wheels(cache: Path, root: Path, versions: Mapping[str, str]) -> Path:
    """A folder for PYTHONPATH that holds the arm64 wheels of those versions."""
    site = cache / "site"
    wanted = [site / f"{_stem(name, of)}.dist-info" for name, of in versions.items()]
    if not all(path.is_dir() for path in wanted):
        for wheel in _download_wheels(cache / "wheels", python_version(root), versions):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
    return site


def python_version(root: Path) -> str:
    """Of the Python in `root`, such as 3.11."""
    return (root / "usr/bin/python3").readlink().name.removeprefix("python")


def _download_packages(apt: Path) -> list[Path]:
    """DEBIAN with everything it depends on, by an apt that knows no installed package."""
    archives, lists = apt / "archives", apt / "lists"
    for folder in (archives / "partial", lists / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    configuration = apt / "apt.conf"
    configuration.write_text(
        f'Dir::State::Lists "{lists}"; Dir::State::status "{apt / "status"}";\n'
        f'Dir::Cache "{apt}"; Dir::Cache::archives "{archives}";\n'
        'APT::Architecture "arm64"; APT::Architectures { "arm64"; };\n'
        'APT::Sandbox::User "root"; Acquire::Languages "none";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(configuration)}
    install = ["install", "--no-install-recommends", "--download-only", "-y", *DEBIAN]
    for arguments in (["update"], install):
        subprocess.run(["apt-get", "-qq", *arguments], check=True, env=environment)
    return sorted(archives.glob("*.deb"))


def _stem(name: str, release: str) -> str:
    """What a wheel's file names begin with."""
    return f"{name.replace('-', '_')}-{release}"


def _download_wheels(wheels: Path, python: str, versions: Mapping[str, str]) -> list[Path]:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [f"--platform={platform}_aarch64" for platform in PLATFORMS]
    command += [f"--dest={wheels}", *(f"{name}=={of}" for name, of in versions.items())]
    subprocess.run(command, check=True)
    return [next(wheels.glob(f"{_stem(name, of)}-*.whl")) for name, of in versions.items()]
