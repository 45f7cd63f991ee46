"""Wrong calls of the C interface are refused, each with its own reason; and the dispatch rule."""

import ctypes

import numpy as np
import pytest

from capexport.errors import InputError
from capexport.kernels import KernelLibrary, interface
from capexport.kernels.matrix import aligned
from capexport.kernels.selftest import self_test

PORTABLE, AVX2, AVX512VNNI = 0, 1, 2
ROWS, COLUMNS = 4000, 3000


def status_text(library: KernelLibrary, status: int) -> str:
    return (library._c.ck_status_text(status) or b"").decode()


def test_the_self_test_finds_every_kernel_exact(library: KernelLibrary) -> None:
    checks = self_test(library)
    assert [check.kernel for check in checks] == [kernel.name for kernel in library.kernels]
    assert all(check.ok and (check.products > 0) == check.supported for check in checks)
    assert any(check.supported for check in checks)


def test_kernel_names_tell_layout_window_and_instructions(library: KernelLibrary) -> None:
    for kernel in library.kernels:
        layout, _, instructions = kernel.name.partition("_")
        expected = f"well{kernel.window}" if kernel.layout == "well" else ("csr", "spmm")
        assert layout == expected or layout in expected
        assert (instructions == "portable") == (kernel.isa == 0)


def test_statuses_have_texts_of_their_own(library: KernelLibrary) -> None:
    texts = []
    while text := status_text(library, len(texts)):
        texts.append(text)
    assert len(texts) > 15
    assert len(set(texts)) == len(texts)
    assert not status_text(library, -1)


def test_an_unknown_kernel(library: KernelLibrary) -> None:
    weights = library.weights(np.ones((2, 2), np.int8))
    with pytest.raises(InputError, match="there is no kernel 'fast'"):
        library.pack(weights, "fast")
    work, plan = aligned(1024), interface.Plan()
    for number in (-1, len(library.kernels)):
        status = library._c.ck_make_plan(weights.c_weights, number, work.ctypes.data, plan)
        assert "no kernel" in status_text(library, status)


def test_memory_that_is_not_aligned(library: KernelLibrary) -> None:
    weights = library.weights(np.ones((2, 2), np.int8))
    work, plan = aligned(1024), interface.Plan()
    status = library._c.ck_make_plan(weights.c_weights, 0, work.ctypes.data + 4, plan)
    assert "64" in status_text(library, status)
    matrix = library.pack(weights, "csr_portable")
    x, y = np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)
    packed, scratch = matrix._packed.ctypes.data, matrix._scratch(1).ctypes.data
    for bad in ((packed, scratch + 8), (packed + 8, scratch)):
        status = library._c.ck_run(bad[0], x.ctypes.data, 1, 0, y.ctypes.data, bad[1])
        assert "64" in status_text(library, status)


def test_a_buffer_that_holds_no_matrix(library: KernelLibrary) -> None:
    empty, x = aligned(4096), np.ones((1, 2), np.float32)
    address = empty.ctypes.data
    status = library._c.ck_run(address, x.ctypes.data, 1, 0, x.ctypes.data, address)
    assert "no matrix" in status_text(library, status)
    assert library._c.ck_scratch_size(address, 1) == 0
    assert library._c.ck_groups(address) == 0


@pytest.mark.parametrize(("first", "last"), [(-1, 1), (0, 3), (2, 1)])
def test_groups_out_of_range(library: KernelLibrary, first: int, last: int) -> None:
    matrix = library.pack(library.weights(np.ones((20, 2), np.int8)), "csr_portable")
    y = np.zeros((1, 20), np.float32)
    status = library._c.ck_run_groups(
        matrix._packed.ctypes.data, matrix._scratch(1).ctypes.data, 1, first, last, 0, y.ctypes.data
    )
    assert "out of range" in status_text(library, status)


def test_arrays_that_do_not_fit(library: KernelLibrary) -> None:
    weights = library.weights(np.ones((3, 5), np.int8))
    matrix = library.pack(weights, "csr_portable")
    for x in (np.ones((1, 4), np.float32), np.ones(5, np.float32), np.ones((0, 5), np.float32)):
        with pytest.raises(InputError, match="wanted"):
            matrix.run(x)
    with pytest.raises(InputError, match="float64"):
        matrix.run(np.ones((1, 5)))
    with pytest.raises(InputError, match="zero points"):
        matrix.run_integer(np.ones((2, 5), np.int8), np.zeros(1, np.int32))
    with pytest.raises(InputError, match="4 values"):
        library.pack(weights, "csr_portable", np.ones(4, np.float32))
    with pytest.raises(InputError, match="-128"):
        library.weights(np.full((2, 2), -128, np.int8))
    with pytest.raises(InputError, match="rows or columns"):
        library.weights(np.zeros((1, 65536), np.int8))


def choice(library: KernelLibrary, sparsity: float, batch: int, isa: int, **more: bool) -> str:
    nnz = round((1 - sparsity) * ROWS * COLUMNS)
    return library.choose(ROWS, COLUMNS, nnz, batch, isa=isa, **more).kernel or "declined"


def test_the_portable_kernels_run_only_what_must_run(library: KernelLibrary) -> None:
    assert choice(library, 0.999, 1, PORTABLE) == "declined"
    assert choice(library, 0.1, 1, PORTABLE, required=True) == "csr_portable"
    assert choice(library, 0.1, 6, PORTABLE, required=True) == "spmm_portable"
    assert library.choose(ROWS, COLUMNS, 1, 1, isa=PORTABLE).least_sparsity > 1


@pytest.mark.parametrize(
    ("sparsity", "batch", "isa", "kernel"),
    [
        (0.81, 1, AVX2 | AVX512VNNI, "well128_avx512vnni"),
        (0.79, 1, AVX2 | AVX512VNNI, "declined"),
        (0.79, 3, AVX2 | AVX512VNNI, "declined"),
        (0.95, 36, AVX2 | AVX512VNNI, "well128_avx512vnni"),
        (0.99, 36, AVX2 | AVX512VNNI, "spmm_avx512vnni"),
        (0.91, 1, AVX2, "well32_avx2"),
        (0.89, 1, AVX2, "declined"),
        (0.96, 6, AVX2, "spmm_avx2"),
    ],
)
def test_the_rule_for_x86(
    library: KernelLibrary, sparsity: float, batch: int, isa: int, kernel: str
) -> None:
    if "well32_avx2" not in [known.name for known in library.kernels]:
        pytest.skip("not an x86 library")
    assert choice(library, sparsity, batch, isa) == kernel


@pytest.mark.parametrize(
    ("shape", "sparsity", "batch", "window"),
    [
        ((4000, 3000), 0.95, 1, 256),
        ((4000, 1000), 0.95, 3, 256),
        ((4000, 3000), 0.95, 4, 128),
        ((4000, 3000), 0.93, 1, 128),
        ((2900, 1000), 0.95, 1, 128),
        ((10000, 900), 0.95, 1, 128),
    ],
)
def test_large_layers_of_long_rows_have_wide_windows(
    library: KernelLibrary, shape: tuple[int, int], sparsity: float, batch: int, window: int
) -> None:
    if "well32_avx2" not in [known.name for known in library.kernels]:
        pytest.skip("not an x86 library")
    nnz = round((1 - sparsity) * shape[0] * shape[1])
    chosen = library.choose(*shape, nnz, batch, isa=AVX2 | AVX512VNNI).kernel
    assert chosen == f"well{window}_avx512vnni"


def test_requests_without_sense_are_declined(library: KernelLibrary) -> None:
    for rows, columns, batch in ((0, 5, 1), (5, 0, 1), (5, 65536, 1), (5, 5, 0)):
        assert library.choose(rows, columns, 1, batch, required=True).kernel is None


def test_a_file_that_is_no_library(tmp_path) -> None:
    (tmp_path / "lib.so").write_bytes(b"no library")
    with pytest.raises(InputError, match="no library of capexport"):
        KernelLibrary(tmp_path / "lib.so")


def test_the_structs_are_as_long_as_in_c(library: KernelLibrary) -> None:
    """A field of the wrong type would move what follows; the last fields are checked by value."""
    weights = library.weights(np.eye(7, dtype=np.int8)).c_weights
    assert (weights.rows, weights.cols, weights.nnz, weights.entries) == (7, 7, 7, 0)
    assert weights.live_rows == 7
    assert ctypes.sizeof(interface.Plan) == 24
