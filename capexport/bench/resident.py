"""Bundle + emulated machine -> a report of memory: what its kernel counted, and no time."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from capexport.bench.devices.target import Target
from capexport.bench.measurement import (
    EMULATED_S,
    expected_caption,
    memory,
    output,
    prepare,
    run_round,
    wrong_outputs,
)
from capexport.bench.report import Report
from capexport.bench.settings import Settings
from capexport.bundle import Bundle
from capexport.runtime import Given


def weigh(
    target: Target,
    bundle: Bundle,
    settings: Settings,
    given: Given,
    described: Mapping[str, Any],
    stage: Callable[[str], None],
) -> Report:
    """Memory of captioning, the most of all rounds; arguments as `measurement.measure`.

    Raises:
        InputError: a strict measurement, which is one of time.
        CapexportError: whatever keeps a part of it from being done.
    """
    settings.refuse_times()
    settings = replace(settings, samples=settings.rounds)  # more of them take no more memory
    stage("captioning on this machine")
    expected = expected_caption(bundle, settings, given)
    stage("building and copying")
    sizes = prepare(target, bundle, settings, given)
    rounds = []
    for number in range(1, settings.rounds + 1):
        stage(f"machine {number} of {settings.rounds}")
        rounds.append(run_round(target, settings, EMULATED_S))
    wrong = wrong_outputs(rounds, expected)
    return Report(
        kind=target.kind,
        device=target.facts(),
        bundle_sha256=bundle.sha256,
        settings={**asdict(settings), **described},
        output={**output(rounds[0], bundle), "as_expected": not wrong},
        memory=memory(rounds),
        footprint_bytes={**sizes, "mapped": rounds[0]["mapped_bytes"]},
        doubts=tuple(wrong),
    )
