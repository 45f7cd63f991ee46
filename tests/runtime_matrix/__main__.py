"""Every bundle in every supported release of a runtime: the same tokens, or a loud refusal.

`python -m runtime_matrix FOLDER` (make test-runtimes) keeps environments and bundles in FOLDER,
prints the table, and exits with 1 when a cell is neither or not what is expected of the release.
"""

import os
import subprocess
import sys
from pathlib import Path

from runtime_matrix.environments import ENVIRONMENTS, python_of
from runtime_matrix.results import Results, faults, parsed, table
from runtime_matrix.subjects import write_bundles

REPOSITORY = Path(__file__).parents[2]
REFERENCE_RUNTIME = "litert"


def captions(python: str, runtime: str, bundles: Path) -> Results:
    """What a Python gets out of all bundles, with nothing of capexport installed in it.

    Raises:
        SystemExit: the process died; its last words tell why.
    """
    program = [python, "-m", "runtime_matrix.captions", runtime, str(bundles)]
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'tests'}"}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stdout.splitlines()[-1:]
        sys.exit(f"{python} ended with {done.returncode} after {last}\n{done.stderr[-2000:]}")
    return parsed(done.stdout)


def main(folder: Path) -> int:
    """Print the table; 0 when every cell is as it must be."""
    bundles = folder.resolve() / "bundles"
    pythons = {e: str(python_of(e, folder / "environments")) for e in ENVIRONMENTS}
    write_bundles(bundles)
    reference = captions(sys.executable, REFERENCE_RUNTIME, bundles)
    cells = {e: captions(python, e.runtime, bundles) for e, python in pythons.items()}
    print(table(reference, cells))
    found = [f"{e.name}: {fault}" for e in cells for fault in faults(e, reference, cells[e])]
    print("\n".join(found) or "Every cell has the reference's tokens, or is refused as expected.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
