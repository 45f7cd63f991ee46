"""An open bundle: the folder, its manifest, and access to files that the manifest names."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from capexport.bundle.layout import MANIFEST
from capexport.bundle.manifest import Manifest
from capexport.errors import BundleError


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files were verified when it was opened."""

    path: Path
    manifest: Manifest

    @property
    def sha256(self) -> str:
        """Digest of the manifest, which holds the digest of every other file."""
        return hashlib.sha256((self.path / MANIFEST).read_bytes()).hexdigest()

    def file(self, name: str) -> Path:
        """Path of a file of the bundle; BundleError when the manifest does not name it."""
        names = [file.name for file in self.manifest.files]
        if name not in names:
            raise BundleError(
                f"the bundle has no file {name!r}",
                where=str(self.path),
                hint=f"it has {', '.join(names)}",
            )
        return self.path / name

    def read(self, name: str) -> bytes:
        """Contents of a file of the bundle; BundleError when the manifest does not name it."""
        return self.file(name).read_bytes()
