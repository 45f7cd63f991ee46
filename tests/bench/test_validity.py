"""Each reason not to trust a measurement, and none for a sound one."""

from typing import Any

import numpy as np
import pytest

from capexport.bench.settings import Settings
from capexport.bench.statistics import Rounds, summarize
from capexport.bench.validity import MEASURED, doubts, state_doubts
from capexport.errors import InputError

QUIET: Any = (1 + 0.01 * np.random.default_rng(0).standard_normal((3, 40))).tolist()
SETTINGS = Settings("litert", 1)


def found(caption: Rounds, settings: Settings = SETTINGS) -> list[str]:
    latency = {**dict.fromkeys(MEASURED, QUIET), "caption": caption}
    return doubts({name: summarize(r) for name, r in latency.items()}, latency, settings)


def scaled(factors: list[float]) -> Rounds:
    return [[ms * factor for ms in one] for one, factor in zip(QUIET, factors, strict=True)]


def test_a_quiet_measurement_is_trusted() -> None:
    assert found(QUIET) == []


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ([one[:5] for one in QUIET], "caption: 15 samples are less than 30"),
        (scaled([1, 1, 1.5]), "caption: rounds differ by 5"),
        (
            [[ms * (1 + i / 100) for i, ms in enumerate(one)] for one in QUIET],
            "caption: times drift by +2",
        ),
        ([one[:-4] + [9.0] * 4 for one in QUIET], "caption: 10% of the samples are outliers"),
    ],
)
def test_reasons_in_the_samples(caption: Rounds, reason: str) -> None:
    assert any(doubt.startswith(reason) for doubt in found(caption)), found(caption)


def test_too_few_rounds() -> None:
    assert found(QUIET, Settings("litert", 1, rounds=2)) == ["2 rounds are less than 3"]


def test_strict_asks_for_samples_and_time() -> None:
    strict = Settings("litert", 1, strict=True)
    assert (strict.samples_a_round, strict.ms_a_round) == (342, 20_000)
    assert "caption: 120 samples are less than 1024" in found(QUIET, strict)
    long = [[20.0 + 0.01 * (i % 7) for i in range(1100)]] * 3
    assert [doubt for doubt in found(long, strict) if "caption" in doubt] == []
    short = [[1.0 + 0.01 * (i % 7) for i in range(1100)]] * 3
    assert "caption: 3.4 s are less than 60 s" in found(short, strict)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ({"load": 2.5}, {}, ["the load before was 2.5 on 2 cores"]),
        ({"load": 1.9}, {"load": 9}, []),
        (
            {"clock_khz": {"0": 2_000_000, "1": 2_000_000}},
            {"clock_khz": {"0": 1_500_000, "1": 1_900_000}},
            ["round 1: the clock of core 0 fell from 2.00 to 1.50 GHz"],
        ),
        (
            {"celsius": {"cpu": 40.0, "skin": 30.0}},
            {"celsius": {"cpu": 51.0, "skin": 39.0}},
            ["round 1: cpu went from 40 to 51 degrees Celsius"],
        ),
        ({"celsius": {"cpu": 40.0}}, {}, []),
    ],
)
def test_reasons_in_the_device(
    before: dict[str, Any], after: dict[str, Any], reason: list[str]
) -> None:
    assert state_doubts([(before, after)], cores=2) == reason


@pytest.mark.parametrize(
    "wrong", [{"beam": 0}, {"threads": 0}, {"threads": 257}, {"rounds": 0}, {"samples": 2}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError):
        Settings(**{"runtime": "litert", "beam": 1, **wrong})  # type: ignore[arg-type]  # of ints
