"""A weights file -> an ImageEncoder: recognise the architecture, check every key, build."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from capexport.captioner.encoders.folded import folded_body
from capexport.captioner.encoders.image_encoder import ImageEncoder, ImageToFeatures, cell_places
from capexport.captioner.encoders.sources import Row, StateDictionary
from capexport.captioner.encoders.table import ENCODERS, EncoderArchitecture, expected_shapes
from capexport.checkpoint import Checkpoint
from capexport.checkpoint.image_encoder import EncoderFile, read_encoder_file
from capexport.errors import CheckpointError, InputError, UnsupportedError
from capexport.spec.image import ImageSpec


def read_image_encoder(text: str) -> ImageEncoder:
    """The encoder in `PATH` or `NAME:PATH`; CapexportError of whatever refuses."""
    name, path = parse_encoder(text)
    return build_image_encoder(read_encoder_file(path), name)


def parse_encoder(text: str) -> tuple[str | None, Path]:
    """`PATH` or `NAME:PATH` -> name and path; InputError for a name that is not in ENCODERS.

    An existing file is a path whatever is in its name.
    """
    name, colon, path = text.partition(":")
    if not colon or Path(text).exists():
        return None, Path(text)
    if name not in ENCODERS:
        raise InputError(
            f"there is no image encoder {name!r}",
            where="--encoder",
            hint=f"NAME:PATH with one of {', '.join(ENCODERS)}",
        )
    return name, Path(path)


def build_image_encoder(
    file: EncoderFile, name: str | None = None, *, image: ImageSpec | None = None
) -> ImageEncoder:
    """The encoder in a weights file.

    Args:
        name: a key of ENCODERS; None recognises the encoder from names and shapes.
        image: its input; None for the one of the table.

    Raises:
        CheckpointError: a key is missing, left over or of another shape.
        InputError: no encoder of the table has such weights, or several have.
    """
    name = _named(file, name) or _recognised(file)
    encoder = ENCODERS[name]
    image = image or encoder.image
    body = _body(file, encoder, name)
    grid = _grid(body, image)
    places = cell_places(*grid) if encoder.placed else None
    return ImageEncoder(
        name=name,
        module=ImageToFeatures(body, encoder.preprocessing, encoder.channels, places).eval(),
        image=image,
        grid=grid,
        channels=encoder.channels,
        file=file.path.name,
        bytes_on_disk=file.bytes_on_disk,
        sha256=file.sha256,
    )


def own_image_encoder(checkpoint: Checkpoint) -> ImageEncoder:
    """The image encoder whose weights the checkpoint holds.

    Raises:
        UnsupportedError: the table has no encoder of its name.
        CheckpointError: a key is missing, left over or of another shape.
    """
    name = checkpoint.image_encoder
    if name not in ENCODERS:
        raise UnsupportedError(
            f"there is no image encoder {name!r}",
            where=str(checkpoint.path),
            hint=f"supported: {', '.join(ENCODERS)}",
        )
    file = EncoderFile(
        path=checkpoint.path / checkpoint.weights_file,
        bytes_on_disk=checkpoint.bytes_on_disk,
        sha256=checkpoint.sha256.get(checkpoint.weights_file, ""),
        weights=checkpoint.image_encoder_weights,
    )
    return build_image_encoder(file, name, image=checkpoint.image)


def _named(file: EncoderFile, name: str | None) -> str | None:
    """What the user or the file says; InputError where they differ or the table has no such one."""
    if file.encoder is None or file.encoder == name:
        return name
    if name is not None or file.encoder not in ENCODERS:
        raise InputError(
            f"the file holds {file.encoder!r}",
            where=str(file.path),
            hint=f"give it without a name; supported: {', '.join(ENCODERS)}",
        )
    return file.encoder


def _recognised(file: EncoderFile) -> str:
    fitting = [name for name, encoder in ENCODERS.items() if _fits(file, name, encoder)]
    if len(fitting) == 1:
        return fitting[0]
    names = fitting or list(ENCODERS)
    raise InputError(
        "several image encoders have such weights"
        if fitting
        else "no image encoder has such weights",
        where=str(file.path),
        hint=f"name it, to see what differs: {' or '.join(f'{n}:{file.path.name}' for n in names)}",
    )


def _fits(file: EncoderFile, name: str, encoder: EncoderArchitecture) -> bool:
    if isinstance(file.weights, tuple) is not encoder.listed:
        return False
    if isinstance(file.weights, tuple):
        present = [tuple(convolution.weight.shape) for convolution in file.weights]
        return present == [s for s in expected_shapes(name).values() if len(s) == 4]
    shapes = {key: tuple(t.shape) for key, t in file.weights.items()}
    fits = all(shapes.get(key) == shape for key, shape in expected_shapes(name).items())
    return fits and not _surplus(shapes, name)


def _surplus(keys: Iterable[str], name: str) -> list[str]:
    """Keys that are neither the encoder's nor its classifier's."""
    strangers = set(keys) - set(expected_shapes(name))
    return sorted(key for key in strangers if not key.startswith(ENCODERS[name].classifier))


def _body(file: EncoderFile, encoder: EncoderArchitecture, name: str) -> nn.Module:
    where = str(file.path)
    if file.encoder is not None and not isinstance(file.weights, tuple):
        return folded_body(encoder, file.weights, where)
    if isinstance(file.weights, tuple) is not encoder.listed:
        kind = ".npz of convolutions" if encoder.listed else "state dictionary"
        raise CheckpointError(f"{name} needs a {kind}", where=where, hint="name another encoder")
    if isinstance(file.weights, tuple):
        row = Row(file.weights, where)
        body = encoder.build(row.take)
        row.finish()
        return body
    if surplus := _surplus(file.weights, name):
        raise CheckpointError(
            f"{surplus[0]} is no weight of {name}", where=where, hint="name another encoder"
        )
    source = StateDictionary(file.weights, where, eps=encoder.eps, same=encoder.same)
    return encoder.build(source.take)


@torch.no_grad()
def _grid(body: nn.Module, image: ImageSpec) -> tuple[int, int]:
    """Rows and columns of the body's output."""
    _, _, rows, columns = body(torch.zeros(1, 3, image.height, image.width)).shape
    return rows, columns
