"""A doubt about where a whole file lies: its datum or its zone, settled before rows are examined.

A doubt concerns the whole file: where the boundary of the division shows another datum or zone, its
rows wait until a person names the reference system.  What only a format's standard states is taken
and warned of; nothing is ever guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import ReferenceSystem, parse_crs, sibling_zones, to_cgcs2000
from geo.findings import Finding, questioned, warning
from geo.fit import FEW_MAX, FEW_MIN, PARCELS_MIN, Fit, Reading, fit_datum, fit_shapes
from geo.slips import in_china
from geo.vector import RawFeature

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Geometries = NDArray[np.object_]

LOOKED_AT_MAX: Final = 20_000
"""So many features settle a doubt; a file that holds more is not gone through twice."""

_ZONE_INSIDE_MIN: Final = 0.95
"""A neighbouring zone is proposed when it puts this share of the shapes into the division."""

_LABELS: Final[dict[Reading, str]] = {"gcj02": "GCJ-02", "bd09": "BD-09"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a file is read, and what is to be said of it.

    Attributes
    ----------
    system
        The one to read it by: as declared, or as proposed.
    asked
        Its rows in China wait for a person's answer.
    """

    system: ReferenceSystem
    asked: bool = False
    findings: tuple[Finding, ...] = ()


def judge(
    features: Iterable[RawFeature],
    system: ReferenceSystem,
    *,
    named: bool,
    division: Any = None,  # noqa: ANN401 - shapely has no types
) -> Verdict:
    """Settle how a file is read, or ask.

    Parameters
    ----------
    features
        Of the file, in the coordinates of `system`.
    named
        A person said which system it is; then a doubt is a warning only.
    division
        Boundary of the division that the parcels are said to be in, EPSG:4490, if known.
    """
    degrees = system.drawn_on_map or (system.geographic and system.china_2000)
    needed = (degrees and not (named and division is None)) or (
        division is not None and system.gauss_kruger is not None
    )
    if not needed or (degrees and division is None and not system.wgs84):
        return Verdict(system=system)
    shapes = _shapes(features)
    raw = _centres(shapes)
    if len(raw) == 0:
        return Verdict(system=system)
    if degrees:
        return _datum(raw, shapes, system, named=named, division=division)
    return _zone(raw, system, named=named, division=division)


def _shapes(features: Iterable[RawFeature]) -> Geometries:
    """(n,) shapes that a doubt is settled by, in the file's own coordinates."""
    found = [one.geometry for one in islice(features, LOOKED_AT_MAX) if one.geometry is not None]
    return np.array([*found, None], dtype=object)[:-1]


def _centres(shapes: Geometries) -> FloatArray:
    """(n, 2) middle of each shape, in the file's own coordinates."""
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    return np.asarray((bounds[:, :2] + bounds[:, 2:]) / 2.0)


def _chinese(points: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return in_china(np.concatenate([points, points], axis=1))


def _datum(
    raw: FloatArray,
    shapes: Geometries,
    system: ReferenceSystem,
    *,
    named: bool,
    division: Any,  # noqa: ANN401
) -> Verdict:
    """Say what is doubtful of the datum of Chinese degrees; ask where the boundary differs."""
    points = to_cgcs2000(raw, system)
    points = points[_chinese(points)]
    count = len(points)
    if count == 0:
        return Verdict(system=system)
    enough = division is not None and system.geographic and count >= PARCELS_MIN
    fit = fit_datum(points, division) if enough else None
    if division is not None and system.geographic and (fit is None or fit.reading is None):
        fit = _fit_few(shapes, system, division) or fit
    if fit is not None and fit.reading in _LABELS:
        return _shifted(system, fit, named=named)
    if named or not system.wgs84:
        return Verdict(system=system)
    if fit is not None and fit.reading == "as_is":
        note = warning(None, "DATUM_FITS", rows=count, crs=system.label)
        return Verdict(system=system, findings=(note,))
    # The format's own standard states WGS 84: that is taken, and said, for many such files are not.
    note = warning(None, "DATUM_UNPROVEN", rows=count, crs=system.label)
    return Verdict(system=system, findings=(note,))


def _fit_few(shapes: Geometries, system: ReferenceSystem, division: Any) -> Fit | None:  # noqa: ANN401
    """Hold a few Chinese shapes against the boundary whole; None where that tells nothing."""
    if not FEW_MIN <= len(shapes) <= FEW_MAX:
        return None
    placed = shapely.transform(shapes, lambda xy: to_cgcs2000(xy, system), include_z=False)
    fit = fit_shapes(placed[in_china(shapely.bounds(placed))], division)
    return fit if fit.reading is not None else None


def _shifted(system: ReferenceSystem, fit: Fit, *, named: bool) -> Verdict:
    """Propose to undo the shift that the boundary shows; only warn where a person said else."""
    reading = fit.reading or "as_is"
    params: dict[str, Any] = {
        "rows": fit.parcels,
        "reading": _LABELS[reading],
        "crs": system.label,
        "outside": fit.outside["as_is"],
        "outside_shifted": fit.outside[reading],
    }
    if named:
        return Verdict(system=system, findings=(warning(None, "DATUM_LOOKS_SHIFTED", **params),))
    ask = questioned(None, "DATUM_LOOKS_SHIFTED", **params)
    return Verdict(system=parse_crs(reading), asked=True, findings=(ask,))


def _zone(
    raw: FloatArray,
    system: ReferenceSystem,
    *,
    named: bool,
    division: Any,  # noqa: ANN401
) -> Verdict:
    """Propose the next zone where only that puts the shapes into the division."""
    shapely.prepare(division)

    def share(other: ReferenceSystem) -> float:
        return float(shapely.contains_xy(division, *to_cgcs2000(raw, other).T).mean())

    if share(system) > 0:
        return Verdict(system=system)
    for code in sibling_zones(system):
        inside = share(parse_crs(code))
        if inside < _ZONE_INSIDE_MIN:
            continue
        params: dict[str, Any] = {"crs": system.label, "other": code, "share": round(inside, 4)}
        if named:
            note = warning(None, "CRS_OTHER_ZONE_FITS", **params)
            return Verdict(system=system, findings=(note,))
        ask = questioned(None, "CRS_OTHER_ZONE_FITS", **params)
        return Verdict(system=parse_crs(code), asked=True, findings=(ask,))
    return Verdict(system=system)
