"""What one measurement is: runtime, threads, beam, and how often."""

from dataclasses import dataclass

from capexport.errors import InputError

STRICT_SAMPLES = 1024
STRICT_MS = 60_000.0
"""MLPerf Mobile's single stream: at least 1024 queries and 60 s (mlcommons/inference rules)."""
MOST_THREADS = 256


@dataclass(frozen=True)
class Settings:
    """One measurement of a bundle.

    Args:
        runtime: name of one of the bundle's runtimes.
        beam: hypotheses; 1 is greedy decoding.
        threads: of the runtime and of our operators.
        rounds: processes, one after the other, each with its own start and warm-up.
        samples: least number of each quantity, all rounds together.
        warm_up: calls before those that are measured, in each round.
        strict: at least STRICT_SAMPLES samples and STRICT_MS of each quantity, and a report that
            falls short of anything is invalid.
        per_layer: after the rounds, one more in which the runtime times its operators.

    Raises:
        InputError: a number is out of range.
    """

    runtime: str
    beam: int
    threads: int = 1
    rounds: int = 3
    samples: int = 90
    warm_up: int = 5
    strict: bool = False
    per_layer: bool = False

    def __post_init__(self) -> None:
        for name, most in (("beam", None), ("threads", MOST_THREADS), ("rounds", 100)):
            value = getattr(self, name)
            if value < 1 or (most is not None and value > most):
                raise InputError(
                    f"{name} is {value}",
                    where=name,
                    hint=f"use from 1 to {most}" if most else "use 1 or more",
                )
        if self.samples < self.rounds:
            raise InputError(
                f"{self.samples} samples are asked for in {self.rounds} rounds",
                where="samples",
                hint="ask for at least one sample a round",
            )

    @property
    def samples_a_round(self) -> int:
        wanted = max(self.samples, STRICT_SAMPLES) if self.strict else self.samples
        return -(-wanted // self.rounds)

    @property
    def ms_a_round(self) -> float:
        return STRICT_MS / self.rounds if self.strict else 0.0

    def refuse_times(self) -> None:
        """Raise InputError where a measurement of time is asked of an emulator."""
        for name in ("strict", "per_layer"):
            if getattr(self, name):
                option = name.replace("_", "-")
                raise InputError(
                    f"a {option} measurement is one of time",
                    where=name,
                    hint=f"leave out --{option} for an emulated core",
                )
