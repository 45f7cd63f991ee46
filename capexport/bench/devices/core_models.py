"""Cores whose time is estimated: llvm-mca 19's pipeline, a board's caches and its memory."""

from collections.abc import Iterator
from dataclasses import dataclass

from capexport.bench.devices.arm_cores import Core


@dataclass(frozen=True)
class Cache:
    """A cache of 64-byte lines."""

    kib: int
    ways: int


@dataclass(frozen=True)
class CoreModel:
    """A core on a board.

    Args:
        name: LLVM's of the core.
        stands_for: cores in phones that it is taken for.
        ghz: clock that is assumed.
        caches: of the board's core, the nearest first, as far as the CPU's own go: a phone's
            system-level cache is left out. Sizes are the chip maker's, ways those of Arm's
            reference manual for the core.
        copy_mb_s: memcpy of one core in sbc-bench's published results, the median of a board's;
            None where none is known. A copy moves twice its bytes, to the core and from it.
        emulated: the emulated cores whose code it would run, its own first: runtimes choose by
            core.
        pipeline: LLVM's name of the core whose pipeline is taken; "" for its own.
    """

    name: str
    stands_for: str
    ghz: float
    caches: tuple[Cache, ...]
    copy_mb_s: int | None
    emulated: tuple[str, ...] = ("cortex-a76",)
    pipeline: str = ""


RASPBERRY_PI_3 = (Cache(32, 4), Cache(512, 16))
RASPBERRY_PI_4 = (Cache(32, 2), Cache(1024, 16))
RASPBERRY_PI_5 = (Cache(64, 4), Cache(512, 8), Cache(2048, 16))
RK3566 = (Cache(32, 4), Cache(512, 16))
SNAPDRAGON_8_GEN_1_LITTLE = (Cache(32, 4), Cache(6144, 12))
SNAPDRAGON_8_GEN_1 = (Cache(64, 4), Cache(512, 8), Cache(6144, 12))
SNAPDRAGON_8CX_GEN_3 = (Cache(64, 4), Cache(1024, 8), Cache(8192, 16))
SNAPDRAGON_8_GEN_2 = (Cache(64, 4), Cache(1024, 8), Cache(8192, 16))
"""The little cores' second level, which pairs of them share, is not published: it is left out."""
A53, A72, A55 = ("cortex-a53",), ("cortex-a72",), ("cortex-a55", "cortex-a76")
CORE_MODELS = (
    CoreModel("cortex-a53", "Cortex-A53", 1.4, RASPBERRY_PI_3, 1125, A53, pipeline="cortex-a55"),
    CoreModel("cortex-a57", "Cortex-A57, A72", 1.8, RASPBERRY_PI_4, 2639, A72),
    CoreModel("cortex-a55", "Cortex-A55", 2.0, RK3566, 2910, A55),
    CoreModel("cortex-a510", "Cortex-A510", 1.8, SNAPDRAGON_8_GEN_1_LITTLE, 7712),
    CoreModel("neoverse-n1", "Cortex-A76", 2.4, RASPBERRY_PI_5, 5583),
    CoreModel("neoverse-n2", "Cortex-A710", 2.5, SNAPDRAGON_8_GEN_1, None),
    CoreModel("neoverse-v1", "Cortex-X1", 2.84, SNAPDRAGON_8CX_GEN_3, 17604),
    CoreModel("neoverse-v2", "Cortex-X3", 3.2, SNAPDRAGON_8_GEN_2, None),
)
"""Other names borrow in silence: cortex-a76 and cortex-x1 run on the model of the A57, and so does
cortex-a72, which is its successor. LLVM has one of the A53, for a compiler's scheduling: nothing
writes its result before an earlier instruction has, and a float multiply-add takes 10 cycles, so
that llvm-mca has a load wait for all sums before it. A loop of 12 multiply-adds and some loads, as
XNNPACK has them for the A53, would take 45 cycles, 21 on the A55, which is built alike, with 4."""


def models_of(emulated: str) -> Iterator[CoreModel]:
    """Those that would run an emulated core's code."""
    return (model for model in CORE_MODELS if emulated in model.emulated)


def hierarchies(core: Core) -> list[str]:
    """Each model's caches as the counter takes them; those of the core itself come first."""
    models = sorted(models_of(core.name), key=lambda model: model.name != core.model)
    return [
        ":".join([model.name, *(f"{cache.kib}:{cache.ways}" for cache in model.caches)])
        for model in models
    ]
