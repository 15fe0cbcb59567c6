"""Whether a place lies in the division it is said to be in; one that does not is asked about.

Boundaries are for orientation: a person who knows better confirms, and that is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from geo.area import area_m2
from geo.overlap import inside_share, tolerance_m2
from registry import divisions
from registry.errors import RegistryError


class DivisionQuestionError(RegistryError):
    """A place does not lie in its division, and nobody has confirmed it."""

    code = "PARCEL_OUTSIDE_DIVISION"


class StraddlesDivisionError(DivisionQuestionError):
    """A place lies in its division with a part only."""

    code = "PARCEL_STRADDLES_DIVISION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """How much of a place lies beyond a boundary: areas in m2, its share from 0 to 1."""

    area_m2: float
    outside_m2: float
    share: float

    @property
    def whole(self) -> bool:
        """Whether all of it does, but for imprecision of drawing."""
        return self.area_m2 - self.outside_m2 <= _spare_m2(self.area_m2)

    @property
    def counts(self) -> bool:
        """Whether it is more than imprecision of drawing."""
        return self.outside_m2 > _spare_m2(self.area_m2)


def beyond(shapes: Sequence[Any], boundary: Any) -> list[Beyond]:  # noqa: ANN401 -- shapely
    """Return how much of each valid polygon lies beyond a boundary, in CGCS2000 degrees."""
    geometry = np.empty(len(shapes), dtype=object)
    geometry[:] = list(shapes)
    areas = area_m2(geometry)
    shares = 1.0 - inside_share(geometry, boundary)
    return [
        Beyond(area_m2=float(area), outside_m2=float(area * share), share=float(share))
        for area, share in zip(areas, shares, strict=True)
    ]


def require(
    session: Session,
    code: str | None,
    shapes: Sequence[Any],
    *,
    confirmed: bool,
    before: Sequence[Any] = (),
) -> float:
    """Return how many m2 of places lie beyond the nearest known boundary of their division.

    Parameters
    ----------
    confirmed : a person says that the division is right nevertheless.
    before : the places that these are made of; what was beyond with them is not asked again.

    Raises
    ------
    DivisionQuestionError, StraddlesDivisionError : of the worst of the places.
    """
    found = divisions.boundary(session, code) if code else None
    if found is None:
        return 0.0
    answers = beyond(shapes, found.geometry)
    known = max((one.share for one in beyond(before, found.geometry)), default=0.0)
    asked = [one for one in answers if one.counts and one.share > known + _ROUNDING]
    if asked and not confirmed:
        worst = max(asked, key=lambda one: one.share)
        kind = DivisionQuestionError if worst.whole else StraddlesDivisionError
        raise kind(
            division=found.name,
            division_code=found.code,
            outside_m2=round(worst.outside_m2, 1),
            share_percent=round(worst.share * 100, 1),
        )
    return sum(one.outside_m2 for one in answers if one.counts)


def _spare_m2(area: float) -> float:
    return float(tolerance_m2(np.array([area]), np.array([area]))[0])


_ROUNDING = 1e-6
"""Shares this near are the same."""
