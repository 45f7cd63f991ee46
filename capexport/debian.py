"""Debian packages of any suite and architecture -> a folder, without root, kept in the cache.

apt itself resolves and downloads them from the machine's own mirror, by a private configuration:
own lists, an empty record of what is installed. The system's apt is left alone.
"""

import fcntl
import getpass
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from capexport.errors import RuntimeMissingError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = Path("/etc/apt")
TIMEOUT_S = 600
MIRROR = re.compile(r"^(?:URIs:|deb\s).*?(\S+://\S+/debian)/?(?:\s|$)", re.MULTILINE)
WHOLE = "whole"
"""A file beside the unpacked packages that says that all are there."""


@dataclass(frozen=True)
class Packages:
    """What to unpack.

    Args:
        suite, architecture: such as bookworm and arm64.
        names: of the packages.
        with_dependencies: and everything that they need, down to the C library.
    """

    suite: str
    architecture: str
    names: tuple[str, ...]
    with_dependencies: bool = False


def unpacked(packages: Packages) -> Path:
    """The folder with `usr` and so on; downloaded at the first call.

    Raises:
        RuntimeMissingError: this is no Debian, the mirror has no such suite or package, or it
            cannot be reached.
    """
    cache = cache_folder() / "debian"
    key = hashlib.sha256(repr(packages).encode()).hexdigest()[:12]
    folder = cache / f"{packages.names[0]}-{packages.suite}-{packages.architecture}-{key}"
    if (folder / WHOLE).is_file():
        return folder
    state = cache / f"apt-{packages.suite}-{packages.architecture}"
    with _alone(state):
        if not (folder / WHOLE).is_file():
            _unpack(packages, state, folder)
    return folder


def cache_folder() -> Path:
    """capexport in XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "capexport")


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Two processes cannot share apt's folders."""
    for part in ("lists/partial", "archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(packages: Packages, state: Path, folder: Path) -> None:
    configuration = _configure(packages, state)
    _apt(["apt-get", "-qq", "update"], configuration, state, packages)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for archive in _download(packages, configuration, state):
        _apt(["dpkg-deb", "-x", str(archive), str(folder)], configuration, state, packages)
    (folder / WHOLE).touch()


def _download(packages: Packages, configuration: Path, state: Path) -> list[Path]:
    """The .deb files."""
    archives = state / "archives"
    if not packages.with_dependencies:
        for name in packages.names:
            for old in archives.glob(f"{name}_*.deb"):
                old.unlink()
        _apt(["apt-get", "-qq", "download", *packages.names], configuration, archives, packages)
        return [next(archives.glob(f"{name}_*.deb")) for name in packages.names]
    install = ["apt-get", "-qq", "-y", "install", "--no-install-recommends"]
    plan = _apt([*install, "-s", *packages.names], configuration, state, packages)
    _apt([*install, "--download-only", *packages.names], configuration, state, packages)
    # "Inst libc6 (2.41-12 Debian:13/stable [arm64])" -> libc6_2.41-12_arm64.deb; ':' is %3a
    planned = re.findall(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", plan, re.MULTILINE)
    return [archives / ("_".join(parts).replace(":", "%3a") + ".deb") for parts in planned]


def _configure(packages: Packages, state: Path) -> Path:
    """A configuration for apt that knows one suite and no installed package."""
    source = f"[signed-by={KEYRING}] {_mirror()} {packages.suite} main"
    (state / "sources.list").write_text(f"deb {source}\n")
    (state / "status").touch()
    configuration = state / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::SourceList "{state}/sources.list";\n'
        'Dir::Etc::SourceParts "/dev/null";\n'
        f'Dir::State::Lists "{state}/lists";\n'
        f'Dir::State::status "{state}/status";\n'
        f'Dir::Cache "{state}";\n'
        f'Dir::Cache::archives "{state}/archives";\n'
        f'APT::Architecture "{packages.architecture}";\n'
        f'APT::Architectures {{ "{packages.architecture}"; }};\n'
        f'APT::Sandbox::User "{getpass.getuser()}";\n'
        'Acquire::Languages "none";\n'
        'Acquire::Retries "3";\n'
    )
    return configuration


def _mirror() -> str:
    """The first Debian archive among apt's sources, in either of their two formats."""
    lists = SOURCES / "sources.list.d"
    files = [SOURCES / "sources.list", *lists.glob("*.sources"), *lists.glob("*.list")]
    for file in files:
        text = file.read_text() if file.is_file() else ""
        if found := MIRROR.search(text):
            return found.group(1)
    raise _missing("no Debian mirror is among apt's sources", "packages")


def _apt(command: Sequence[str], configuration: Path, folder: Path, packages: Packages) -> str:
    """Standard output of a command that must succeed."""
    environment = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        reason = next((line for line in error.stderr.splitlines() if line.strip()), "no reason")
        raise _missing(f"{command[0]} failed: {reason}", str(packages.names)) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _missing(f"{command[0]} failed: {error}", str(packages.names)) from error
    return done.stdout


def _missing(what: str, where: str) -> RuntimeMissingError:
    hint = "run it on Debian or Ubuntu with access to a package mirror"
    return RuntimeMissingError(what, where=where, hint=hint)
