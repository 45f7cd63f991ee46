"""`capexport kernels` on the machine that runs the tests."""

import json

import pytest

from capexport.cli import main
from capexport.kernels import Check, self_test


def test_list_names_every_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", "list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    names = {kernel["name"] for kernel in document}
    assert "csr_portable" in names
    assert all(isinstance(kernel["supported"], bool) for kernel in document)
    assert main(["kernels", "list"]) == 0
    assert names <= set(capsys.readouterr().out.split())


def test_build_says_where_the_libraries_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", "build", "--json"]) == 0
    libraries = json.loads(capsys.readouterr().out)["libraries"]
    assert set(libraries) == {"kernels", "litert", "onnxruntime", "captioner"}


def test_an_unknown_target_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", "build", "--target", "z80"]) == 1
    assert "aarch64-linux-android" in capsys.readouterr().err


@pytest.mark.parametrize(("wrong", "status"), [((), 0), (("1 x 1",), 1)])
def test_the_exit_status_tells_whether_all_are_exact(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: tuple, status: int
) -> None:
    checks = [Check("a", True, 3, wrong), Check("b", False, 0, ())]
    monkeypatch.setattr("capexport.kernels.self_test", lambda: checks)
    assert main(["kernels", "test"]) == status
    shown = capsys.readouterr().out
    assert "not on this CPU" in shown
    assert ("wrong: 1 x 1" in shown) == bool(wrong)


def test_every_kernel_of_this_machine_is_exact() -> None:
    checks = self_test()
    assert any(check.supported for check in checks)
    assert [check for check in checks if not check.ok] == []
