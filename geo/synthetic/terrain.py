"""Ground of the demo window: elevation, slope and smooth fields, on a 10 m grid in EPSG:4549."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from geo.synthetic.mesh import Floats, generator

CELL_M: Final = 10.0
VALLEY_M: Final = 58.0
"""Elevation of the river plain at Hangbu, metres."""
_RELIEF_M: Final = 125.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A north-up raster grid; `west`, `north` are its upper left corner in EPSG:4549 metres."""

    west: float
    north: float
    width: int
    height: int

    def sample(self, layer: npt.NDArray[np.generic], points_m: Floats) -> npt.NDArray[np.generic]:
        """Value of the cell each point lies in; points outside take the nearest cell."""
        column = np.clip((points_m[:, 0] - self.west) // CELL_M, 0, self.width - 1).astype(np.int64)
        row = np.clip((self.north - points_m[:, 1]) // CELL_M, 0, self.height - 1).astype(np.int64)
        values: npt.NDArray[np.generic] = layer[row, column]
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """Elevation (m, float32), slope (degrees, float32) and a smooth species field in 0..1."""

    grid: Grid
    elevation: npt.NDArray[np.float32]
    slope: npt.NDArray[np.float32]
    blob: npt.NDArray[np.float32]
    cohort: npt.NDArray[np.float32]


def grid_around(points_m: Floats, margin_m: float = 150.0) -> Grid:
    """The smallest grid on whole 10 m lines that holds all points and a margin."""
    west, south = np.floor((points_m.min(axis=0) - margin_m) / CELL_M) * CELL_M
    east, north = np.ceil((points_m.max(axis=0) + margin_m) / CELL_M) * CELL_M
    return Grid(
        west=float(west),
        north=float(north),
        width=round((east - west) / CELL_M),
        height=round((north - south) / CELL_M),
    )


def noise(
    shape: tuple[int, int], exponent: float, rng: Generator, longest_m: float = 6_000.0
) -> Floats:
    """A 1/f**exponent random field (power spectrum), mean 0, standard deviation 1.

    Waves longer than `longest_m` are no stronger than that wave, so that a bigger window shows
    more hills and not bigger ones.
    """
    rows, columns = shape
    fy = np.fft.fftfreq(rows, d=CELL_M)[:, None]
    fx = np.fft.rfftfreq(columns, d=CELL_M)[None, :]
    frequency = np.maximum(np.hypot(fy, fx), 1 / longest_m)
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * frequency ** (-exponent / 2)
    spectrum[0, 0] = 0
    field: Floats = np.fft.irfft2(spectrum, s=shape)
    return np.asarray(field / field.std(), dtype=np.float64)


def ranked(field: Floats) -> npt.NDArray[np.float32]:
    """Spread a normal field evenly over 0..1 by its own distribution (256 quantiles)."""
    knots = np.quantile(field, np.linspace(0, 1, 257))
    return np.interp(field, knots, np.linspace(0, 1, 257)).astype(np.float32)


def make_terrain(grid: Grid, seed: int) -> Terrain:
    """A river plain from west to east with hills rising on both sides."""
    shape = (grid.height, grid.width)
    east = grid.west + (np.arange(grid.width) + 0.5) * CELL_M
    north = grid.north - (np.arange(grid.height) + 0.5) * CELL_M
    river = 3_204_000.0 + 420.0 * np.sin(east / 900.0) + 180.0 * np.sin(east / 310.0)
    away = np.abs(north[:, None] - river[None, :]) / 1_000.0
    rise = 1 - np.exp(-((away / 1.7) ** 2))
    hills = np.exp(0.55 * noise(shape, 3.8, generator(seed, 11)))
    small = noise(shape, 3.0, generator(seed, 12), longest_m=900.0)
    elevation = VALLEY_M + 1.5 * (small + 3) + _RELIEF_M * rise * hills * (1 + 0.03 * small)
    elevation = np.round(np.clip(elevation, 45, 1_500), 1)
    return Terrain(
        grid=grid,
        elevation=elevation.astype(np.float32),
        slope=horn_slope(elevation).astype(np.float32),
        blob=ranked(noise(shape, 2.8, generator(seed, 13), longest_m=1_500.0)),
        cohort=ranked(noise(shape, 2.4, generator(seed, 14), longest_m=400.0)),
    )


def horn_slope(elevation: Floats) -> Floats:
    """Slope in degrees after Horn (1981), 3 x 3 cells, edges repeated."""
    z = np.pad(elevation, 1, mode="edge")
    top, bottom = z[:-2], z[2:]
    across = (z[:, 2:] - z[:, :-2])[:-2] + 2 * (z[:, 2:] - z[:, :-2])[1:-1]
    across = across + (z[:, 2:] - z[:, :-2])[2:]
    down = bottom[:, :-2] + 2 * bottom[:, 1:-1] + bottom[:, 2:]
    down = down - (top[:, :-2] + 2 * top[:, 1:-1] + top[:, 2:])
    slope: Floats = np.degrees(np.arctan(np.hypot(across, down) / (8 * CELL_M)))
    return slope
