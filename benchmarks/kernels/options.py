"""Comma-separated command line options -> lists."""


def shapes(text: str) -> list[tuple[int, int]]:
    """`2048x512,10x20` -> rows and columns."""
    pairs = [part.split("x") for part in text.split(",")]
    return [(int(rows), int(columns)) for rows, columns in pairs]


def integers(text: str) -> list[int]:
    """`1,3` -> [1, 3]."""
    return [int(part) for part in text.split(",")]


def numbers(text: str) -> list[float]:
    """`.8,.95` -> [0.8, 0.95]."""
    return [float(part) for part in text.split(",")]
