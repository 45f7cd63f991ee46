"""A checkpoint and its bundle -> the PyTorch captioner, and a session in every runtime."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from capexport.bundle import Bundle
from capexport.captioner import Captioner, build_captioner, read_image_encoder, with_image_encoder
from capexport.checkpoint import read_checkpoint
from capexport.errors import InputError, RuntimeMissingError
from capexport.runtime import Session, open_session


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread: a step of one picture is too little to share.

    On two, `verify` of a small captioner took twenty times as long where another program kept one
    core busy: threads that wait for each other spin.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def reference_captioner(checkpoint: Path, encoder: str | None, bundle: Bundle) -> Captioner:
    """The captioner that the bundle was made of.

    Args:
        encoder: `PATH` or `NAME:PATH` of the image encoder that the bundle was exported with.

    Raises:
        InputError: the bundle has another signature, vocabulary or decoding rule.
    """
    captioner = build_captioner(read_checkpoint(checkpoint))
    if encoder is not None:
        captioner = with_image_encoder(captioner, read_image_encoder(encoder))
    manifest = f"{bundle.path}/manifest.json"
    if bundle.manifest.image is not None and captioner.image is None:
        raise InputError(
            "the bundle takes pictures, the checkpoint alone takes features",
            where=manifest,
            hint="give the image encoder that it was exported with, by --encoder",
        )
    for part in ("signature", "vocabulary", "decoding"):
        if getattr(bundle.manifest, part) != getattr(captioner, part):
            raise InputError(
                f"the bundle was made from another model: its {part} differs",
                where=manifest,
                hint=f"export {checkpoint} again",
            )
    return captioner


def open_sessions(bundle: Bundle, threads: int = 1) -> tuple[dict[str, Session], dict[str, str]]:
    """A session in every runtime of the bundle, and why each other one was skipped.

    Raises:
        InputError: none of its runtimes is installed.
    """
    sessions, skipped = {}, {}
    for runtime in bundle.manifest.runtimes:
        try:
            sessions[runtime] = open_session(bundle, runtime, threads)
        except RuntimeMissingError as error:
            skipped[runtime] = error.what
    if not sessions:
        raise InputError(
            "no runtime of this bundle is installed",
            where=", ".join(f"{name}: {why}" for name, why in skipped.items()),
            hint="pip install 'capexport[litert,onnxruntime]'",
        )
    return sessions, skipped
