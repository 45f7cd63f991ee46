"""Pinned requirements -> virtual environments, one per release of a runtime, made once and kept."""

import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

COMMON = ("pillow==13.0.0", "rich==15.0.0", "typer==0.29.2")
NUMPY_1, NUMPY_2 = "numpy==1.26.4", "numpy==2.4.6"

TENSORFLOW_NEEDS = (
    "absl-py",
    "astunparse",
    "flatbuffers",
    "gast",
    "google-pasta",
    "h5py<3.15",
    "ml-dtypes",
    "opt-einsum",
    "packaging",
    "protobuf<8",
    "requests",
    "six",
    "termcolor",
    "typing-extensions",
    "wrapt",
)
"""Without keras, grpcio and libclang, which the interpreter does not import."""


@dataclass(frozen=True)
class Environment:
    """One release of one package.

    Args:
        package: as pip names it.
        version: exact.
        runtime: capexport's name of what the package offers.
        numpy: requirement; releases from before numpy 2 need one before it, below the floor of
            capexport's own metadata. Capexport is therefore on the path, not installed.
        needs: what the package imports, where not all that it requires is wanted.
        float_only: it must refuse every bundle with int8 or sparse weights, and caption the others.
    """

    package: str
    version: str
    runtime: str
    numpy: str = NUMPY_2
    needs: tuple[str, ...] = ()
    float_only: bool = False

    @property
    def name(self) -> str:
        return f"{self.package}-{self.version}"

    def must_caption(self, bundle: str) -> bool:
        """Whether a bundle, SUBJECT/RECIPE WEIGHTS, is for this release; else it is refused."""
        return not self.float_only or bundle.endswith("/fp32 dense")

    @property
    def pip_calls(self) -> tuple[tuple[str, ...], ...]:
        """Arguments of pip, one tuple per call."""
        pinned = f"{self.package}=={self.version}"
        if self.needs:
            return (("--no-deps", pinned), (self.numpy, *COMMON, *self.needs))
        return ((pinned, self.numpy, *COMMON),)


ENVIRONMENTS = (
    Environment("ai-edge-litert", "2.3.0", "litert"),
    Environment("ai-edge-litert", "2.1.0", "litert"),
    Environment("tensorflow-cpu", "2.21.0", "litert", needs=TENSORFLOW_NEEDS),
    Environment("tflite-runtime", "2.14.0", "litert", numpy=NUMPY_1, float_only=True),
    Environment("onnxruntime", "1.31.1", "onnxruntime"),
    Environment("onnxruntime", "1.18.0", "onnxruntime", numpy=NUMPY_1),
)


def python_of(environment: Environment, folder: Path) -> Path:
    """The interpreter of an environment below `folder`, made if it is not there as pinned.

    Raises:
        subprocess.CalledProcessError: pip failed; its last words are in `stderr`.
    """
    home = folder.resolve() / environment.name
    stamp, wanted = home / "installed.txt", repr(environment.pip_calls)
    python = home / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != wanted:
        venv.create(home, clear=True, with_pip=True)
        for call in environment.pip_calls:
            command = [str(python), "-m", "pip", "install", "--quiet", *call]
            subprocess.run(command, check=True, capture_output=True, text=True)
        stamp.write_text(wanted)
    return python
