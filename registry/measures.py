"""What rules need of raster layers: slopes from a DEM, class shares from a species layer.

Apart from :mod:`registry.eligibility` because it runs the zonal kernels: for jobs and the command
line, never for a request.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from geo.eligibility.facts import canopy_facts, land_class_shares, slope_facts
from geo.raster import Layer, open_layer
from geo.slope import SlopeMethod
from registry.eligibility_inputs import Measure, Measured
from registry.programmes import ProgrammeView
from sinks import tables

KNOWN_SHARE_MIN = 0.5
"""Least share of a parcel whose class must be known for its shares to count."""


FULL_CANOPY = 100.0
"""Value of a canopy layer where crowns cover all: its cells are percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The layers at hand, opened and digested."""

    dem: Layer | None
    species: Layer | None
    canopy: Layer | None = None

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 by kind; part of the command that asks for a run."""
        return {
            kind: layer.sha256
            for kind, layer in (
                ("dem", self.dem),
                ("species", self.species),
                ("canopy", self.canopy),
            )
            if layer is not None
        }

    @property
    def measure(self) -> Measure:
        """The function that measures parcels on these layers."""
        return partial(_measure, self)


def open_layers(
    *, dem: Path | None = None, species: Path | None = None, canopy: Path | None = None
) -> Layers:
    """Open the layers that are given.

    Raises
    ------
    geo.raster.RasterError : a layer cannot be used, with the reason.
    """
    return Layers(
        dem=open_layer(dem, kind="dem") if dem else None,
        species=open_layer(species, kind="species") if species else None,
        canopy=open_layer(canopy, kind="canopy") if canopy else None,
    )


def _measure(layers: Layers, geometries: NDArray[Any], programme: ProgrammeView) -> Measured:
    """Measure what the programme's rules ask for; a layer nobody asks for is not read."""
    slope, canopy, shares = None, None, {}
    if layers.dem is not None and "slope" in programme.rules:
        method = SlopeMethod(str(programme.rules["slope"]["method"].value))
        slope = slope_facts(geometries, layers.dem, method=method)
    if layers.canopy is not None and "canopy" in programme.rules:
        canopy = canopy_facts(geometries, layers.canopy, per_whole=FULL_CANOPY)
    if layers.species is not None and "land_class_share" in programme.rules:
        shares = land_class_shares(
            geometries,
            layers.species,
            classes=species_classes(),
            code_max=max(row.code for row in tables.species_codes().values()),
            known_share_min=KNOWN_SHARE_MIN,
        )
    return Measured(slope=slope, canopy=canopy, class_shares=shares)


def species_classes() -> dict[str, list[int]]:
    """Return the raster codes of each named class: ``forest`` is everything that grows trees."""
    rows = list(tables.species_codes().values())
    classes: dict[str, list[int]] = {"forest": [r.code for r in rows if r.kind != "none"]}
    for row in rows:
        if row.kind not in {"none", "forest"}:
            classes.setdefault(row.kind, []).append(row.code)
    return classes
