"""Name of a core -> the /proc/cpuinfo that a board with it shows.

QEMU before version 8 passes the host's file to the guest, and the runtimes die of it. Features must
match `qemu -cpu`: a runtime that reads asimddp on a core without it dies of an illegal instruction.
"""

from dataclasses import dataclass

ARMV8_0 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
ARMV8_2 = f"{ARMV8_0} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"


@dataclass(frozen=True)
class Core:
    """A core as QEMU and Linux name it.

    Args:
        part: with `variant` and `features` as Linux shows it in /proc/cpuinfo.
        cpu: QEMU's name of a core of the same instructions.
        model: core_models' name of its caches.
    """

    name: str
    part: str
    variant: str
    features: str
    cpu: str
    model: str

    def cpuinfo(self) -> str:
        """The file of a machine with one such core: a second one would invite threads."""
        fields = {
            "processor": "0",
            "BogoMIPS": "38.40",
            "Features": self.features,
            "CPU implementer": "0x41",
            "CPU architecture": "8",
            "CPU variant": self.variant,
            "CPU part": self.part,
            "CPU revision": "0",
        }
        return "".join(f"{name}\t: {value}\n" for name, value in fields.items()) + "\n"


CORES = {
    core.name: core
    for core in (
        Core("cortex-a53", "0xd03", "0x0", ARMV8_0, "cortex-a53", "cortex-a53"),
        Core("cortex-a55", "0xd05", "0x1", ARMV8_2, "cortex-a76", "cortex-a55"),
        Core("cortex-a72", "0xd08", "0x0", ARMV8_0, "cortex-a72", "cortex-a57"),
        Core("cortex-a76", "0xd0b", "0x4", ARMV8_2, "cortex-a76", "neoverse-n1"),
    )
}
"""QEMU 7.2 has no A55, whose instructions are those of the A76: runtimes choose their code for it
by its part in /proc/cpuinfo."""
MACHINES = {name: core for name, core in CORES.items() if core.cpu == name}
"""A whole machine's kernel writes that file by what QEMU emulates."""
