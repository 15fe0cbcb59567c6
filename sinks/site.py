"""Site and stocking: what makes a stand better or thinner than the curve it is computed with."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sinks.arrays import FloatArray, as_float, require_not_negative, require_positive
from sinks.errors import ConversionError, DomainError
from sinks.tables.rows import GrowthRow


def stocked(
    row: GrowthRow, values: ArrayLike, *, crown_cover: ArrayLike, full_cover: float
) -> FloatArray:
    """Values of a fully stocked curve for stands of this crown cover, never above the curve.

    Parameters
    ----------
    row : the curve; an inventory mean already holds the stocking of its plots and is refused.
    values : (n,) in the curve's unit.
    crown_cover : (n,) share of the ground under crowns, 0 to 1.
    full_cover : cover that counts as full; no published figure is set here.

    Raises
    ------
    ConversionError : CONVERSION_TWICE on an inventory-mean curve.
    DomainError : SHARE_RANGE.
    """
    if row.stocking != "full":
        raise ConversionError("CONVERSION_TWICE", key=row.key, quantity=row.stocking)
    cover = as_float(crown_cover)
    bad = cover[~((cover >= 0) & (cover <= 1))]
    if bad.size or not 0 < full_cover <= 1:
        raise DomainError("SHARE_RANGE", share=float(bad[0]) if bad.size else full_cover)
    return np.asarray(as_float(values) * np.minimum(cover / full_cover, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHeight:
    """Dominant height over age by the Korf form of GADA (masson pine), fitted where it is used.

    ln h = X - (b1 + b2 X) t^-c, X = (ln h0 + b1 t0^-c) / (1 - b2 t0^-c).
    """

    b1: float
    b2: float
    c: float

    def __post_init__(self) -> None:
        if not (all(map(math.isfinite, (self.b1, self.b2, self.c))) and self.c > 0):
            raise DomainError("SITE_HEIGHT", b1=self.b1, b2=self.b2, c=self.c)

    def height_m(self, h0_m: ArrayLike, *, from_yr: ArrayLike, to_yr: ArrayLike) -> FloatArray:
        """Height at one age of stands measured at another.

        Raises
        ------
        DomainError : VALUE_* for a height or age that is not above zero; SITE_HEIGHT where the
            form has no answer at the measured age, or a stand would shrink.
        """
        h0, t0, t1 = (as_float(one) for one in (h0_m, from_yr, to_yr))
        for name, values in (("h0_m", h0), ("from_yr", t0), ("to_yr", t1)):
            require_positive(name, values)
        below = 1 - self.b2 * t0**-self.c
        if not (below > 0).all():
            raise DomainError("SITE_HEIGHT", b1=self.b1, b2=self.b2, c=self.c)
        x = (np.log(h0) + self.b1 * t0**-self.c) / below
        if not (self.b1 + self.b2 * x > 0).all():  # else the stand would shrink as it ages
            raise DomainError("SITE_HEIGHT", b1=self.b1, b2=self.b2, c=self.c)
        return np.asarray(np.exp(x - (self.b1 + self.b2 * x) * t1**-self.c))

    def site_index_m(self, h0_m: ArrayLike, *, age_yr: ArrayLike, base_age_yr: float) -> FloatArray:
        """Height at the base age."""
        return self.height_m(h0_m, from_yr=age_yr, to_yr=base_age_yr)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteResponse:
    """How stock answers to the site index: (SI / reference)^exponent, as a source says.

    Attributes
    ----------
    low, high : site indices it was fitted on; beyond them it is held at the end.
    source : citation of the response. There is none for inventory means, so none is built in.
    """

    reference_m: float
    exponent: float
    low_m: float
    high_m: float
    source: str

    def __post_init__(self) -> None:
        sizes = (self.reference_m, self.low_m, self.high_m)
        ordered = all(math.isfinite(x) and x > 0 for x in sizes) and self.low_m <= self.high_m
        if not ordered or not math.isfinite(self.exponent) or not self.source:
            raise DomainError("SITE_RESPONSE", reference_m=self.reference_m, source=self.source)

    def multiplier(self, site_index_m: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """What stock is multiplied by, and whether the index was outside the fitted ones.

        Returns
        -------
        (n,) multipliers and (n,) 1.0 where the index was held at an end.
        """
        index = as_float(site_index_m)
        require_not_negative("site_index_m", index)
        held = np.clip(index, self.low_m, self.high_m)
        return (held / self.reference_m) ** self.exponent, (held != index).astype(np.float64)
