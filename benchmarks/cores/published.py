"""Times of MobileNets 1.0 at 224 pixels that others measured with one thread, on one core.

XNNPACK's are of its README (commit 75db3c0), ncnn's of its benchmark/README (commit a4d2ea1), there
the least of its loops.
"""

from dataclasses import dataclass

XNNPACK, NCNN = "XNNPACK", "ncnn"


@dataclass(frozen=True)
class Published:
    """One measurement.

    Args:
        network: a name of NETWORKS in __main__.py.
        who: published it, and whose code it is. LiteRT's is XNNPACK's.
        emulated: the core whose code is counted.
        model: core_models' name of the core's model, or of the nearest, which `note` says.
    """

    network: str
    who: str
    core: str
    emulated: str
    model: str
    ghz: float
    ms: float
    note: str = ""


V2, V1_INT8 = "MobileNet-v2", "MobileNet-v1 int8"
NEAREST = "no model of its own"
A53, A55 = ("cortex-a53", "cortex-a53"), ("cortex-a55", "cortex-a55")
A72, A76 = ("cortex-a72", "cortex-a57"), ("cortex-a76", "neoverse-n1")
X3 = ("cortex-a76", "neoverse-v2")
PUBLISHED = (
    Published(V2, XNNPACK, "A73 class, Pixel 2", *A72, 2.35, 53, NEAREST),
    Published(V2, XNNPACK, "A75 class, Pixel 3a", *A72, 2.0, 55, NEAREST),
    Published(V2, NCNN, "A53, RPi 3B+", *A53, 1.4, 159),
    Published(V2, NCNN, "A72, RPi 4", *A72, 1.8, 93, NEAREST),
    Published(V2, NCNN, "A73, Kirin 970", *A72, 2.4, 70.5, NEAREST),
    Published(V2, NCNN, "A55, RK3568", *A55, 2.0, 60),
    Published(V2, NCNN, "A55, RK3566", *A55, 1.8, 55.8),
    Published(V2, NCNN, "A76, RPi 5", *A76, 2.4, 16.2),
    Published(V2, NCNN, "A76 class, SD855+", *A76, 2.96, 9.8),
    Published(V2, NCNN, "X3, SD8 Gen 2", *X3, 3.2, 9.5),
    Published(V1_INT8, NCNN, "A53, RPi 3B+", *A53, 1.4, 181),
    Published(V1_INT8, NCNN, "A72, RPi 4", *A72, 1.8, 85, NEAREST),
    Published(V1_INT8, NCNN, "A73, Kirin 970", *A72, 2.4, 152, NEAREST),
    Published(V1_INT8, NCNN, "A55, RK3568", *A55, 2.0, 75),
    Published(V1_INT8, NCNN, "A55, RK3566", *A55, 1.8, 64),
    Published(V1_INT8, NCNN, "A76, RPi 5", *A76, 2.4, 14.4),
    Published(V1_INT8, NCNN, "A76 class, SD855+", *A76, 2.96, 11.1),
    Published(V1_INT8, NCNN, "X3, SD8 Gen 2", *X3, 3.2, 8.8),
)
