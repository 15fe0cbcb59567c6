"""Ground with one history, a stratum: what a parcel holds and what happened to it, in whole dm2.

A stratum is a species and site class, the year its stand was born (age 0 at that 31 December) and
what happened to it since, or bamboo culms as they were counted. All moves are linear in the stand,
so ground is never cut up by events that thin it: an event that touches a share of a parcel takes
that share of the whole stand. Replanting is another stratum beside the old one, whose dead pools go
on decaying. `sinks.strata_tables` grows strata.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from sinks import tables
from sinks.arrays import split_area

PPM: Final = 1_000_000
CLEARED: Final = "clear_to_air"
"""Flow of what is cleared, of losses a raster saw, and of fellings no sourced flow is known for."""

EVENT_ORDER: Final = (
    "thinning",
    "harvest",
    "clearing",
    "fire",
    "snow",
    "pest",
    "wind",
    "landslide",
    "replanting",
)
"""Kinds of events, in the order in which those of one year are taken."""

FELLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "chinese_fir": "harvest_fir",
        "masson_pine": "harvest_masson",
        "evergreen_broadleaf": "harvest_broadleaf",
    }
)
"""Flow of a felling by species; of any other none is known."""

CULMS: Final = "moso_bamboo"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Happening:
    """An event of a parcel; shares in millionths, ``species`` is a code or 0 for the stand's."""

    year: int
    kind: str
    touched_ppm: int
    intensity_ppm: int
    species: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Culms:
    """Counted bamboo: culms a hectare by class (du) at a year's end, and how they are managed.

    Attributes
    ----------
    d_mm : mean diameter, whole millimetres.
    by_du : culms a hectare of each class, from the first.
    recruits : new culms a hectare of each spring, taken in turn (大年, 小年).
    cut_ppm : share of each class cut each winter, from the first; the last holds for all older.
    age_max_yr : culms that would grow older die standing.
    """

    year: int
    d_mm: int
    by_du: tuple[int, ...]
    recruits: tuple[int, ...]
    cut_ppm: tuple[int, ...]
    age_max_yr: int

    @property
    def told(self) -> list[object]:
        """The count as JSON holds it."""
        return [
            self.year,
            self.d_mm,
            list(self.by_du),
            list(self.recruits),
            list(self.cut_ppm),
            self.age_max_yr,
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Ground with one history.

    Attributes
    ----------
    born : the year at whose end the stand has age 0.
    happened : year, flow and share (in 1e-12) of what moved its carbon, in order.
    """

    species: int
    site: int
    born: int
    happened: tuple[tuple[int, str, int], ...] = ()
    culms: Culms | None = None

    @property
    def key(self) -> list[object]:
        """What the stratum is, as JSON holds it."""
        told = None if self.culms is None else self.culms.told
        return [self.species, self.site, self.born, [list(one) for one in self.happened], told]

    @property
    def standing(self) -> Fraction:
        """Share of the full stand that stands after all that happened."""
        share = Fraction(1)
        for _, _, taken in self.happened:
            share *= 1 - Fraction(taken, PPM * PPM)
        return share


def stratum_of(key: Sequence[Any]) -> Stratum:
    """The stratum a key tells of."""
    species, site, born, happened, told = key
    return Stratum(
        species=species,
        site=site,
        born=born,
        happened=tuple((year, flow, share) for year, flow, share in happened),
        culms=None if told is None else culms_of(told),
    )


def culms_of(told: Sequence[Any]) -> Culms:
    """The count that a list of `Culms.told` tells of."""
    year, d_mm, by_du, recruits, cut_ppm, age_max_yr = told
    return Culms(
        year=year,
        d_mm=d_mm,
        by_du=tuple(by_du),
        recruits=tuple(recruits),
        cut_ppm=tuple(cut_ppm),
        age_max_yr=age_max_yr,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One row of a parcel's histogram: a stand at the layer's year, or bare ground (species 0)."""

    species: int
    site: int
    age_yr: int
    lost_in: int
    area_dm2: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What spreading a parcel's ground over strata found: strata with area, and notes."""

    parts: tuple[tuple[Stratum, int], ...]
    notes: frozenset[tuple[str, int, str]]  # code, year and kind of what a reader must know


Parts = list[tuple[Stratum, int]]
Note = tuple[str, int, str]
"""Code, year and kind of event of what a reader must know."""


def spread(
    ground: Iterable[Ground],
    happenings: Iterable[Happening],
    *,
    layer_year: int,
    last_year: int,
    culms: Culms | None = None,
) -> Told:
    """Spread a parcel's ground over strata; the order of rows and events changes nothing.

    Areas of replanted strata come on top of the ground they were planted on, never more than what
    stands free of trees there.

    Parameters
    ----------
    culms : counted bamboo of the parcel, in place of the curve wherever bamboo stands.
    """
    ordered = sorted(happenings, key=lambda one: (one.year, EVENT_ORDER.index(one.kind), one))
    seen = [one for one in ordered if one.year <= layer_year]
    notes = {("EVENT_BEFORE_LAYER", one.year, one.kind) for one in seen}
    due = [one for one in ordered if layer_year < one.year <= last_year]
    parts: dict[Stratum, int] = {}
    for row in ground:
        lost_in = row.lost_in if layer_year < row.lost_in <= last_year else 0
        begun = _begin(row, layer_year, culms)
        for stratum, area in _through(begun, row, lost_in, due, notes):
            parts[stratum] = parts.get(stratum, 0) + area
    return Told(
        parts=tuple(sorted(parts.items(), key=lambda one: repr(one[0].key))),
        notes=frozenset(notes),
    )


def _begin(row: Ground, layer_year: int, culms: Culms | None) -> Parts:
    if not row.species:
        return []
    counted = culms if name_of(row.species) == CULMS else None
    # What was counted has the count's year for its birth: events before it are in the count.
    born = layer_year - row.age_yr if counted is None else counted.year
    stratum = Stratum(species=row.species, site=row.site, born=born, culms=counted)
    return [(stratum, row.area_dm2)]


def _through(
    parts: Parts,
    row: Ground,
    lost_in: int,
    due: Sequence[Happening],
    notes: set[Note],
) -> Parts:
    """Take a row's strata through its events in order, a loss the raster saw first in its year."""
    lost = lost_in if any(stratum.born < lost_in for stratum, _ in parts) else 0
    for one in due:
        if lost and lost <= one.year:
            parts, lost = _lost(parts, row, lost), 0
        parts = _happen(parts, row, one, notes)
    return _lost(parts, row, lost) if lost else parts


def _lost(parts: Parts, row: Ground, year: int) -> Parts:
    """A loss the raster saw: all of it to the air, and the same species grows again."""
    gone = [(_with(stratum, year, CLEARED, PPM * PPM), area) for stratum, area in parts]
    return [*gone, (Stratum(species=row.species, site=row.site, born=year), row.area_dm2)]


def _happen(parts: Parts, row: Ground, one: Happening, notes: set[Note]) -> Parts:
    if one.kind != "replanting":
        share = one.touched_ppm * one.intensity_ppm
        return [
            (_with(stratum, one.year, _flow(one, stratum.species, notes), share), area)
            for stratum, area in parts
        ]
    species = one.species or row.species
    if not species:
        notes.add(("REPLANT_UNKNOWN", one.year, one.kind))
        return parts
    touched = int(split_area(row.area_dm2, one.touched_ppm, PPM)[1])
    standing = sum((stratum.standing * area for stratum, area in parts), Fraction(0))
    free = int((row.area_dm2 - standing) // 1)
    if touched > free:
        notes.add(("REPLANT_CAPPED", one.year, one.kind))
    site = row.site if row.species else 1
    planted = (Stratum(species=species, site=site, born=one.year), min(touched, free))
    return [*parts, planted] if planted[1] > 0 else parts


def _with(stratum: Stratum, year: int, flow: str, share: int) -> Stratum:
    """The stratum after a move; what was planted in the same year is not there to be moved."""
    if stratum.born >= year:
        return stratum
    return Stratum(
        species=stratum.species,
        site=stratum.site,
        born=stratum.born,
        happened=(*stratum.happened, (year, flow, share)),
        culms=stratum.culms,
    )


def _flow(one: Happening, species: int, notes: set[Note]) -> str:
    if one.kind in {"fire", "snow", "pest", "wind"}:
        return one.kind
    if one.kind in {"clearing", "landslide"}:  # what slides is lost: the cautious end
        return CLEARED
    found = FELLED.get(name_of(species))
    if found is None:
        notes.add(("EVENT_FLOW_ABSENT", one.year, one.kind))
    return found or CLEARED


@cache
def name_of(species: int) -> str:
    """Key of a species code; empty for one that is not in the table."""
    return next((row.key for row in tables.species_codes().values() if row.code == species), "")
