"""A scene -> its picture, by Pillow."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from capexport.scenes.scene import BACKGROUNDS, COLOURS, RADII, Scene, Thing

SIDE = 96
"""pixels"""
FINER = 4
"""Drawn so many times larger, then averaged: edges are smooth."""
STAR_WAIST, CROSS_ARM = 0.45, 0.35
"""Inner radius of a star and half the width of a cross, in radii."""
NOISE = 4.0
"""Standard deviation of a pixel's noise, of 255."""


def draw(scene: Scene, seed: int) -> Image.Image:
    """RGB, SIDE x SIDE; `seed` decides shades, light and noise.

    The light falls off along a random direction by up to 12 of 255 on either side of the centre.
    """
    rng = np.random.RandomState(seed)  # its numbers never change between versions of numpy
    image = Image.new("RGB", (SIDE * FINER,) * 2, _shade(rng, (BACKGROUNDS[scene.background],) * 3))
    pen = ImageDraw.Draw(image)
    for thing in scene.things:
        colour = _shade(rng, COLOURS[thing.kind.colour])
        corners = [(SIDE * FINER * x, SIDE * FINER * y) for x, y in outline(thing)]
        pen.polygon(corners, fill=colour)
    pixels = np.asarray(image.reduce(FINER), np.float64)
    pixels = pixels + _light(rng)[..., None] + rng.normal(0, NOISE, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


def outline(thing: Thing) -> list[tuple[float, float]]:
    """Corners of a thing, in shares of the picture's side; a circle has 48."""
    radius, turn = RADII[thing.kind.size], math.radians(thing.turn)
    return [
        (
            thing.x + radius * length * math.sin(angle + turn),
            thing.y - radius * length * math.cos(angle + turn),
        )
        for length, angle in _polar(thing.kind.shape)
    ]


def _polar(shape: str) -> list[tuple[float, float]]:
    """Corners as distance in radii and angle from upright, clockwise."""
    if shape == "star":
        return [(STAR_WAIST if n % 2 else 1.0, n * math.pi / 5) for n in range(10)]
    if shape == "cross":
        far, near = math.sqrt(1 - CROSS_ARM**2), CROSS_ARM
        corners = [(-near, far), (near, far), (near, near)]
        return [
            (math.hypot(x, y), math.atan2(x, y) + quarter * math.pi / 2)
            for quarter in range(4)
            for x, y in corners
        ]
    number = {"circle": 48, "square": 4, "triangle": 3}[shape]
    first = math.pi / 4 if shape == "square" else 0.0
    return [(1.0, first + n * 2 * math.pi / number) for n in range(number)]


def _shade(rng: np.random.RandomState, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = (int(c) for c in np.clip(np.add(colour, rng.randint(-15, 16, 3)), 0, 255))
    return red, green, blue


def _light(rng: np.random.RandomState) -> NDArray[np.float64]:
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0, 12)
    light: NDArray[np.float64] = x * math.cos(angle) + y * math.sin(angle)
    return light * strength / math.sqrt(2)
