"""An APK with goldens on an attached phone: installed, run, its words and its report fetched."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from capexport.errors import DeviceError

INSTRUMENTATION = "org.capexport.minimal/.GoldenInstrumentation"
ON_DEVICE = "/data/local/tmp/capexport-demo.apk"
"""Where Android lets its shell put a file that the package manager reads."""
INSTALL_S, RUN_S = 180.0, 600.0
PASSED = -1
"""Activity.RESULT_OK."""
RESULT = re.compile(r"^INSTRUMENTATION_RESULT: (\w+)=(.*(?:\n(?!INSTRUMENTATION_).*)*)", re.M)
CODE = re.compile(r"^INSTRUMENTATION_CODE: (-?\d+)", re.M)


class Answer(Protocol):
    """What a command on the phone printed."""

    @property
    def out(self) -> str: ...

    @property
    def err(self) -> str: ...


class Phone(Protocol):
    """What is asked of `capexport.bench.devices.adb.Adb`."""

    @property
    def name(self) -> str: ...

    def run(self, command: str, timeout_s: float) -> Answer: ...

    def send(self, file: Path, path: str) -> None: ...

    def fetch(self, path: str) -> bytes: ...


@dataclass(frozen=True)
class Instrumented:
    """What the app said of itself.

    Args:
        captions: that were those of Python.
        report: the JSON document of `capexport bench`, as the app wrote it; None where the bundle
            takes no pictures.
    """

    captions: int
    report: bytes | None


def run_on(phone: Phone, apk: Path) -> Instrumented:
    """Install and run the goldens.

    Raises:
        DeviceError: it is not installed, crashes, or captions otherwise than Python.
    """
    phone.send(apk, ON_DEVICE)
    installed = phone.run(f"pm install -r -t {ON_DEVICE}; rm -f {ON_DEVICE}", INSTALL_S)
    if "Success" not in installed.out:
        raise DeviceError(
            f"the APK is not installed: {_last(installed.out + installed.err)}",
            where=phone.name,
            hint="an older one with another key: adb uninstall org.capexport.minimal",
        )
    said = phone.run(f"am instrument -w {INSTRUMENTATION}", RUN_S).out
    results = dict(RESULT.findall(said))
    code = CODE.search(said)
    if code is None or int(code[1]) != PASSED:
        what = results.get("failure") or results.get("shortMsg") or _last(said)
        raise DeviceError(
            f"the app fails: {what.strip()}", where=phone.name, hint="`adb logcat` has its log"
        )
    if (captions := int(results.get("captions", "0"))) == 0:
        raise DeviceError(
            "the app compared no caption", where=phone.name, hint="build its APK again"
        )
    report = results.get("report")
    return Instrumented(captions, phone.fetch(report.strip()) if report else None)


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
