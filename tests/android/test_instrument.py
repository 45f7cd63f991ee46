"""What is made of the words of Android's package manager and of its instrumentation."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from capexport.android.instrument import INSTRUMENTATION, ON_DEVICE, run_on
from capexport.errors import DeviceError

REPORT_PATH = "/sdcard/Android/data/org.capexport.minimal/files/bench.json"
PASSED = f"""INSTRUMENTATION_RESULT: captions=4
INSTRUMENTATION_RESULT: report={REPORT_PATH}
INSTRUMENTATION_CODE: -1
"""
DIFFERENT = """INSTRUMENTATION_RESULT: failure=another caption than Python's; {beam=1}: tokens
[3, 4]; report it
INSTRUMENTATION_CODE: 0
"""
CRASHED = """INSTRUMENTATION_RESULT: shortMsg=java.lang.UnsatisfiedLinkError
INSTRUMENTATION_RESULT: longMsg=dlopen failed
INSTRUMENTATION_CODE: 0
"""
ABSENT = """android.util.AndroidException: INSTRUMENTATION_FAILED: org.capexport.minimal/.Golden
"""


@dataclass
class Words:
    out: str
    err: str = ""


@dataclass
class Phone:
    """Says what it was told to say, and keeps what it was asked."""

    instrumented: str
    installed: str = "Success\n"
    name: str = "adb:fake"
    asked: list[str] = field(default_factory=list)

    def run(self, command: str, timeout_s: float) -> Words:
        self.asked.append(command)
        return Words(self.installed if command.startswith("pm ") else self.instrumented)

    def send(self, file: Path, path: str) -> None:
        self.asked.append(f"send {file.name} {path}")

    def fetch(self, path: str) -> bytes:
        assert path == REPORT_PATH
        return b"{}"


def test_the_apk_is_installed_and_run_and_its_report_fetched() -> None:
    phone = Phone(PASSED)
    found = run_on(phone, Path("demo.apk"))
    assert (found.captions, found.report) == (4, b"{}")
    sent, installed, run = phone.asked
    assert sent == f"send demo.apk {ON_DEVICE}"
    assert ON_DEVICE in installed
    assert run.endswith(INSTRUMENTATION)


def test_a_bundle_without_pictures_has_no_report() -> None:
    words = "INSTRUMENTATION_RESULT: captions=2\nINSTRUMENTATION_CODE: -1\n"
    assert run_on(Phone(words), Path("demo.apk")).report is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (DIFFERENT, r"another caption than Python's; \{beam=1\}: tokens\n\[3, 4\]; report it"),
        (CRASHED, "UnsatisfiedLinkError"),
        (ABSENT, "INSTRUMENTATION_FAILED"),
        ("", "it said nothing"),
        (PASSED.replace("CODE: -1", "CODE: 0"), "INSTRUMENTATION_CODE: 0"),
        (PASSED.replace("captions=4", "captions=0"), "compared no caption"),
    ],
)
def test_a_failure_says_why(words: str, reason: str) -> None:
    with pytest.raises(DeviceError, match=reason):
        run_on(Phone(words), Path("demo.apk"))


def test_an_apk_that_is_not_installed_says_why() -> None:
    refused = "Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: signatures do not match]\n"
    with pytest.raises(DeviceError, match="INSTALL_FAILED_UPDATE_INCOMPATIBLE") as caught:
        run_on(Phone(PASSED, refused), Path("demo.apk"))
    assert "adb uninstall" in caught.value.hint
