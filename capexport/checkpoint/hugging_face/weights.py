"""The weight files of a transformers folder, one or sharded, into dense float32 tensors."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from torch import Tensor

from capexport.checkpoint.hugging_face.config import read_json
from capexport.checkpoint.safetensors_file import read_safetensors
from capexport.checkpoint.source import Source
from capexport.checkpoint.tensors import check_elements, read_tensors
from capexport.errors import CheckpointError

SUFFIX = ".safetensors"
SAFETENSORS = "model.safetensors"
PICKLED = "pytorch_model.bin"
INDEX = ".index.json"
PREFERENCE = (SAFETENSORS, SAFETENSORS + INDEX, PICKLED, PICKLED + INDEX)
MOST_SHARDS = 256

BUFFERS = (".position_ids", ".attn.bias", ".crossattention.bias", ".masked_bias")
"""Ends of the names of what older versions saved beside the weights: position numbers, and
GPT-2's causal masks. None of them is trained."""


def choose_weights(source: Source, named: str | None) -> str:
    """The file the user named, else the first of PREFERENCE that exists."""
    for name in (named,) if named else PREFERENCE:
        if source.size(name) is not None:
            return name
    raise CheckpointError(
        f"there is no {SAFETENSORS} and no {PICKLED}",
        where=str(source.path),
        hint="save the model with save_pretrained, or fetch its weights",
    )


def read_weights(source: Source, name: str) -> tuple[dict[str, Tensor], int]:
    """Float tensors by transformers' names without BUFFERS, and the bytes they took on disk.

    Raises:
        CheckpointError: damaged, hostile or incomplete files, or anything but float tensors.
    """
    if not name.endswith(INDEX):
        return _read_file(source, name)
    shards = _shards(read_json(source.read(name), source.where(name)), source.where(name))
    tensors: dict[str, Tensor] = {}
    size = 0
    for shard, expected in shards.items():
        part, bytes_on_disk = _read_file(source, shard)
        _check_shard(part, expected, source.where(shard))
        tensors.update(part)
        check_elements(tensors, source.where(shard), source.limits)
        size += bytes_on_disk
    return tensors, size


def _shards(index: Mapping[str, Any], where: str) -> dict[str, set[str]]:
    """Tensor names by the file they lie in."""
    places = index.get("weight_map")
    if not isinstance(places, dict) or not places:
        raise _bad_index("it has no weight_map", where)
    shards: dict[str, set[str]] = {}
    for tensor, file in places.items():
        if not isinstance(file, str) or PurePosixPath(file).name != file or "\\" in file:
            raise _bad_index(f"{tensor} lies in {str(file)[:60]!r}, no file of this folder", where)
        shards.setdefault(file, set()).add(tensor)
    if len(shards) > MOST_SHARDS:
        raise _bad_index(f"it names {len(shards)} files", where)
    return shards


def _check_shard(part: Mapping[str, Tensor], expected: set[str], where: str) -> None:
    expected = {name for name in expected if not name.endswith(BUFFERS)}
    if different := sorted(expected ^ set(part)):
        raise CheckpointError(
            f"the index and the file disagree about {different[0]}",
            where=where,
            hint="fetch all parts of the model again",
        )


def _bad_index(what: str, where: str) -> CheckpointError:
    return CheckpointError(
        f"the index of the weights is unusable: {what}", where=where, hint="fetch it again"
    )


def _read_file(source: Source, name: str) -> tuple[dict[str, Tensor], int]:
    data, where, limits = source.read(name), source.where(name), source.limits
    if name.endswith(SUFFIX):
        return read_safetensors(data, where, limits, skip=BUFFERS), len(data)
    return read_tensors(data, where, limits, skip=BUFFERS), len(data)
