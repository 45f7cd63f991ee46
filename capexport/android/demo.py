"""Where the demo's sources are, and a bundle into its assets."""

import shutil
from pathlib import Path

from capexport.bundle import Bundle
from capexport.errors import RuntimeMissingError

ASSET = "bundle"
"""Name of the bundle among the app's assets."""


def demo_folder() -> Path:
    """`android_demo` of the checkout that this package runs from.

    Raises:
        RuntimeMissingError: the package was installed without it.
    """
    folder = Path(__file__).resolve().parents[2] / "android_demo"
    if not (folder / "core").is_dir():
        raise RuntimeMissingError(
            "android_demo is no part of an installed capexport",
            where=str(folder),
            hint="clone the repository and pip install -e . there",
        )
    return folder


def place_bundle(bundle: Bundle, assets: Path) -> Path:
    """A copy of the bundle below `assets`, in place of the one that was there; returns it."""
    placed = assets / ASSET
    shutil.rmtree(placed, ignore_errors=True)
    shutil.copytree(bundle.path, placed)
    return placed
