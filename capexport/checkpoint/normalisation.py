"""What a model computes of every pixel before anything else."""

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Normalisation:
    """(pixel * scale - mean) / std, pixels 0 to 255, mean and std for red, green and blue."""

    scale: float
    mean: Colour
    std: Colour
