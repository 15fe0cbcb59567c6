"""What rules read and what they answer: frozen values, no file and no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Answer(StrEnum):
    """符合 / 不符合 / 需补充资料."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    NEEDS_DOCUMENTS = "needs_documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One number or list of a programme, with where it comes from."""

    value: object  # int, float, text or a list of text, as in the programme's file
    unit: str
    source: str
    mark: str  # read, secondary, recalled, computed or proposed
    checked_on: date
    note: str = ""

    @property
    def exact(self) -> Fraction:
        """The value as an exact number; a decimal in the file means that decimal."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float | Decimal):
            raise TypeError(f"{self.value!r} ({self.source}) is not a number")
        return Fraction(str(self.value))

    @property
    def texts(self) -> tuple[str, ...]:
        """The value as a list of text."""
        if not isinstance(self.value, list | tuple):
            raise TypeError(f"{self.value!r} ({self.source}) is not a list")
        return tuple(str(one) for one in self.value)


Thresholds: TypeAlias = Mapping[str, Threshold]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlopeFacts:
    """Slope of each parcel from a height layer."""

    method: str  # a value of geo.slope.SlopeMethod
    layer: str  # file or layer name, for the evidence
    mean_deg: Floats  # (n,) NaN where unknown
    max_deg: Floats  # (n,)
    known_share: Floats  # (n,) share of the parcel with known slope


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CanopyFacts:
    """Canopy of each parcel from a layer of crown cover."""

    layer: str  # file or layer name, for the evidence
    mean_share: Floats  # (n,) 0 to 1, NaN where unknown
    known_share: Floats  # (n,) share of the parcel with known canopy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClaimLayer:
    """Claims of carbon schemes, outside projects included: ground and years."""

    ids: Sequence[str]
    schemes: Sequence[str]
    geometries: NDArray[Any]  # (m,) lon/lat
    first_year: NDArray[np.int64]  # (m,) inclusive
    last_year: NDArray[np.int64]  # (m,) inclusive


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParcelTable:
    """Everything known of n parcels; what is absent is not known, never zero.

    Attribute keys: ``start_year``, ``crediting_from``, ``crediting_to`` (years), ``land_class``
    (DLBM code, "0301"), ``forest_category`` ("economic", "commodity", "public_benefit"),
    ``non_forest_years``, ``tenure_type``, ``tenure_document``, ``tenure_until`` (ISO date or
    "unlimited"), ``is_wetland``, ``is_basic_farmland``, ``is_red_line`` (field record), ``canopy``
    (0 to 1), ``account_id`` and ``planted_area_m2`` (orchards), and what a programme's
    additionality asks for.
    """

    ids: Sequence[str]
    geometries: NDArray[Any]  # (n,) lon/lat polygons or multipolygons, valid
    area_m2: Floats  # (n,) on the ellipsoid
    attributes: Sequence[Mapping[str, object]]
    class_shares: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))
    """Share of each parcel in a named land class ("bamboo", "forest"), (n,), NaN where unknown."""
    slope: SlopeFacts | None = None
    canopy: CanopyFacts | None = None
    exclusions: Mapping[str, NDArray[Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Lon/lat geometries by layer ("wetland", "basic_farmland", "red_line"); absent: not loaded."""
    claims: ClaimLayer | None = None
    """None: the register of claims was not asked."""

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        n = len(self.ids)
        if not n == len(self.geometries) == len(self.area_m2) == len(self.attributes):
            raise ValueError("the columns of a parcel table have different lengths")

    def __len__(self) -> int:
        """Return the number of parcels."""
        return len(self.ids)

    def number(self, parcel: int, key: str) -> Fraction | None:
        """Attribute as an exact number; None when absent or no number."""
        return exact(self.attributes[parcel].get(key))

    def text(self, parcel: int, key: str) -> str | None:
        """Attribute as text without blanks around; None when absent or empty."""
        value = self.attributes[parcel].get(key)
        return None if value is None else str(value).strip() or None

    def flag(self, parcel: int, key: str) -> bool | None:
        """Attribute as yes or no; None when absent or neither."""
        value = self.attributes[parcel].get(key)
        return value if isinstance(value, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """One rule's answer for one parcel, with what it rests on."""

    parcel: int  # row in the table
    rule: str
    answer: Answer
    code: str  # entry of web/messages/eligibility.toml; its remedy mends what is not eligible
    params: Mapping[str, object]
    area_m2: float | None = None  # ground the answer is about
    geometry: Any = None  # lon/lat of that ground

    @property
    def remedy(self) -> str | None:
        """Code of the entry that says how to mend it; None when nothing is to be mended."""
        return None if self.answer is Answer.ELIGIBLE else self.code


def exact(value: object) -> Fraction | None:
    """Return a finite number exactly (a float by its shortest decimal), or None."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, Fraction):
        return value
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return Fraction(number) if number.is_finite() else None
