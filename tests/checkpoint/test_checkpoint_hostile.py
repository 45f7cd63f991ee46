"""Damaged and hostile files: a CheckpointError of three parts, no code run, no memory spent."""

import io
import pickle
import resource
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import KINDS, write_up_down

from capexport.checkpoint import Limits, read_checkpoint
from capexport.errors import CheckpointError

WEIGHTS = "model_best_pruned_sparse.pth"
BOMB_BYTES = 64 * 2**20
CUTS = 40
FLIPS = 60
KIB_PER_GIB = 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_up_down(tmp_path / "model")


def refused(path: Path, match: str, limits: Limits | None = None) -> CheckpointError:
    with pytest.raises(CheckpointError, match=match) as caught:
        read_checkpoint(path, limits=limits or Limits())
    assert caught.value.where
    assert caught.value.hint
    return caught.value


def repack(file: Path, change: Callable[[zipfile.ZipFile, zipfile.ZipInfo], bytes]) -> None:
    """Write the .pth's own zip again, deflated, every record through `change`."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(file) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, change(old, member))
    file.write_bytes(buffer.getvalue())


class Code:
    """Pickles into a call that would create a file."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.proof,))


class Oversized:
    """Pickles into a dense tensor of 1.2 TB over a storage of one element."""

    def __reduce__(self) -> tuple[object, ...]:
        rebuild = torch._utils._rebuild_tensor_v2
        one: Any = torch.zeros(1)
        return (rebuild, (one.storage(), 0, (10**8, 3000), (3000, 1), False, {}))


class TestCode:
    @pytest.mark.parametrize("zipped", [True, False])
    def test_in_a_pth(self, folder: Path, tmp_path: Path, zipped: bool) -> None:
        proof = tmp_path / "code ran"
        state = {"embed.0.weight": torch.ones(2, 2), "x": Code(proof)}
        torch.save(state, folder / WEIGHTS, _use_new_zipfile_serialization=zipped)
        refused(folder, "holds more than tensors")
        assert not proof.exists()
        torch.load(folder / WEIGHTS, weights_only=False)  # the file does what it is meant to
        assert proof.exists()

    def test_in_a_bare_pickle(self, folder: Path, tmp_path: Path) -> None:
        proof = tmp_path / "code ran"
        (folder / WEIGHTS).write_bytes(pickle.dumps(Code(proof)))
        refused(folder, "holds more than tensors")
        assert not proof.exists()


class TestDamage:
    @pytest.mark.parametrize("pre_1_6", [False, True])
    def test_truncated_anywhere(self, tmp_path: Path, pre_1_6: bool) -> None:
        folder = write_up_down(tmp_path, pre_1_6=pre_1_6)
        whole = (folder / WEIGHTS).read_bytes()
        for cut in np.linspace(0, len(whole) - 1, CUTS, dtype=int):
            (folder / WEIGHTS).write_bytes(whole[:cut])
            refused(folder, r"damaged|holds more than tensors")

    def test_flipped_bits_in_a_zip_never_change_a_weight(self, folder: Path) -> None:
        whole = (folder / WEIGHTS).read_bytes()
        sound = read_checkpoint(folder).tensors
        random = np.random.default_rng(0)
        detected = 0
        for place in random.integers(0, len(whole), FLIPS):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(random.integers(8))
            (folder / WEIGHTS).write_bytes(flipped)
            try:
                tensors = read_checkpoint(folder).tensors
            except CheckpointError:
                detected += 1
                continue
            assert all(torch.equal(tensors[name], tensor) for name, tensor in sound.items())
        assert detected > 0

    def test_flipped_bits_in_the_older_container(self, tmp_path: Path) -> None:
        folder = write_up_down(tmp_path, pre_1_6=True)
        whole = (folder / WEIGHTS).read_bytes()
        random = np.random.default_rng(1)
        for place in random.integers(0, len(whole), FLIPS):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(random.integers(8))
            (folder / WEIGHTS).write_bytes(flipped)
            with suppress(CheckpointError):  # no checksums here: a changed weight cannot be seen
                read_checkpoint(folder)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    @pytest.mark.parametrize("name", ["logit.weight", "logit.bias"])
    def test_weight_that_is_no_number(self, tmp_path: Path, name: str, value: float) -> None:
        folder = write_up_down(tmp_path, kind="model_best_pruned")
        file = folder / "model_best_pruned.pth"
        state = torch.load(file, weights_only=True)
        state[name].view(-1)[3] = value
        torch.save(state, file)
        assert refused(folder, "NaN or infinite").where.endswith(f".pth: {name}")

    @pytest.mark.parametrize("state", [[torch.ones(2)], {}, torch.ones(2)])
    def test_no_state_dictionary(self, folder: Path, state: object) -> None:
        torch.save(state, folder / WEIGHTS)
        refused(folder, "not a state dictionary")

    @pytest.mark.parametrize("entry", [{"embed.0.weight": 3}, {7: torch.ones(2)}])
    def test_entry_that_is_no_tensor(self, folder: Path, entry: object) -> None:
        torch.save(entry, folder / WEIGHTS)
        refused(folder, "not a tensor")

    @pytest.mark.parametrize(
        "tensor",
        [
            torch.ones(2, 2, dtype=torch.int64),
            torch.ones(2, 2, dtype=torch.complex64),
            torch.ones(2, 2, 2).to_sparse(2),
        ],
    )
    def test_tensor_of_another_kind(self, folder: Path, tensor: torch.Tensor) -> None:
        torch.save({"x": tensor}, folder / WEIGHTS)
        refused(folder, "tensor is torch|dense dimensions")

    def test_index_outside_the_matrix(self, folder: Path) -> None:
        values, indices = torch.ones(1), torch.tensor([[50], [0]])
        bad = torch.sparse_coo_tensor(indices, values, (2, 2), check_invariants=False)
        torch.save({"x": bad}, folder / WEIGHTS)
        refused(folder, "sparse tensor is damaged")


class TestSizes:
    @pytest.mark.parametrize("shape", [(10**6, 10**6), (10**9, 10**9)])
    def test_enormous_coo_is_not_made_dense(self, folder: Path, shape: tuple[int, int]) -> None:
        values, indices = torch.ones(1), torch.zeros(2, 1, dtype=torch.long)
        huge = torch.sparse_coo_tensor(indices, values, shape, check_invariants=False)
        torch.save({"x": huge}, folder / WEIGHTS)
        refused(folder, "declare more than")

    def test_view_of_one_element(self, folder: Path) -> None:
        torch.save({"x": torch.zeros(1).expand(10**6, 10**6)}, folder / WEIGHTS)
        refused(folder, "declare more than")

    def test_many_views_of_one_storage(self, folder: Path) -> None:
        view = torch.zeros(1).expand(1000, 1000)
        torch.save({f"x{n}": view for n in range(20)}, folder / WEIGHTS)
        refused(folder, "declare more than 10000000", Limits(elements=10**7))

    @pytest.mark.filterwarnings("ignore:TypedStorage")
    @pytest.mark.parametrize("zipped", [True, False])
    def test_tensor_larger_than_its_storage(self, folder: Path, zipped: bool) -> None:
        torch.save({"x": Oversized()}, folder / WEIGHTS, _use_new_zipfile_serialization=zipped)
        refused(folder, "damaged")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 * KIB_PER_GIB

    def test_record_shorter_than_declared(self, folder: Path) -> None:
        def shortened(old: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
            data = old.read(member)
            return data[:8] if member.filename.endswith("data/0") else data

        repack(folder / WEIGHTS, shortened)
        refused(folder, "damaged")

    def test_deflated_records_are_read(self, folder: Path, tmp_path: Path) -> None:
        plain = read_checkpoint(shutil.copytree(folder, tmp_path / "plain")).tensors
        repack(folder / WEIGHTS, lambda old, member: old.read(member))
        deflated = read_checkpoint(folder).tensors
        assert all(torch.equal(deflated[name], tensor) for name, tensor in plain.items())

    def test_bomb_in_the_pth(self, folder: Path) -> None:
        with zipfile.ZipFile(folder / WEIGHTS, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data/bomb", bytes(BOMB_BYTES))
        assert (folder / WEIGHTS).stat().st_size < BOMB_BYTES / 100
        refused(folder, "unpacks to", Limits(weights_bytes=BOMB_BYTES))

    def test_bomb_in_the_pickle(self, folder: Path) -> None:
        padding = bytes(BOMB_BYTES)
        repack(
            folder / WEIGHTS,
            lambda old, member: padding if member.filename.endswith(".pkl") else old.read(member),
        )
        refused(folder, "the pickle in the .pth file has")

    def test_large_files(self, folder: Path) -> None:
        refused(folder, f"{WEIGHTS} has .* bytes, more than 100", Limits(weights_bytes=100))
        refused(folder, r"config\.json has .* bytes, more than 100", Limits(text_bytes=100))


class TestZip:
    def archive(self, folder: Path, out: Path, **extra: bytes) -> Path:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in folder.rglob("*"):
                archive.write(file, file.relative_to(folder).as_posix())
            for name, data in extra.items():
                archive.writestr(name, data)
        return out

    def test_bomb(self, folder: Path, tmp_path: Path) -> None:
        path = self.archive(folder, tmp_path / "a.zip", bomb=bytes(BOMB_BYTES))
        refused(path, "unpacks to", Limits(archive_bytes=BOMB_BYTES))

    def test_declared_bomb_meets_the_default_limit(self, folder: Path, tmp_path: Path) -> None:
        path = self.archive(folder, tmp_path / "a.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("log", b"")
            archive.getinfo("log").file_size = 9 * 2**30
        refused(path, "zip unpacks to 966")

    def test_too_many_members(self, folder: Path, tmp_path: Path) -> None:
        path = self.archive(folder, tmp_path / "a.zip")
        refused(path, "members, more than 3", Limits(archive_members=3))

    @pytest.mark.parametrize(
        "name", ["../evil.pth", "model/../../evil", "/etc/evil", "C:/evil", "a\\..\\evil"]
    )
    def test_name_that_leaves_the_folder(self, folder: Path, tmp_path: Path, name: str) -> None:
        path = self.archive(folder, tmp_path / "a.zip", **{name: b"evil"})
        before = sorted(tmp_path.rglob("*"))
        refused(path, "leaves its folder")
        assert sorted(tmp_path.rglob("*")) == before

    def test_cut_short(self, folder: Path, tmp_path: Path) -> None:
        path = self.archive(folder, tmp_path / "a.zip")
        whole = path.read_bytes()
        for cut in np.linspace(0, len(whole) - 1, CUTS, dtype=int):
            path.write_bytes(whole[:cut])
            refused(path, "zip is damaged")

    def test_flipped_bits(self, folder: Path, tmp_path: Path) -> None:
        path = self.archive(folder, tmp_path / "a.zip")
        whole, random = path.read_bytes(), np.random.default_rng(2)
        sound = read_checkpoint(path)
        for place in random.integers(0, len(whole), FLIPS):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(random.integers(8))
            path.write_bytes(flipped)
            with suppress(CheckpointError):
                assert read_checkpoint(path).sha256 == sound.sha256

    def test_two_checkpoints(self, folder: Path, tmp_path: Path) -> None:
        both = tmp_path / "both"
        for name in ("a", "b"):
            shutil.copytree(folder, both / name)
        refused(self.archive(both, tmp_path / "a.zip"), "several checkpoints: a, b")


class TestNoCheckpoint:
    def test_empty_folder(self, tmp_path: Path) -> None:
        error = refused(tmp_path, "not a checkpoint that capexport knows")
        assert "sparse-image-captioning (config.json" in error.hint

    def test_nothing_there(self, tmp_path: Path) -> None:
        refused(tmp_path / "typo", "no such file or folder")

    def test_other_file(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("no checkpoint")
        refused(tmp_path / "notes.txt", r"neither weights nor a \.zip")

    def test_no_weights(self, folder: Path) -> None:
        (folder / WEIGHTS).unlink()
        refused(folder, r"there is no \.pth file")

    def test_no_vocabulary(self, folder: Path) -> None:
        shutil.rmtree(folder / "tokenizer")
        refused(folder, r"tokenizer/word\.vocab is missing")

    def test_several_strange_names(self, folder: Path) -> None:
        shutil.copy(folder / WEIGHTS, folder / "b.pth")
        (folder / WEIGHTS).rename(folder / "a.pth")
        assert "a.pth, b.pth" in refused(folder, r"there are 2 \.pth files").hint


def test_error_reads_as_three_lines(tmp_path: Path) -> None:
    folder = write_up_down(tmp_path, kind=KINDS[0])
    (folder / f"{KINDS[0]}.pth").write_bytes(b"")
    lines = str(refused(folder, "damaged")).splitlines()
    assert [line.strip().split(":")[0] for line in lines[1:]] == ["where", "hint"]
