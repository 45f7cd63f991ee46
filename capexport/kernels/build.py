"""C sources -> a shared library for a target, built once and kept in the user's cache."""

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from capexport.errors import InputError, RuntimeMissingError
from capexport.kernels.compiler import (
    NDK_VARIABLES,
    Command,
    find_compiler,
    ndk_folder,
    run_compiler,
)
from capexport.kernels.products import CHECK, PRODUCTS, RUN_LITERT, Product
from capexport.kernels.targets import COMPILER_FLAGS, STATIC_AARCH64, TARGETS, Target

KERNELS = Path(__file__).resolve().parent
IN_LIBC_OF_BIONIC = {"pthread"}


def build(target: str = "host", *, product: str = "kernels", force: bool = False) -> Path:
    """A library of PRODUCTS for one of TARGETS; compiled when sources or compiler changed.

    Raises:
        InputError: no target has that name.
        RuntimeMissingError: no compiler, or it failed, or the cache cannot be written.
    """
    return _cached(_target(target), PRODUCTS[product], force)


def build_product(product: Product, target: str = "host") -> Path:
    """What another folder describes, such as the runner of `capexport bench`; raises as `build`."""
    return _cached(_target(target), product, False)


def build_check(target: Target = STATIC_AARCH64, *, force: bool = False) -> Path:
    """The program that compares every kernel which the CPU supports with a plain product."""
    return _cached(target, CHECK, force)


def build_run_litert(target: str = "host", *, force: bool = False) -> Path:
    """The program that runs a .tflite in LiteRT's compiled models; not for Android."""
    return _cached(TARGETS[target], RUN_LITERT, force)


def c_files(*folders: str) -> list[Path]:
    """All C files of some folders of `capexport/kernels`, or of whole paths, sorted."""
    return sorted(file for folder in folders for file in (KERNELS / folder).rglob("*.c"))


def cache_folder() -> Path:
    """Where libraries are kept: capexport/kernels in XDG_CACHE_HOME or ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "capexport", "kernels")


def _target(name: str) -> Target:
    if name not in TARGETS:
        raise InputError(
            f"there is no target {name!r}", where="target", hint=f"one of: {', '.join(TARGETS)}"
        )
    return TARGETS[name]


def _cached(target: Target, product: Product, force: bool) -> Path:
    target = _with_ndk(target)
    if product.is_program and target.linking == "bionic":
        raise RuntimeMissingError(
            f"a program for {target.name} needs Android's NDK: bionic is known by name only here",
            where=product.file,
            hint=f"install the NDK, and let the environment variable {NDK_VARIABLES[0]} name it",
        )
    compiler = find_compiler(target)
    key = _key(target, compiler, product)
    out = cache_folder() / target.name / key / product.file
    if force or not out.is_file():
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            _build(target, compiler, product, out)
        except OSError as error:
            raise InputError(
                f"the library cannot be written: {error.strerror}",
                where=str(out.parent),
                hint="set XDG_CACHE_HOME to a folder that can be written",
            ) from error
        if _key(target, compiler, product) != key:  # sources changed while they were compiled
            out.unlink()
            return _cached(target, product, force)
    return out


def _key(target: Target, compiler: Command, product: Product) -> str:
    """Names everything that the result depends on."""
    digest = hashlib.sha256(repr((target, compiler, product, COMPILER_FLAGS)).encode())
    headers = {*KERNELS.rglob("*.h"), *KERNELS.rglob("*.inc")}
    headers |= {file for folder in product.folders for file in (KERNELS / folder).rglob("*.h")}
    for file in sorted([*c_files(*product.folders), *headers]):
        digest.update(os.path.relpath(file, KERNELS).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _with_ndk(target: Target) -> Target:
    """Linked to the NDK's bionic where there is one."""
    if target.linking != "bionic" or ndk_folder() is None:
        return target
    return replace(target, linking="ndk")


def _build(target: Target, compiler: Command, product: Product, out: Path) -> None:
    """Builds next to `out` and renames, so that two processes cannot meet half a file."""
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        folder = Path(temporary)
        _compile(target, compiler, product, folder)
        os.replace(folder / out.name, out)


def _compile(target: Target, compiler: Command, product: Product, folder: Path) -> None:
    flags = (*COMPILER_FLAGS, *product.flags, f"-I{KERNELS / 'include'}")
    run_compiler([*compiler, *flags, "-c", *map(str, c_files(*product.folders))], folder)
    objects = sorted(file.name for file in folder.glob("*.o"))
    linker_flags = (*target.linker_flags, "-o", product.file)
    names = [
        n for n in product.libraries if target.linking == "system" or n not in IN_LIBC_OF_BIONIC
    ]
    libraries = ["-lm", *(f"-l{name}" for name in names)]
    if product.is_program:
        static = ["-static"] if target.linking == "static" else []
        run_compiler([*compiler, *static, *objects, *libraries, *linker_flags], folder)
        return
    shared = [*compiler, "-shared"]
    if target.linking == "bionic":
        shared.append("-nostdlib")
        stand_ins = [_name_of_bionic(shared, name, folder) for name in ("c", *names)]
        libraries = ["-Wl,--no-as-needed", *stand_ins]
    soname = f"-Wl,-soname,{product.file}"
    run_compiler([*shared, *objects, *libraries, soname, *linker_flags], folder)


def _name_of_bionic(shared: list[str], library: str, folder: Path) -> str:
    """An empty libc.so or the like: makes the linker note that the product needs bionic's."""
    name = f"lib{library}.so"
    (folder / "empty.c").touch()
    run_compiler([*shared, "empty.c", f"-Wl,-soname,{name}", "-o", name], folder)
    return name
