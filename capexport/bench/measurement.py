"""Bundle + device + settings -> a report: build, push, run the rounds, judge."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from capexport.bench.description import describe, write_inputs
from capexport.bench.devices.target import Facts, Outcome, Target
from capexport.bench.footprint import footprint
from capexport.bench.layers import CALLS, layers_ms
from capexport.bench.report import Report
from capexport.bench.settings import STRICT_MS, Settings
from capexport.bench.statistics import summarize
from capexport.bench.validity import doubts, state_doubts
from capexport.bundle import DECODER_STEP, ENCODER, Bundle, graph_file
from capexport.errors import DeviceError
from capexport.kernels.build import build, build_product
from capexport.kernels.products import Product
from capexport.runtime import Caption, Given, caption, encoder_inputs, open_session

RUNNER = Product(
    "capexport_bench",
    (str(Path(__file__).resolve().parent / "runner"),),
    libraries=("dl",),
    is_program=True,
)
DESCRIPTION, PROFILE = "description.txt", "profile.txt"
"""What the runner reads to measure, and to have its runtime time the operators."""
TIMEOUT_S = 600.0
EMULATED_S = 3600.0
"""An emulated core takes minutes for a large float32 captioner, longer beside other programs."""
STAGES = ("start", "encoder_opened", "decoder_opened", "captioned", "end")
OWN_STAGES = ("start", "opened", "end")
"""When memory that no file backs is told apart: what a runtime copies and packs, and its heap."""

Round = Mapping[str, Any]
"""The runner's document."""
States = tuple[Facts, Facts]
"""Of the device, before and after a round."""


class UnfinishedError(DeviceError):
    """The device failed after some rounds, or after all when it was to time operators.

    Args:
        cause: how it failed.
        report: of the rounds before; it is not valid, and says why.
    """

    def __init__(self, cause: DeviceError, report: Report) -> None:
        super().__init__(cause.what, where=cause.where, hint=cause.hint)
        self.report = report


def expected_caption(bundle: Bundle, settings: Settings, given: Given) -> Caption:
    """What `capexport caption` says on this machine; raises as `open_session` and `caption`."""
    session = open_session(bundle, settings.runtime, settings.threads)
    return caption(session, given, settings.beam)


def prepare(
    target: Target,
    bundle: Bundle,
    settings: Settings,
    given: Given,
    *,
    counting: bool = False,
) -> Mapping[str, int]:
    """Put all that a round needs on the device; returns the footprint in bytes.

    Raises:
        RuntimeMissingError: no compiler, or no library of the runtime.
        DeviceError: the device fails.
    """
    runtime = settings.runtime
    library = target.runtime_library(runtime)
    packed = bundle.manifest.weights == "packed"
    # In LiteRT our library is also the way to its compiled models, for graphs of any kind.
    ours = build(target.build_target, product=runtime) if packed or runtime == "litert" else None
    inputs = encoder_inputs(bundle.manifest.signature, given)
    describes = partial(
        describe,
        bundle,
        settings,
        inputs,
        library=f"./{library.name}",
        operators=f"./{ours.name}" if ours else "",
    )
    texts = {DESCRIPTION: describes(counting=counting)}
    texts |= {PROFILE: describes(profiled=CALLS)} if settings.per_layer else {}
    graphs = [graph_file(runtime, graph) for graph in (ENCODER, DECODER_STEP)]
    files = {RUNNER.file: build_product(RUNNER, target.build_target), library.name: library}
    files |= {ours.name: ours} if ours else {}
    files |= {name: bundle.file(name) for name in graphs}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            files[name] = Path(folder, name)
            files[name].write_text(text, encoding="utf-8")
        target.push(files | write_inputs(inputs, Path(folder)))
    return footprint(bundle, runtime, library=library, operators=ours if packed else None)


def measure(
    target: Target,
    bundle: Bundle,
    settings: Settings,
    given: Given,
    described: Mapping[str, Any],
    stage: Callable[[str], None],
) -> Report:
    """Latency, memory and footprint on a device whose time counts.

    Args:
        described: what the report notes beside the settings, such as the input's name.
        stage: is told what begins.

    Raises:
        UnfinishedError: the device failed after the first round.
        CapexportError: whatever keeps a part of it from being done.
    """
    stage("captioning on this machine")
    expected = expected_caption(bundle, settings, given)
    stage("building and copying")
    sizes = prepare(target, bundle, settings, given)
    facts = target.facts()  # now: later the device may be gone
    rounds: list[Round] = []
    states: list[States] = []
    failure = _run_rounds(target, settings, stage, rounds, states)
    part = f"round {len(rounds) + 1}"
    layers: Mapping[str, Any] = {}
    if settings.per_layer and not failure:
        stage("timing operators")
        part = "operators"
        layers, failure = _time_operators(target, bundle, settings)
    latency = latencies(rounds)
    summaries = {name: summarize(samples) for name, samples in latency.items()}
    wrong = wrong_outputs(rounds, expected)
    found = [
        *([f"{part}: {failure.what}"] if failure else []),
        *wrong,
        *doubts(summaries, latency, settings),
        *state_doubts(states, facts.get("cores", 1)),
    ]
    report = Report(
        kind=target.kind,
        device={**facts, "states": [{"before": b, "after": a} for b, a in states]},
        bundle_sha256=bundle.sha256,
        settings={**asdict(settings), **described},
        output={**output(rounds[0], bundle), "as_expected": not wrong},
        latency_ms=latency,
        layers_ms=layers,
        memory=memory(rounds),
        footprint_bytes={**sizes, "mapped": rounds[0]["mapped_bytes"]},
        doubts=tuple(found),
    )
    if failure:
        raise UnfinishedError(failure, report) from failure
    return report


def _run_rounds(
    target: Target,
    settings: Settings,
    stage: Callable[[str], None],
    rounds: list[Round],
    states: list[States],
) -> DeviceError | None:
    """Append what each round and the device's states around it were; how a later one failed."""
    for number in range(1, settings.rounds + 1):
        stage(f"round {number} of {settings.rounds}")
        try:
            before = target.state()
            one = run_round(target, settings)
            states.append((before, target.state()))
        except DeviceError as error:
            if not rounds:
                raise
            return error
        rounds.append(one)
    return None


def _time_operators(
    target: Target, bundle: Bundle, settings: Settings
) -> tuple[Mapping[str, Any], DeviceError | None]:
    """By graph, or how it failed: the rounds before are not lost for that."""
    try:
        told = run_round(target, settings, description=PROFILE)
        return layers_ms(target, bundle, told), None
    except DeviceError as error:
        return {}, error


def run_round(
    target: Target,
    settings: Settings,
    limit_s: float = TIMEOUT_S,
    description: str = DESCRIPTION,
) -> Round:
    """One process on the device; DeviceError when it fails or says nothing sensible."""
    # Strict rounds last by definition: three quantities, each with its time.
    least_s = 3 * STRICT_MS / 1000 if settings.strict else 0.0
    outcome = target.run(RUNNER.file, [description], limit_s + least_s)
    if outcome.status != 0:
        raise DeviceError(
            f"the runner ended with status {outcome.status}: {_last_line(outcome)}",
            where=str(target.facts().get("name", "device")),
            hint="`capexport caption` shows whether the bundle works on this machine",
        )
    try:
        document: Round = json.loads(outcome.out)
    except ValueError as error:
        raise DeviceError(
            f"the runner's output is no JSON: {error}",
            where=str(target.facts().get("name", "device")),
            hint="look whether the connection is stable, and try again",
        ) from error
    return document


def latencies(rounds: Sequence[Round]) -> dict[str, tuple[tuple[float, ...], ...]]:
    """Samples in ms by quantity and round; what happens once in a process has one in each."""
    named = {
        name: tuple(tuple(one["samples_ms"][name]) for one in rounds)
        for name in ("encoder", "decoder_step", "caption")
    }
    for group in ("load", "first"):
        for name in rounds[0][f"{group}_ms"]:
            named[f"{group}_{name}"] = tuple((one[f"{group}_ms"][name],) for one in rounds)
    return named


def memory(rounds: Sequence[Round]) -> dict[str, int]:
    """KiB of the round that took most; what the device's kernel does not tell is left out."""
    most = max(rounds, key=lambda one: int(one["peak_rss_kib"]))
    found = {"peak_rss_kib": most["peak_rss_kib"], "pss_kib": most["pss_kib"]}
    found |= {f"rss_{name}_kib": most["rss_kib"][name] for name in STAGES}
    found |= {f"own_{name}_kib": most["own_kib"][name] for name in OWN_STAGES}
    return {name: kib for name, kib in found.items() if kib >= 0}


def output(one: Round, bundle: Bundle) -> dict[str, Any]:
    """The caption, as `capexport caption` would show it, and how many steps it took."""
    text = bundle.manifest.vocabulary.text(one["tokens"], bundle.manifest.decoding)
    return {
        "tokens": one["tokens"],
        "log_prob": one["log_prob"],
        "text": text,
        "steps": one["steps"],
    }


def wrong_outputs(rounds: Sequence[Round], expected: Caption) -> list[str]:
    """Rounds that captioned otherwise than this machine's `capexport caption`."""
    return [
        f"round {number}: tokens {one['tokens']}, expected {expected.tokens}"
        for number, one in enumerate(rounds, 1)
        if one["tokens"] != expected.tokens
    ]


def _last_line(outcome: Outcome) -> str:
    lines = [line for line in outcome.err.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
