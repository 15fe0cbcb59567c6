"""Lines that may be a boundary: a closed one or a walked track is offered as a polygon, and asked.

A line is never taken as a parcel without a person's yes, and never lost without a word.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.findings import questioned, refused
from geo.vector.rings import RING_VERTICES_MIN, Shape, assemble, gap_m

FloatArray = NDArray[np.float64]

TRACK_GAP_M: Final = 30.0
"""A walk that ends this near its start is called closed: twice the error of a phone, m."""

TRACK_GAP_SHARE: Final = (0.05, 0.25)
"""A gap below the first share of the length is always near, one above the second never."""


def offer_line(
    row: int,
    lines: Sequence[FloatArray],
    *,
    kind: str,
    vertices_max: int,
    dropped: bool = False,
) -> Shape:
    """Offer a drawn line as a polygon if it is one closed line; refuse any other.

    Parameters
    ----------
    lines
        The lines of the feature, each (n, 2).
    kind
        Name of the geometry in the file, for the words.
    """
    closed = len(lines) == 1 and len(lines[0]) >= RING_VERTICES_MIN
    closed = closed and bool((lines[0][0] == lines[0][-1]).all())
    if not closed:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=kind),))
    shape = assemble(row, [lines], vertices_max=vertices_max, dropped=dropped)
    return _asked(row, shape, "LINE_AS_POLYGON", type=kind, vertices=len(lines[0]))


def offer_track(
    row: int,
    lines: Sequence[FloatArray],
    *,
    kind: str,
    vertices_max: int,
    dropped: bool = False,
) -> Shape:
    """Offer a walked track as a polygon, its end joined to its start, and ask about it.

    Pieces of one track are joined in their order. TRACK_AS_POLYGON where it came back to its
    start, TRACK_OPEN where the joining line is long; both tell the gap.
    """
    pieces = [line for line in lines if len(line)]
    if not pieces:
        return Shape(geometry=None, faults=(refused(row, "GEOM_EMPTY"),))
    ring = np.concatenate(pieces)
    if len(ring) > vertices_max or not np.isfinite(ring).all():
        return assemble(row, [[ring]], vertices_max=vertices_max, dropped=dropped)
    if len(np.unique(ring, axis=0)) < RING_VERTICES_MIN - 1:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=kind),))
    gap = gap_m(ring[0], ring[-1])
    length = math.fsum(gap_m(a, b) for a, b in itertools.pairwise(ring))
    if (ring[0] != ring[-1]).any():
        ring = np.concatenate([ring, ring[:1]])
    low, high = (share * length for share in TRACK_GAP_SHARE)
    near = gap <= max(low, min(TRACK_GAP_M, high))
    shape = assemble(row, [[ring]], vertices_max=vertices_max, dropped=dropped)
    code = "TRACK_AS_POLYGON" if near else "TRACK_OPEN"
    return _asked(row, shape, code, gap_m=gap, length_m=length, pieces=len(pieces))


def _asked(row: int, shape: Shape, code: str, **params: float | str) -> Shape:
    if shape.geometry is None:
        return shape
    question = questioned(row, code, at=None, **params)
    return Shape(
        geometry=shape.geometry, faults=(question,), dropped_dimension=shape.dropped_dimension
    )
