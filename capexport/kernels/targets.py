"""The machines that the kernels can be built for: one row of data each."""

from dataclasses import dataclass
from typing import Literal

Linking = Literal["system", "bionic", "ndk", "static"]


@dataclass(frozen=True)
class Target:
    """Where a library will run.

    Args:
        name: as the command line gives it.
        triple: what `zig cc -target` is told, empty for the machine that builds.
        linking: against the C library of the system; against bionic, which is known by name only,
            or as the NDK has it; or statically.
        linker_flags: added when linking.
    """

    name: str
    triple: str = ""
    linking: Linking = "system"
    linker_flags: tuple[str, ...] = ()


PAGES_OF_16_KB = "-Wl,-z,max-page-size=16384"
"""What Android 15 asks of a library, and what an Arm Linux with large pages needs."""

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("host"),
        # glibc 2.31 is what the manylinux wheels of the runtimes need at most.
        Target("aarch64-linux-gnu", "aarch64-linux-gnu.2.31", linker_flags=(PAGES_OF_16_KB,)),
        # No NDK: compiled with the headers of musl, whose few functions used here have the same
        # interface in bionic, and linked to a libc.so that is nothing but its name.
        Target("aarch64-linux-android", "aarch64-linux-musl", "bionic", (PAGES_OF_16_KB,)),
        Target("x86_64-linux-android", "x86_64-linux-musl", "bionic", (PAGES_OF_16_KB,)),
    )
}

STATIC_AARCH64 = Target("aarch64-linux-static", "aarch64-linux-musl", "static", (PAGES_OF_16_KB,))
"""For the check program: it runs under QEMU and in an Android shell alike."""

COMPILER_FLAGS = (
    "-std=c11",
    "-O3",
    "-g0",
    "-fno-math-errno",  # lrintf becomes one instruction
    "-ffp-contract=off",  # every variant rounds alike
    "-fno-builtin-bcmp",  # clang would call it for memcmp, and bionic has none on 64-bit machines
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
)
