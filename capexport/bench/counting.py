"""Bundle + emulated core -> a report of counts: no time that passed in an emulator is in it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from capexport.bench.devices.qemu import COUNTED
from capexport.bench.devices.target import Target
from capexport.bench.estimate import Block, Lines, Profile, estimate
from capexport.bench.measurement import (
    EMULATED_S,
    expected_caption,
    output,
    prepare,
    run_round,
    wrong_outputs,
)
from capexport.bench.report import Report
from capexport.bench.settings import Settings
from capexport.bundle import Bundle
from capexport.errors import DeviceError, InputError, RuntimeMissingError
from capexport.runtime import Given

REGIONS = ("encoder", "caption", "decoder_step")
"""In the order in which the runner marks them."""
CALLS = 5
"""Of each, as the runner makes them. The least counts: ONNX Runtime now and then takes or gives
back memory."""
SHOWN = ("encoder", "decoder_step", "caption")
HOT, MEMORY = "hot", "memory"

Region = Mapping[str, Any]


def count(
    target: Target,
    bundle: Bundle,
    settings: Settings,
    given: Given,
    described: Mapping[str, Any],
    stage: Callable[[str], None],
) -> Report:
    """Instructions, bytes and cache misses of one call each, after warm-up; arguments as `measure`.

    Raises:
        InputError: more than one thread (counters are not atomic, and idle workers spin), or a
            strict measurement, which is one of time.
        CapexportError: whatever keeps a part of it from being done.
    """
    if settings.threads != 1:
        raise InputError(
            f"{settings.threads} threads cannot be counted",
            where="threads",
            hint="leave out --threads for an emulated core",
        )
    settings.refuse_times()
    settings = replace(settings, rounds=1, samples=1)
    stage("captioning on this machine")
    expected = expected_caption(bundle, settings, given)
    stage("building and copying")
    sizes = prepare(target, bundle, settings, given, counting=True)
    stage("counting in the emulator")
    one = run_round(target, settings, EMULATED_S)
    regions = read_regions(target.pull(COUNTED).decode())
    wrong = wrong_outputs([one], expected)
    stage("estimating cycles")
    facts = target.facts()
    estimated, skipped = _estimate(regions, next(iter(facts["core_names"])))
    return Report(
        kind=target.kind,
        device=facts,
        bundle_sha256=bundle.sha256,
        settings={**asdict(settings), **described, **skipped},
        output={**output(one, bundle), "as_expected": not wrong},
        footprint_bytes=sizes,
        counts={part: counts_of(regions[part]) for part in SHOWN},
        estimate=estimated,
        doubts=tuple(wrong),
    )


def read_regions(text: str) -> dict[str, Region]:
    """The counter's line with the least instructions for each part.

    Raises:
        DeviceError: there are not as many as the runner marks, or one has no instructions.
    """
    lines = text.splitlines()
    if len(lines) != CALLS * len(REGIONS):
        raise DeviceError(
            f"{len(lines)} regions were counted, not {CALLS * len(REGIONS)}",
            where=COUNTED,
            hint="the emulated program ended early, or the disk is full",
        )
    calls = [json.loads(line) for line in lines]
    regions = {
        part: min(calls[i * CALLS : (i + 1) * CALLS], key=lambda call: int(call["instructions"]))
        for i, part in enumerate(REGIONS)
    }
    if not all(region["instructions"] for region in regions.values()):
        raise DeviceError(
            "no instructions were counted between the marks",
            where=COUNTED,
            hint="the emulator does not report system calls to its plugins",
        )
    return regions


def counts_of(region: Region) -> dict[str, int]:
    """All of a region that is a number."""
    return {name: number for name, number in region.items() if name not in (HOT, MEMORY)}


def _estimate(
    regions: Mapping[str, Region], core: str
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """The estimate, or why there is none, to be noted in the settings."""
    profiles = {part: profile(regions[part]) for part in SHOWN}
    try:
        return estimate(profiles, core), {}
    except RuntimeMissingError as error:
        return {}, {"no_estimate": f"{error.what}: {error.hint}"}


def profile(region: Region) -> Profile:
    """What an estimate needs of a line of the counter."""
    hot = [Block(words, executions) for executions, words in region[HOT]]
    lines = {model: Lines(*counted) for model, counted in region[MEMORY].items()}
    return Profile(region["instructions"], hot, lines)
