"""What a run that keeps pools apart reads: which pools count, what happened, counted bamboo.

A project's programme version says which pools count, with source and mark; a run without a project
may name a programme. Where no programme is named and nothing happened to any parcel, a run counts
live carbon by the cohort table alone.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import programmes
from registry.canonical import digest
from registry.programmes.schema import WARMTH
from registry.stand_events import WHOLE
from sinks import flows, tables
from sinks.pools import STAND_ORDER, Pool
from sinks.strata import Culms, Happening, name_of
from sinks.strata_tables import LIVING, POOLS, TURNS_OVER, root_ratio

NAMES: Final[Mapping[str, Pool]] = {
    "above_ground": Pool.ABOVEGROUND,
    "below_ground": Pool.BELOWGROUND,
    "dead_wood": Pool.DEAD_WOOD,
    "litter": Pool.LITTER,
    "soil": Pool.SOIL,
    "harvested_products": Pool.HARVESTED_PRODUCTS,
}
"""Pools as a programme's file names them; shrubs have no model here."""

CULM_FIELDS: Final = (
    "culm_year",
    "culm_d_cm",
    "culms_by_du",
    "culm_recruits",
    "culm_cut_by_du",
    "culm_age_max",
)
"""Attributes of a parcel that together count its bamboo; lists are written ``600/1100/900``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a parcel's record says beside its layers: events, and bamboo by culm class."""

    happenings: tuple[Happening, ...] = ()
    culms: Culms | None = None
    culms_wrong: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """What a run keeps of it, for whoever computes again."""
        return {
            "events": [
                [one.year, one.kind, one.touched_ppm, one.intensity_ppm, one.species]
                for one in self.happenings
            ],
            "culms": None if self.culms is None else self.culms.told,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """How a run keeps pools apart.

    Attributes
    ----------
    counted : pools that add up to the run's figures, each with the source and mark of that choice.
    temperature_c : of decay, as text of the programme's figure; "" where none is given.
    shrubs : the programme counts shrubs, for which there is no model.
    given : by parcel; parcels of whom the record says nothing more are not in it.
    """

    counted: Mapping[Pool, Mapping[str, str]]
    temperature_c: str
    shrubs: bool
    given: Mapping[UUID, Given] = field(default_factory=dict)

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The counted pools in the order of the tables."""
        return tuple(pool for pool in POOLS if pool in self.counted)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What the run keeps of the choice of pools."""
        return [{"pool": str(pool), **self.counted[pool]} for pool in self.pools]

    @property
    def digest(self) -> str:
        """SHA-256 of all that moves a figure, hex."""
        return digest(
            {
                "pools": [str(one) for one in self.pools],
                "temperature_c": self.temperature_c,
                "order": list(STAND_ORDER),
                "flows": flow_rows(),
                "given": [
                    [str(parcel), one.told, one.culms_wrong]
                    for parcel, one in sorted(self.given.items())
                ],
            }
        ).hex()


LIVE_ONLY: Final[Mapping[Pool, Mapping[str, str]]] = {
    pool: {"source": "tanhui", "mark": "proposed"} for pool in LIVING
}
"""What counts where no programme is named."""


def flow_rows() -> list[dict[str, Any]]:
    """Return every row by which carbon moves or roots are split, with its mark and its values."""
    moved = [
        {"flow": row.key, "mark": row.mark, "source": row.source, "values": repr(row)}
        for row in tables.flows().values()
    ]
    return moved + [
        {
            "roots": row.species,
            "mark": tables.species()[row.species].mark,
            "source": tables.species()[row.species].source,
            "values": repr(tables.species()[row.species].root_ratio),
        }
        for row in tables.species_codes().values()
        if row.species
    ]


def read(
    session: Session,
    *,
    project_id: UUID | None,
    programme_id: str | None,
    at: datetime,
    parcels: Sequence[tuple[UUID, int]],
    monitored: bool,
    last_year: int,
) -> Pooling | None:
    """Return how a run keeps pools apart; None where it has no reason to.

    Raises
    ------
    NotFoundError : there is no such programme.
    """
    found = given(session, parcels, at=at, monitored=monitored, last_year=last_year)
    programme = _programme(session, project_id, programme_id, at)
    if programme is None:
        if not found:
            return None
        return Pooling(counted=LIVE_ONLY, temperature_c="", shrubs=False, given=found)
    counted, warm, shrubs = pools_of(programme)
    return Pooling(counted=counted or LIVE_ONLY, temperature_c=warm, shrubs=shrubs, given=found)


def pools_of(programme_source: str) -> tuple[dict[Pool, dict[str, str]], str, bool]:
    """Return a programme's pools with source and mark, its temperature, and if it counts shrubs."""
    figures = tomllib.loads(programme_source).get("pools", {})
    counted = {
        pool: {"source": figures[name]["source"], "mark": figures[name]["mark"]}
        for name, pool in NAMES.items()
        if figures.get(name, {}).get("value") is True
    }
    warm = figures.get(WARMTH, {}).get("value")
    shrubs = figures.get("shrub", {}).get("value") is True
    return counted, "" if warm is None else repr(float(warm)), shrubs


def _programme(
    session: Session, project_id: UUID | None, programme_id: str | None, at: datetime
) -> str | None:
    """Return the text of the programme whose pools count."""
    if programme_id is not None:
        return programmes.current(session, programme_id, on=programmes.day_of(at)).source
    if project_id is None:
        return None
    source: str | None = session.scalar(_PROJECT, {"id": project_id})
    return source


def given(
    session: Session,
    parcels: Sequence[tuple[UUID, int]],
    *,
    at: datetime,
    monitored: bool,
    last_year: int,
) -> dict[UUID, Given]:
    """Return what the record says of parcels at a moment: own events and those of ancestors."""
    ids = [parcel for parcel, _ in parcels]
    asked = {"ids": ids, "versions": [version for _, version in parcels]}
    events: dict[UUID, list[Happening]] = {}
    for row in session.execute(
        _EVENTS, asked | {"at": at, "monitored": monitored, "last": last_year}
    ):
        touched = min(max(round(row.touched_ppm * row.share), 1), WHOLE)
        events.setdefault(row.parcel_id, []).append(
            Happening(
                year=row.year,
                kind=row.kind,
                touched_ppm=touched,
                intensity_ppm=row.intensity_ppm,
                species=row.species or 0,
            )
        )
    found = {parcel: Given(happenings=tuple(sorted(one))) for parcel, one in events.items()}
    for row in session.execute(_CULMS, asked):
        before = found.get(row.parcel_id, Given())
        culms, wrong = counted_culms(row.attributes)
        found[row.parcel_id] = Given(happenings=before.happenings, culms=culms, culms_wrong=wrong)
    return found


def counted_culms(attributes: Mapping[str, Any]) -> tuple[Culms | None, str]:
    """Return a parcel's bamboo as counted, or None and the attribute that is missing or wrong."""
    words = {name: str(attributes.get(name) or "").strip() for name in CULM_FIELDS}
    numbers: dict[str, tuple[float, ...]] = {}
    for name, word in words.items():
        try:
            numbers[name] = tuple(float(part) for part in word.split("/"))
        except ValueError:
            return None, name
    du = 1 + int(numbers["culm_age_max"][0]) // 2
    lengths = {"culm_year": 1, "culm_d_cm": 1, "culm_age_max": 1, "culms_by_du": du}
    for name, values in numbers.items():
        good = all(0 <= value < WHOLE for value in values)
        share = name != "culm_cut_by_du" or all(value <= 1 for value in values)
        if not (good and share and len(values) == lengths.get(name, len(values))):
            return None, name
    if numbers["culm_d_cm"][0] <= 0 or numbers["culm_age_max"][0] < 1:
        return None, "culm_d_cm"
    return (
        Culms(
            year=int(numbers["culm_year"][0]),
            d_mm=round(numbers["culm_d_cm"][0] * 10),
            by_du=tuple(round(one) for one in numbers["culms_by_du"]),
            recruits=tuple(round(one) for one in numbers["culm_recruits"]),
            cut_ppm=tuple(round(one * WHOLE) for one in numbers["culm_cut_by_du"]),
            age_max_yr=int(numbers["culm_age_max"][0]),
        ),
        "",
    )


def absent(species: int, pooling: Pooling, curves: Mapping[int, Any]) -> list[Pool]:
    """Return counted pools of a species for which no sourced parameter is known: they are empty."""
    row = curves.get(species)
    if row is None:
        return []
    found = []
    if Pool.BELOWGROUND in pooling.counted and root_ratio(species, row) is None:
        found.append(Pool.BELOWGROUND)
    dead = [one for one in (Pool.DEAD_WOOD, Pool.LITTER, Pool.SOIL) if one in pooling.counted]
    if name_of(species) not in TURNS_OVER:
        found += dead
    return found


def provisional(pooling: Pooling) -> dict[str, str]:
    """Return the flows a run may use whose worst mark is recalled or proposed, with that mark."""
    used = {one.kind for given_ in pooling.given.values() for one in given_.happenings}
    keys = [key for key in flows.keys("event") if any(key.startswith(_flow(k)) for k in used)]
    if pooling.temperature_c:
        keys += ["turnover", "decay"]
    return {
        key: mark for key, mark in flows.marks(keys).items() if mark in {"recalled", "proposed"}
    }


def _flow(kind: str) -> str:
    return {"thinning": "harvest", "clearing": "clear", "landslide": "clear"}.get(kind, kind)


_PROJECT = text(
    "SELECT g.source FROM project j JOIN programme g ON g.id = j.programme_id"
    " AND g.version = j.programme_version WHERE j.id = :id"
)
_EVENTS = text(
    "WITH RECURSIVE kin(parcel_id, ancestor_id, area_m2, share) AS ("
    " SELECT w.id, w.id, v.area_m2, CAST(1 AS float8)"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) AS w(id, version)"
    " JOIN parcel_version v ON v.parcel_id = w.id AND v.version = w.version"
    " WHERE EXISTS (SELECT FROM stand_event)"
    " UNION ALL"
    " SELECT k.parcel_id, l.parent_id, v.area_m2, CASE l.operation WHEN 'split' THEN k.share"
    " ELSE k.share * least(v.area_m2 / k.area_m2, 1) END"
    " FROM kin k JOIN parcel_lineage l ON l.child_id = k.ancestor_id"
    " JOIN parcel_version v ON v.parcel_id = l.parent_id AND v.version = l.parent_version)"
    " SELECT k.parcel_id, k.share, e.year, e.kind, e.touched_ppm, e.intensity_ppm, e.species"
    " FROM kin k JOIN stand_event e ON e.parcel_id = k.ancestor_id"
    " WHERE NOT e.withdrawn AND e.effective_at <= :at AND NOT EXISTS (SELECT FROM stand_event r"
    "  WHERE r.replaces = e.id AND r.effective_at <= :at)"
    " AND e.year <= :last AND NOT (e.planned AND :monitored)"
)
_CULMS = text(
    "SELECT v.parcel_id, v.attributes"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) AS w(id, version)"
    " JOIN parcel_version v ON v.parcel_id = w.id AND v.version = w.version"
    " JOIN parcel p ON p.id = w.id AND p.status = 'approved'"
    " WHERE v.attributes ->> 'culms_by_du' IS NOT NULL"
)
