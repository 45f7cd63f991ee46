"""What Linux' files say about a phone, a PC and a machine that hides everything."""

from capexport.bench.devices.host import Host
from capexport.bench.devices.linux import machine_facts, machine_state

ARM_CORE = "processor\t: {}\nBogoMIPS\t: 38.40\nCPU implementer\t: 0x41\nCPU part\t: {}\n\n"
PHONE = {
    "proc/cpuinfo": "".join(ARM_CORE.format(i, "0xd05" if i < 2 else "0xd0b") for i in range(3)),
    "proc/meminfo": "MemTotal:        3882892 kB\nMemFree: 1 kB\n",
    "proc/version": "Linux version 5.10.43-android12 (build@host) #1 SMP\n",
    "proc/loadavg": "1.25 0.50 0.10 1/100 200\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000\n",
    "sys/devices/system/cpu/cpu2/cpufreq/cpuinfo_max_freq": "2400000\n",
    "sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq": "2100000\n",
    "sys/class/thermal/thermal_zone0/type": "cpu\n",
    "sys/class/thermal/thermal_zone0/temp": "41500\n",
    "sys/class/thermal/thermal_zone1/type": "cpu\n",
    "sys/class/thermal/thermal_zone1/temp": "-2000\n",
    "sys/class/thermal/thermal_zone2/type": "modem\n",
    "sys/class/thermal/thermal_zone2/temp": "no sensor\n",
}


def test_a_phone() -> None:
    assert machine_facts(PHONE.get) == {
        "cores": 3,
        "core_names": {"Cortex-A55": 2, "Cortex-A76": 1},
        "max_clock_khz": {"0": 1_800_000, "2": 2_400_000},
        "memory_kib": 3_882_892,
        "system": "Linux version 5.10.43-android12",
    }
    assert machine_state(PHONE.get, 3) == {
        "load": 1.25,
        "clock_khz": {"2": 2_100_000},
        "celsius": {"cpu": 41.5, "cpu 1": -2.0},
    }


def test_a_pc_names_its_cores_itself_and_an_unknown_arm_core_keeps_its_number() -> None:
    pc = {"proc/cpuinfo": "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\n"}
    assert machine_facts(pc.get)["core_names"] == {"Some CPU @ 3 GHz": 1}
    arm = {"proc/cpuinfo": ARM_CORE.format(0, "0xfff")}
    assert machine_facts(arm.get)["core_names"] == {"0xfff": 1}


def test_an_arm_core_is_known_by_its_number_where_the_kernel_names_the_architecture() -> None:
    core = ARM_CORE.format(0, "0xd0b\nmodel name\t: ARMv8 Processor rev 1 (v8l)")
    assert machine_facts({"proc/cpuinfo": core}.get)["core_names"] == {"Cortex-A76": 1}


def test_what_cannot_be_read_is_absent() -> None:
    assert machine_facts({}.get) == {"cores": 0, "core_names": {}}
    assert machine_state({}.get, 0) == {}


def test_this_machine(host: Host) -> None:
    facts = host.facts()
    assert facts["name"] == "host"
    assert facts["cores"] >= 1
    assert sum(facts["core_names"].values()) == facts["cores"]
