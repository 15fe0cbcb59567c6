"""What a reader hands on: one feature at a time, with its own faults, and the file's facts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from geo.crs import ReferenceSystem
from geo.findings import Finding

CHUNK_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a file may be, and how slow, before it is refused."""

    file_bytes: int = 500_000_000
    whole_bytes: int = 200_000_000
    """Of a format that is read whole."""
    held_bytes: int = 16_000_000
    """Of a GeoJSON text that is held; of a longer one a window is."""
    features: int = 500_000
    vertices_per_feature: int = 200_000
    zip_ratio: int = 100
    zip_bytes: int = 1_000_000_000
    zip_members: int = 1_000
    nesting: int = 64
    cells: int = 20_000_000
    seconds: float = 300.0
    seconds_a_run: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeature:
    """One feature as it stands in the file.

    Attributes
    ----------
    row
        Place in the file, counted from 1.
    geometry
        Polygon or MultiPolygon in the file's own coordinates, or None when `faults` say why.
    faults
        Refusals and questions of this row; positions are in the file's own coordinates. A
        questioned row keeps the geometry that is proposed.
    attributes
        Fields by name, JSON-able.
    dropped_dimension
        The feature carried heights or measures, which are not kept.
    """

    row: int
    geometry: Any
    faults: tuple[Finding, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)
    dropped_dimension: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Features of one layer and what the file says of them."""

    encoding: str
    crs: str | None
    features: Sequence[RawFeature]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFile:
    """An open file of features.

    Attributes
    ----------
    format
        `geojson`, `geojsonl`, `gpkg`, `shapefile`, `kml` or `geoparquet`.
    encoding
        Of the attribute text.
    system
        Reference system of the coordinates; never None, for such a file is refused.
    features
        In file order; those of GeoJSON and of long layers are read anew each time they are gone
        through.
    findings
        Warnings about the file as a whole.
    """

    name: str
    format: str
    encoding: str
    system: ReferenceSystem
    features: Sequence[RawFeature]
    findings: tuple[Finding, ...] = ()

    @property
    def crs_label(self) -> str:
        """Code or name of the reference system."""
        return self.system.label

    @property
    def n_features(self) -> int:
        """Number of features, broken ones included."""
        return len(self.features)

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Sequence[RawFeature]]:
        """Yield the features in runs of at most `rows`."""
        features = iter(self.features)
        while run := list(islice(features, rows)):
            yield run
