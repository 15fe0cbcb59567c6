"""Where sample plots fall: random or systematic, from a stored seed, the same on every machine.

This is the array half: candidate points by stratum from a seed and a box. Which of them lie in
the stratum's ground is asked of geometry, which answers with a mask.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sinks.arrays import FloatArray
from sinks.errors import DomainError

Bounds = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in metres of a projected system."""

Inside = Callable[[FloatArray], NDArray[np.bool_]]
"""Which of (n, 2) points lie inside; the geometry's answer."""

CHUNK: Final = 1024
MOST_TRIES: Final = 4096
"""Chunks drawn before a stratum is taken for empty: four million points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """A stratum to be sampled: its number keeps its stream apart from every other's."""

    number: int
    bounds: Bounds
    plots: int

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.bounds
        good = all(map(math.isfinite, self.bounds)) and x0 < x1 and y0 < y1
        if not good or self.plots < 0 or self.number < 0:
            raise DomainError("SAMPLE_STRATUM", stratum=self.number, plots=self.plots)


def generator(seed: int, stratum: int) -> np.random.Generator:
    """Philox stream of a stratum; adding a stratum moves no point of another.

    Raises
    ------
    DomainError : SEED_RANGE when the seed does not fit 64 bits.
    """
    if not 0 <= seed < 1 << 64:
        raise DomainError("SEED_RANGE", seed=seed)
    return np.random.Generator(np.random.Philox(key=np.array([seed, stratum], np.uint64)))


def random_points(stratum: Stratum, inside: Inside, *, seed: int) -> FloatArray:
    """Points drawn evenly over the ground of a stratum, (plots, 2).

    More plots later keep the first ones: the stream is the same, only longer.

    Raises
    ------
    DomainError : SAMPLE_EMPTY when no drawn point ever lies inside; SEED_RANGE.
    """
    draw = generator(seed, stratum.number)
    x0, y0, x1, y1 = stratum.bounds
    kept: list[FloatArray] = []
    found = 0
    for _ in range(MOST_TRIES):
        if found >= stratum.plots:
            break
        points = draw.random((CHUNK, 2)) * (x1 - x0, y1 - y0) + (x0, y0)
        kept.append(points[inside(points)])
        found += len(kept[-1])
    if found < stratum.plots:
        raise DomainError("SAMPLE_EMPTY", stratum=stratum.number, found=found)
    return np.concatenate([*kept, np.empty((0, 2))])[: stratum.plots]


def systematic_points(
    stratum: Stratum, inside: Inside, *, seed: int, spacing_m: float
) -> FloatArray:
    """Points of a square grid with a random start that lie in the stratum, rows from the south.

    How many there are follows from the spacing; ``stratum.plots`` is the least that is accepted.

    Raises
    ------
    DomainError : SAMPLE_SPACING; SAMPLE_EMPTY when fewer than ``plots`` lie inside; SEED_RANGE.
    """
    x0, y0, x1, y1 = stratum.bounds
    if not (math.isfinite(spacing_m) and spacing_m > 0):
        raise DomainError("SAMPLE_SPACING", spacing_m=spacing_m)
    start = generator(seed, stratum.number).random(2) * spacing_m
    xs = np.arange(x0 + start[0], x1, spacing_m)
    ys = np.arange(y0 + start[1], y1, spacing_m)
    points = np.column_stack([np.tile(xs, ys.size), np.repeat(ys, xs.size)])
    points = points[inside(points)] if points.size else points
    if len(points) < stratum.plots:
        raise DomainError("SAMPLE_EMPTY", stratum=stratum.number, found=len(points))
    return points


def spacing_for(*, area_m2: float, plots: int) -> float:
    """Spacing of a square grid that puts about so many points on an area.

    Raises
    ------
    DomainError : AREA_NOT_POSITIVE, SAMPLE_SPACING.
    """
    if not area_m2 > 0:
        raise DomainError("AREA_NOT_POSITIVE", area_m2=area_m2)
    if plots < 1:
        raise DomainError("SAMPLE_SPACING", spacing_m=float("inf"))
    return math.sqrt(area_m2 / plots)
