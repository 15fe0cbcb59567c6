"""Facts that rules read, measured from layers: slopes and class shares of parcels.

Apart from the rules because it runs the zonal kernels: import it in jobs, never in a request.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.eligibility.table import CanopyFacts, SlopeFacts
from geo.raster import Source
from geo.slope import SlopeLayer, SlopeMethod
from geo.zonal import ClassLayer, class_shares, cohort_histogram, zonal_mean

Floats = NDArray[np.float64]


def slope_facts(
    geometries: NDArray[Any],
    dem: Source,
    *,
    method: SlopeMethod = SlopeMethod.ZEVENBERGEN_THORNE,
) -> SlopeFacts:
    """Mean and steepest slope of each parcel.

    Parameters
    ----------
    geometries : (n,) valid polygons or multipolygons, lon/lat.
    dem : heights in metres.
    method : how the gradient is taken.
    """
    found = zonal_mean(geometries, SlopeLayer(dem=dem, method=method))
    return SlopeFacts(
        method=method.value,
        layer=dem.name,
        mean_deg=found.mean,
        max_deg=found.maximum,
        known_share=found.known_share,
    )


def canopy_facts(geometries: NDArray[Any], source: Source, *, per_whole: float) -> CanopyFacts:
    """Mean canopy of each parcel.

    Parameters
    ----------
    geometries : (n,) valid polygons or multipolygons, lon/lat.
    source : crown cover of each cell; ``per_whole`` is the value of full cover (100 for percent).
    """
    found = zonal_mean(geometries, source)
    return CanopyFacts(
        layer=source.name, mean_share=found.mean / per_whole, known_share=found.known_share
    )


def land_class_shares(
    geometries: NDArray[Any],
    source: Source,
    *,
    classes: Mapping[str, Sequence[int]],
    code_max: int,
    known_share_min: float,
) -> dict[str, Floats]:
    """Share of each parcel in named land classes.

    Parameters
    ----------
    geometries : (n,) valid polygons or multipolygons, lon/lat.
    source : layer of class codes 0 ... ``code_max``.
    classes : codes that make up each named class; a code may belong to several.
    known_share_min : a parcel of which less is known has no share (NaN): it is asked for.

    Returns
    -------
    (n,) share of the whole parcel by name.
    """
    layer = ClassLayer(source=source, radix=code_max + 1, stride=1)
    shares = class_shares(cohort_histogram(geometries, [layer]), code_max + 1)
    unknown = shares.sum(axis=1) < known_share_min
    found = {}
    for name, codes in classes.items():
        share = shares[:, sorted(set(codes))].sum(axis=1)
        found[name] = np.where(unknown, np.nan, share)
    return found
