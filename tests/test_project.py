"""The project's own files: what they promise each other and what they may not contain."""

import importlib.metadata
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import capexport

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
SOURCE_SUFFIXES = {".py", ".md", ".toml", ".c", ".h", ".inc", ".sh"}
SKIPPED_FOLDERS = {".git", ".venv", "build", "dist", "__pycache__"}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|tmp|home|opt)/")


def source_files() -> list[Path]:
    found = [REPOSITORY / "Makefile", REPOSITORY / "NOTICE", REPOSITORY / ".ci" / "run"]
    for folder, names, files in os.walk(REPOSITORY):
        names[:] = [n for n in names if n not in SKIPPED_FOLDERS and not n.endswith("_cache")]
        found += [Path(folder, file) for file in files if Path(file).suffix in SOURCE_SUFFIXES]
    return found


def requirements() -> list[str]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [item for group in groups for item in group if not item.startswith("capexport[")]


def test_the_walk_finds_the_sources() -> None:
    assert {"export.py", "README.md", "test_project.py"} <= {p.name for p in source_files()}


def test_no_source_names_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {line.strip()}"
        for path in source_files()
        if path != Path(__file__)
        for line in path.read_text(encoding="utf-8").splitlines()
        if MACHINE_PATH.search(line) and not line.startswith("#!")
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("at /" + "tmp/x", True), ("/usr/bin/env", False), ("build/" + "tmp/x", False)],
)
def test_the_pattern_knows_a_machine_path(text: str, is_one: bool) -> None:
    assert bool(MACHINE_PATH.search(text)) is is_one


@pytest.mark.parametrize("requirement", sorted(set(requirements())))
def test_every_requirement_has_a_lower_and_an_upper_bound(requirement: str) -> None:
    assert re.fullmatch(r"[a-z-]+>=[\d.]+,<[\d.]+", requirement)


def test_a_package_has_the_same_range_in_every_extra() -> None:
    ranges: dict[str, set[str]] = {}
    for requirement in requirements():
        name, _, bounds = requirement.partition(">=")
        ranges.setdefault(name, set()).add(bounds)
    assert {name: r for name, r in ranges.items() if len(r) > 1} == {}


def test_the_extra_all_names_every_other_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    named = everything.removeprefix("capexport[").removesuffix("]").split(",")
    assert set(named) == set(extras) - {"all"}


def test_make_installs_a_torch_that_the_extra_admits() -> None:
    wanted = re.search(r"^TORCH \?= torch==([\d.]+)$", (REPOSITORY / "Makefile").read_text(), re.M)
    (bounds,) = {r.partition(">=")[2] for r in requirements() if r.startswith("torch>=")}
    low, high = (tuple(map(int, bound.split("."))) for bound in bounds.split(",<"))
    assert wanted is not None
    assert low <= tuple(map(int, wanted[1].split("."))) < high


def test_the_version_is_the_packages() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert re.search(rf"^## {re.escape(capexport.__version__)}\b", changelog(), re.M)


def changelog() -> str:
    return (REPOSITORY / "CHANGELOG.md").read_text()


def test_the_installed_command_is_the_command_line() -> None:
    scripts = importlib.metadata.entry_points(group="console_scripts", name="capexport")
    if not scripts:
        pytest.skip("capexport is not installed, only on the path")
    assert [script.value for script in scripts] == ["capexport.cli:main"]


def test_the_package_declares_its_types() -> None:
    assert (REPOSITORY / "capexport" / "py.typed").is_file()


@pytest.mark.parametrize("target", ["demo", "test", "lint", "check", "clean"])
def test_make_knows_the_target(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_ci_can_be_run_and_asks_for_the_data() -> None:
    script = REPOSITORY / ".ci" / "run"
    text = script.read_text()
    assert os.access(script, os.X_OK)
    assert "export CAPEXPORT_REQUIRE_DATA=1" in text
    assert re.search(r"^make test$", text, re.M)
