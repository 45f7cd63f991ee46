"""Bundle + name of a device + settings -> a report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from capexport.bench.counting import count
from capexport.bench.devices import open_device
from capexport.bench.devices.target import COUNTS, MEMORY, TIMES
from capexport.bench.made_up import made_up
from capexport.bench.measurement import UnfinishedError, measure
from capexport.bench.report import Report
from capexport.bench.resident import weigh
from capexport.bench.settings import Settings
from capexport.bench.weights import weights_of
from capexport.bundle import Bundle
from capexport.errors import InputError
from capexport.runtime import Given, check_beam, read_inputs

PACKAGES = {"litert": "ai-edge-litert", "onnxruntime": "onnxruntime"}
"""Whose library the runner opens."""
METHODS = {TIMES: measure, COUNTS: count, MEMORY: weigh}
"""By what a device tells."""


def bench(
    bundle: Bundle,
    device: str,
    settings: Settings,
    *,
    photo: Path | None = None,
    quality: Mapping[str, Any] | None = None,
    cores: str = "",
    archives: Sequence[Path] = (),
    stage: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measure a bundle on a device.

    Args:
        device: as `open_device` takes it.
        photo: a picture or a features file, of which the first entry counts; None makes one up.
        quality: of the bundle's captions, as `read_quality` reads it.
        cores: to run on: as `topology.core_mask` takes them; "" leaves it to the device.
        archives: .aar files of the runtimes for a phone, as `open_device` takes them.
        stage: is told what begins.

    Raises:
        InputError: the bundle has no graphs for the runtime, or the input does not fit.
        RuntimeMissingError: a package or compiler that the device needs is missing.
        DeviceError: the device cannot be reached, or fails; UnfinishedError after some rounds.
    """
    manifest = bundle.manifest
    if settings.runtime not in manifest.runtimes:
        raise InputError(
            f"the bundle has no graphs for {settings.runtime}",
            where=str(bundle.path),
            hint=f"use {' or '.join(manifest.runtimes)}",
        )
    check_beam(settings.beam, manifest.signature)
    name, given = _given(bundle, photo)
    with open_device(device, archives) as target:
        described: dict[str, Any] = {
            "input": name,
            "architecture": manifest.architecture,
            "recipe": dict(manifest.recipe),
            "weights": manifest.weights,
            "runtime_version": _runtime_version(settings.runtime, archives),
        }
        if cores:
            described["cores"] = {"wanted": cores, "mask": target.pin(cores)}
        how = METHODS[target.tells]
        weights, known = weights_of(bundle.manifest), quality or {}
        try:
            report = how(target, bundle, settings, given, described, stage)
        except UnfinishedError as error:
            kept = replace(error.report, weights=weights, quality=known)
            raise UnfinishedError(error, kept) from error
        return replace(report, weights=weights, quality=known)


def _runtime_version(runtime: str, archives: Sequence[Path]) -> str:
    """Of the wheel; an archive has it in its name alone."""
    return ", ".join(archive.name for archive in archives) or version(PACKAGES[runtime])


def _given(bundle: Bundle, photo: Path | None) -> tuple[str, Given]:
    if photo is None:
        return made_up(bundle)
    return next(iter(read_inputs(photo, bundle.manifest.image).items()))
